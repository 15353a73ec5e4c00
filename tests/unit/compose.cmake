pasted_test(test_compose
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_compose.c
          ${CMAKE_CURRENT_LIST_DIR}/brute.c
          ${CMAKE_CURRENT_LIST_DIR}/random_plan.c
          ${CMAKE_CURRENT_LIST_DIR}/synthetic.c
          ${CMAKE_CURRENT_LIST_DIR}/../kernel/oracle.c
  MODULES compose plan recipe pool pixel base common)
pasted_test(test_compose_batch
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_compose_batch.c
          ${CMAKE_CURRENT_LIST_DIR}/synthetic.c
  MODULES compose plan recipe pool pixel base common)
pasted_test(test_compose_given
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_compose_given.c
          ${CMAKE_CURRENT_LIST_DIR}/synthetic.c
          ${CMAKE_CURRENT_LIST_DIR}/synthetic_draw.c
  MODULES compose plan recipe pool pixel base common)
pasted_test(test_span
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_span.c
  MODULES pixel base common)
pasted_test(test_convert
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_convert.c
  MODULES pixel base common)
target_link_libraries(test_convert PRIVATE m)
pasted_test(test_normalize
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_normalize.c
  MODULES operation pixel base common)
pasted_test(test_straight
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_straight.c
  MODULES operation pixel base common)
pasted_test(test_context
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_context.c
  MODULES pixel base common)
target_link_libraries(test_context PRIVATE m)
pasted_test(test_compose_quiet
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_compose_quiet.c
          ${CMAKE_CURRENT_LIST_DIR}/quiet.c
          ${CMAKE_CURRENT_LIST_DIR}/synthetic.c
          ${CMAKE_CURRENT_LIST_DIR}/synthetic_draw.c
  MODULES compose plan recipe pool pixel base common)
foreach(name mutex_lock mutex_trylock rwlock_rdlock rwlock_wrlock spin_lock once
             cond_wait cond_signal cond_broadcast)
  target_link_options(test_compose_quiet PRIVATE -Wl,--wrap=pthread_${name})
endforeach()
target_link_options(test_compose_quiet PRIVATE -Wl,--wrap=sem_wait
                    -Wl,--wrap=sem_post)
pasted_test(test_match SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_match.c
            MODULES pixel base common)
target_link_libraries(test_match PRIVATE m) # the independent computation
pasted_test(test_stroke
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_stroke.c
          ${CMAKE_CURRENT_LIST_DIR}/synthetic.c
  MODULES compose plan recipe pool pixel base common)
target_link_libraries(test_stroke PRIVATE m) # the independent computation
# One thread: nothing for the thread sanitizer, which would take minutes.
if(NOT PASTED_SANITIZE MATCHES thread)
  pasted_test(test_compose_extremes
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_compose_extremes.c
            ${CMAKE_CURRENT_LIST_DIR}/synthetic.c
    MODULES compose plan recipe pool pixel base common)
endif()
