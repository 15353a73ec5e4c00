pasted_test(test_encode
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_encode.c
          ${CMAKE_CURRENT_LIST_DIR}/encode_pattern.c
  MODULES encode compose recipe base common)
add_executable(encode_files
  ${CMAKE_CURRENT_LIST_DIR}/encode_files.c
  ${CMAKE_CURRENT_LIST_DIR}/encode_pattern.c)
target_link_libraries(encode_files PRIVATE pasted_encode pasted_compose)
pasted_script_test(test_encode_numpy LABELS unit
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/test_encode_numpy.py
          $<TARGET_FILE:encode_files>)
