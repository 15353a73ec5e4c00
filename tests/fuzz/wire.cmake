pasted_fuzz(fuzz_wire SOURCES ${CMAKE_CURRENT_LIST_DIR}/fuzz_wire.c
            MODULES common)
