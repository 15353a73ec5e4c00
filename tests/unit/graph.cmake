foreach(part spec balance random)
  pasted_test(test_graph_${part}
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_graph_${part}.c
            ${CMAKE_CURRENT_LIST_DIR}/graph_tally.c
    MODULES graph base common)
endforeach()
