foreach(thing plan plan_geometry plan_parts plan_operations
              plan_warp plan_candidates plan_curriculum plan_keypoint
              plan_distractor feedback)
  pasted_test(test_${thing}
              SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${thing}.c
                      ${CMAKE_CURRENT_LIST_DIR}/plan_world.c
              MODULES plan)
  target_link_libraries(test_${thing} PRIVATE m) # the independent computation
endforeach()
pasted_test(test_chain SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_chain.c
            MODULES plan graph recipe pool pixel base common)
