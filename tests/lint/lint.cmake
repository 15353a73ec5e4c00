# Lints read the tree, not the build: registered once, in the release suite.
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ)
  foreach(lint layers sizes tree format)
    pasted_script_test(lint_${lint} LABELS lint TIMEOUT 120
      COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/${lint}.py
              ${PROJECT_SOURCE_DIR})
  endforeach()
  pasted_script_test(lint_lints_can_fail LABELS lint TIMEOUT 120
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/selftest.py)
endif()
