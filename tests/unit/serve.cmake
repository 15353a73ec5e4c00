foreach(thing stream store store_limits store_storm store_fair
        store_abandoned store_candidates store_chain epochs demand
        feedback_store)
  pasted_test(test_${thing}
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_${thing}.c
            ${CMAKE_CURRENT_LIST_DIR}/serve_rig.c
            ${CMAKE_CURRENT_LIST_DIR}/synthetic.c
    MODULES serve compose plan recipe graph pool pixel base common)
endforeach()
