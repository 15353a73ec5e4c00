# pastectl against a real daemon, and the ways to it.
if(NOT PASTED_FUZZ)
  pasted_script_test(e2e_pastectl LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_pastectl.py)
endif()
# ctypes cannot load a library that was built with a sanitizer.
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ)
  pasted_script_test(e2e_unix LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_unix.py)
  pasted_script_test(e2e_ring LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_ring.py)
endif()
