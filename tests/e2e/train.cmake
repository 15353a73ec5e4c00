# The training examples; they load libpasted, which a sanitizer's build forbids.
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ AND NOT CMAKE_CROSSCOMPILING)
  pasted_script_test(e2e_train_digits LABELS e2e TIMEOUT 600
    COMMAND ${Python3_EXECUTABLE}
            ${CMAKE_CURRENT_LIST_DIR}/test_train_digits.py -v)
  pasted_script_test(e2e_train_signs LABELS e2e TIMEOUT 600
    COMMAND ${Python3_EXECUTABLE}
            ${CMAKE_CURRENT_LIST_DIR}/test_train_signs.py -v)
  pasted_script_test(e2e_example_options LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE}
            ${CMAKE_CURRENT_LIST_DIR}/test_example_options.py -v)
endif()
