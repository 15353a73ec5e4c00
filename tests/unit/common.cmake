pasted_test(test_common SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_common.c
            MODULES common)
pasted_test(test_wire SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_wire.c
            ${CMAKE_CURRENT_LIST_DIR}/wire_samples.c MODULES common)
pasted_test(test_wire_batch
            SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_wire_batch.c
            MODULES common)
pasted_test(test_wire_extras
            SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_wire_extras.c
            ${CMAKE_CURRENT_LIST_DIR}/wire_samples.c MODULES common)
