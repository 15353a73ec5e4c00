pasted_fuzz(fuzz_server
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/fuzz_server.c
          ${CMAKE_CURRENT_LIST_DIR}/../unit/tcp_world.c
          ${CMAKE_CURRENT_LIST_DIR}/../unit/tcp_peer.c
  MODULES tcp serve compose plan recipe graph pool pixel base common)
pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)
target_link_libraries(fuzz_server PRIVATE PkgConfig::cmocka)
