if(PASTED_BENCH)
  add_executable(bench_compose
    ${CMAKE_CURRENT_LIST_DIR}/bench_compose.c
    ${CMAKE_CURRENT_LIST_DIR}/compose_measure.c
    ${CMAKE_CURRENT_LIST_DIR}/compose_pools.c
    ${CMAKE_CURRENT_LIST_DIR}/compose_table.c
    ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic.c
    ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic_draw.c)
  set_target_properties(bench_compose PROPERTIES
    OUTPUT_NAME compose
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bench)
  target_link_libraries(bench_compose PRIVATE pasted_compose pasted_plan
                        pasted_graph pasted_recipe pasted_pool pasted_pixel
                        pasted_base pasted_common)
  pasted_register(bench_compose_runs 120 bench bench_compose --size 32
                  --seconds 0.2 --images 20)
endif()
