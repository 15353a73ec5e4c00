pasted_test(test_http_parts SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_http_parts.c
            MODULES http)
pasted_test(test_http_server
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_http_server.c
          ${CMAKE_CURRENT_LIST_DIR}/serve_rig.c
          ${CMAKE_CURRENT_LIST_DIR}/synthetic.c
  MODULES http)
foreach(thing config options)
  pasted_test(test_${thing} SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${thing}.c
              MODULES daemon)
endforeach()
