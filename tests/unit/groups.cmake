foreach(thing groups groups_keep)
  pasted_test(test_${thing}
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${thing}.c
            ${CMAKE_CURRENT_LIST_DIR}/lease_rig.c
    MODULES groups base common)
endforeach()
