# The issue's own test: real batches over the wire, counted and compared.
if(NOT PASTED_FUZZ)
  pasted_script_test(e2e_epoch LABELS e2e TIMEOUT 600
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_epoch.py)
endif()
