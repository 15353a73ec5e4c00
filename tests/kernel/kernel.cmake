pasted_test(test_kernels
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_kernels.c
          ${CMAKE_CURRENT_LIST_DIR}/oracle.c
          ${CMAKE_CURRENT_LIST_DIR}/guard.c
          ${CMAKE_CURRENT_LIST_DIR}/trial.c
          ${CMAKE_CURRENT_LIST_DIR}/bench.c
  MODULES pixel base)
pasted_test(test_rows
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_rows.c
          ${CMAKE_CURRENT_LIST_DIR}/guard.c
          ${CMAKE_CURRENT_LIST_DIR}/trial.c
  MODULES pixel base)
pasted_test(test_selection
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_selection.c
  MODULES pixel base common)
