# The daemon as its users see it. numpy belongs to the system's Python.
if(EXISTS /usr/bin/python3)
  set(python /usr/bin/python3)
else()
  set(python ${Python3_EXECUTABLE})
endif()
foreach(name http operation)
  pasted_script_test(e2e_${name} LABELS e2e TIMEOUT 600
    COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py -v)
endforeach()
