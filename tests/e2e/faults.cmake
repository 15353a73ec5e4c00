# Clients and wires that fail, around one real daemon.
if(NOT PASTED_FUZZ)
  pasted_script_test(e2e_hostile LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_hostile.py -v)
  if(NOT CMAKE_CROSSCOMPILING)
    pasted_script_test(e2e_client_memory LABELS e2e TIMEOUT 300
      COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_client_memory.py)
  endif()
  # ctypes cannot load a library that was built with a sanitizer.
  if(NOT PASTED_SANITIZE)
    pasted_script_test(e2e_flipped LABELS e2e TIMEOUT 200
      COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_flipped.py -v)
    # An hour of it: sh tests/nightly.sh soak
    pasted_script_test(e2e_soak LABELS e2e TIMEOUT 300
      COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/soak.py 60)
  endif()
endif()
