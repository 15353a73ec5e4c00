add_executable(dump_samples
  ${CMAKE_CURRENT_LIST_DIR}/dump_samples.c
  ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic.c
  ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic_draw.c)
target_link_libraries(dump_samples PRIVATE pasted_compose pasted_plan
                      pasted_recipe pasted_pool pasted_pixel pasted_base
                      pasted_common)
# Bytes do not depend on threads there: nothing for the thread sanitizer.
if(NOT PASTED_SANITIZE MATCHES thread)
  foreach(source synthetic demo)
    pasted_script_test(numerics_${source}
      COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_numerics.py
              $<TARGET_FILE:dump_samples> ${source}
      TIMEOUT 600)
  endforeach()
  pasted_script_test(numerics_chain
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_chains.py
            $<TARGET_FILE:dump_samples>
    TIMEOUT 600)
  add_executable(apply_operation
    ${CMAKE_CURRENT_LIST_DIR}/apply_operation.c
    ${CMAKE_CURRENT_LIST_DIR}/../kernel/guard.c)
  target_link_libraries(apply_operation PRIVATE pasted_recipe pasted_operation
                        pasted_pixel pasted_base pasted_common)
  pasted_script_test(operations
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_operations.py
            $<TARGET_FILE:apply_operation>)
  pasted_script_test(operations_peers
    COMMAND ${Python3_EXECUTABLE}
            ${CMAKE_CURRENT_LIST_DIR}/test_operations_peers.py
            $<TARGET_FILE:apply_operation>)
  pasted_script_test(compose_peers
    COMMAND ${Python3_EXECUTABLE}
            ${CMAKE_CURRENT_LIST_DIR}/test_compose_peers.py
            $<TARGET_FILE:dump_samples>
    TIMEOUT 900)
endif()

pasted_test(test_golden
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_golden.c
          ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic.c
          ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic_draw.c
  MODULES compose plan graph recipe pool pixel base common
  ARGS ${CMAKE_CURRENT_LIST_DIR}/golden.txt)
