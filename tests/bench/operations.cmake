if(PASTED_BENCH)
  add_executable(bench_operations
    ${CMAKE_CURRENT_LIST_DIR}/bench_operations.c
    ${CMAKE_CURRENT_LIST_DIR}/operations_measure.c)
  set_target_properties(bench_operations PROPERTIES
    OUTPUT_NAME operations
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bench)
  target_link_libraries(bench_operations PRIVATE pasted_plan pasted_recipe
                        pasted_operation pasted_pixel pasted_base
                        pasted_common)
  pasted_register(bench_operations_run 120 bench bench_operations 32)
endif()
