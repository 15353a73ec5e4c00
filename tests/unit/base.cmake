foreach(thing philox fixmath digest mem tokens log host)
  pasted_test(test_${thing} SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${thing}.c
              MODULES base common)
endforeach()
target_link_libraries(test_fixmath PRIVATE m) # the oracle, not the product
pasted_test(test_arena SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_arena.c
            MODULES base common)
pasted_test(test_workers SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_workers.c
            MODULES base common)
pasted_test(test_metrics SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_metrics.c
            MODULES base common)
