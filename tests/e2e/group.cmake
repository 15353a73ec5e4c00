# Groups of real processes; ctypes cannot load a sanitized library.
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ)
  pasted_script_test(e2e_group LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_group.py)
endif()
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ)
  pasted_script_test(e2e_sharing LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_sharing.py)
endif()
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ)
  pasted_script_test(e2e_readiness LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_readiness.py)
endif()
