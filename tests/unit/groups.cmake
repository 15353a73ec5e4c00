pasted_test(test_groups SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_groups.c
            MODULES groups base common)
