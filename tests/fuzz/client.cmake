pasted_fuzz(fuzz_client SOURCES ${CMAKE_CURRENT_LIST_DIR}/fuzz_client.c
            MODULES client)
