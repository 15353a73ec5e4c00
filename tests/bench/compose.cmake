if(PASTED_BENCH)
  pkg_check_modules(pc_libpng REQUIRED IMPORTED_TARGET libpng)
  add_executable(bench_compose
    ${CMAKE_CURRENT_LIST_DIR}/bench_compose.c
    ${CMAKE_CURRENT_LIST_DIR}/compose_measure.c
    ${CMAKE_CURRENT_LIST_DIR}/compose_parts.c
    ${CMAKE_CURRENT_LIST_DIR}/compose_pools.c
    ${CMAKE_CURRENT_LIST_DIR}/compose_table.c
    ${CMAKE_CURRENT_LIST_DIR}/compose_write.c
    ${CMAKE_CURRENT_LIST_DIR}/operations_measure.c
    ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic.c
    ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic_draw.c)
  set_target_properties(bench_compose PROPERTIES
    OUTPUT_NAME compose
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bench)
  target_link_libraries(bench_compose PRIVATE pasted_compose pasted_plan
                        pasted_graph pasted_recipe pasted_pool
                        pasted_operation pasted_pixel
                        pasted_base pasted_common PkgConfig::pc_libpng)
  pasted_register(bench_compose_runs 120 bench bench_compose --size 32
                  --seconds 0.2 --images 20)
  if(NOT PASTED_SANITIZE) # too slow for the whole table
    pasted_register(bench_compose_table_runs 300 bench bench_compose --json
                    --preset bench --size 24 --seconds 0.01 --images 20)
  endif()
  pasted_script_test(bench_compose_is_served LABELS "bench;e2e" TIMEOUT 600
    COMMAND ${Python3_EXECUTABLE}
            ${CMAKE_CURRENT_LIST_DIR}/test_compose_served.py -v)
endif()
