pasted_test(test_http_parts SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_http_parts.c
            MODULES http)
pasted_test(test_http_server
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_http_server.c
          ${CMAKE_CURRENT_LIST_DIR}/serve_rig.c
          ${CMAKE_CURRENT_LIST_DIR}/synthetic.c
  MODULES http)
pasted_test(test_config SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_config.c
            MODULES daemon)
pasted_test(test_options SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_options.c
            MODULES daemon ARGS ${PROJECT_SOURCE_DIR}/server/CONFIG.md)
