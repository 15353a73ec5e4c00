# The issue's own test: real batches over the wire, counted and compared.
if(NOT PASTED_FUZZ)
  foreach(what EpochOnDemoPools EpochOnPhotographs EveryEdgeOfAScene)
    pasted_script_test(e2e_${what} LABELS e2e TIMEOUT 600
      COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_epoch.py
              ${what})
  endforeach()
endif()
# ctypes cannot load a library that was built with a sanitizer.
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ)
  pasted_script_test(e2e_failover LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_failover.py)
  pasted_script_test(e2e_partition LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_partition.py)
  pasted_script_test(e2e_drain LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_drain.py)
  pasted_script_test(e2e_docs LABELS e2e TIMEOUT 120
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_docs.py)
endif()
