# The examples that need no framework. The Python one loads libpasted, which a
# sanitizer's build forbids.
if(NOT PASTED_FUZZ AND NOT CMAKE_CROSSCOMPILING)
  pasted_script_test(e2e_examples LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_examples.py
            $<TARGET_FILE:train_softmax> "${PASTED_SANITIZE}")
endif()
