# Clients and wires that fail, around one real daemon. ctypes cannot load a
# library that was built with a sanitizer.
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ)
  pasted_script_test(e2e_flipped LABELS e2e TIMEOUT 200
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_flipped.py -v)
endif()
