pasted_fuzz(fuzz_compose
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/fuzz_compose.c
          ${CMAKE_CURRENT_LIST_DIR}/recipe_maker.c
          ${CMAKE_CURRENT_LIST_DIR}/../unit/synthetic.c
  MODULES compose plan recipe graph pool pixel base common)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson)
target_link_libraries(fuzz_compose PRIVATE PkgConfig::jansson)
