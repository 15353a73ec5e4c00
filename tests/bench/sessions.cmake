# That it runs; how long requests take depends on what else the machine does.
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ)
  pasted_script_test(bench_sessions_runs LABELS "bench;e2e" TIMEOUT 200
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/sessions.py
            --idle 1000 --active 64 --seconds 3 --limit-ms 1000)
endif()
