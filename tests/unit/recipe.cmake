pasted_test(test_recipe SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_recipe.c
            MODULES recipe graph
            ARGS ${PROJECT_SOURCE_DIR}/server/recipe/RECIPE.md)
pasted_test(test_topic SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_topic.c
            MODULES recipe)
pasted_test(test_recipe_refusals
            SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_recipe_refusals.c
            MODULES recipe)
