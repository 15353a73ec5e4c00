# The pool's tests: each with the files it writes for itself.
function(pasted_pool_test name)
  pasted_test(${name} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}.c
              ${CMAKE_CURRENT_LIST_DIR}/pool_files.c MODULES pool)
  target_link_libraries(${name} PRIVATE PkgConfig::zlib)
endfunction()

pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)

pasted_test(test_mip SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_mip.c
            MODULES pixel)
pasted_pool_test(test_png)
pasted_pool_test(test_jpeg)
pasted_pool_test(test_matte)
pasted_pool_test(test_manifest)
pasted_pool_test(test_blocks)
pasted_pool_test(test_catalog)
pasted_pool_test(test_catalog_memory)
pasted_pool_test(test_catalog_keypoints)
pasted_pool_test(test_pool_real)
pasted_pool_test(test_parallel)
