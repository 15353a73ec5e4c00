# The daemon as its users see it.
foreach(name http candidates_http feedback_http operation outputs extremes
        plans)
  pasted_script_test(e2e_${name} LABELS e2e TIMEOUT 600
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py -v)
endforeach()
