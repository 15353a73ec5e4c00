# The reader needs NumPy, which the system Python has (packages.sh).
add_executable(dump_samples
  ${CMAKE_CURRENT_LIST_DIR}/dump_samples.c
  ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic.c
  ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic_draw.c)
target_link_libraries(dump_samples PRIVATE pasted_compose pasted_plan
                      pasted_recipe pasted_pool pasted_pixel pasted_base
                      pasted_common)
foreach(source synthetic demo)
  pasted_script_test(numerics_${source}
    COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/test_numerics.py
            $<TARGET_FILE:dump_samples> ${source}
    TIMEOUT 600)
endforeach()

pasted_test(test_golden
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_golden.c
          ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic.c
          ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic_draw.c
  MODULES compose plan graph recipe pool pixel base common
  ARGS ${CMAKE_CURRENT_LIST_DIR}/golden.txt)
