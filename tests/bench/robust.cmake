# Built with everything, run by hand: tests/bench/bench_robust [ROUNDS].
if(PASTED_BENCH)
  add_executable(bench_robust ${CMAKE_CURRENT_LIST_DIR}/bench_robust.c)
  target_link_libraries(bench_robust PRIVATE libpasted)
  set_target_properties(bench_robust PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bench)
endif()
