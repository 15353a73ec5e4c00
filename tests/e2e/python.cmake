# The Python package. ctypes cannot load a library built with a sanitizer.
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ)
  pasted_script_test(e2e_python LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} -m pytest -q -p no:cacheprovider
            ${PROJECT_SOURCE_DIR}/client/python/tests)
  pasted_script_test(e2e_python_install LABELS e2e TIMEOUT 120
    COMMAND ${Python3_EXECUTABLE}
            ${CMAKE_CURRENT_LIST_DIR}/test_python_install.py)
  pasted_script_test(e2e_feedback LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_feedback.py -v)
endif()
