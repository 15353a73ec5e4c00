# Groups of real processes, sharing, readiness; ctypes cannot load a sanitized
# library.
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ)
  foreach(name group group_faults sharing chain readiness)
    pasted_script_test(e2e_${name} LABELS e2e TIMEOUT 300
      COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py)
  endforeach()
endif()
