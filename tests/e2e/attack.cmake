# Bad input, dead peers and load against the real daemon. Not under the thread
# sanitizer, where it takes minutes: the same paths run there as unit tests.
if(NOT PASTED_FUZZ AND NOT PASTED_SANITIZE MATCHES thread)
  pasted_script_test(e2e_attack LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_attack.py -v)
endif()
