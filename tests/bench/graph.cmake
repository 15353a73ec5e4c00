# Built with everything, run by hand: tests/bench/bench_graph [--json].
if(PASTED_BENCH)
  add_executable(bench_graph ${CMAKE_CURRENT_LIST_DIR}/bench_graph.c)
  target_link_libraries(bench_graph PRIVATE pasted_graph pasted_base
                                            pasted_common)
  set_target_properties(bench_graph PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bench)
endif()
