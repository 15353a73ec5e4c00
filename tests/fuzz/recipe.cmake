pasted_fuzz(fuzz_recipe SOURCES ${CMAKE_CURRENT_LIST_DIR}/fuzz_recipe.c
            MODULES recipe)
