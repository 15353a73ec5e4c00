# Bad input, dead peers and load against the real daemon.
if(NOT PASTED_FUZZ)
  pasted_script_test(e2e_attack LABELS e2e TIMEOUT 600
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_attack.py -v)
endif()
