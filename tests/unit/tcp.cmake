foreach(thing session stream seek end memory refine)
  pasted_test(test_tcp_${thing}
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_tcp_${thing}.c
            ${CMAKE_CURRENT_LIST_DIR}/tcp_world.c
            ${CMAKE_CURRENT_LIST_DIR}/tcp_peer.c
    MODULES tcp serve compose plan recipe graph pool pixel base common)
endforeach()
