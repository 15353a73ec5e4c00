foreach(thing png jpeg manifest)
  pasted_fuzz(fuzz_${thing} SOURCES ${CMAKE_CURRENT_LIST_DIR}/fuzz_${thing}.c
              MODULES pool)
endforeach()
