# libpasted: its parts, its behaviour against a server that misbehaves, and
# what it promises to those who link it.
set(here ${CMAKE_CURRENT_LIST_DIR})
add_library(fake_server STATIC EXCLUDE_FROM_ALL ${here}/fake_server.c
            ${here}/fake_peer.c ${here}/fake_batch.c)
target_link_libraries(fake_server PUBLIC pasted_common Threads::Threads)

pasted_test(test_client_parts SOURCES ${here}/test_client_parts.c
            MODULES client)
pasted_test(test_client_robust SOURCES ${here}/test_client_robust.c
            MODULES client)
target_link_libraries(test_client_robust PRIVATE m) # the formulas
pasted_test(test_client_connection SOURCES ${here}/test_client_connection.c
            MODULES client)
pasted_test(test_client_json SOURCES ${here}/test_client_json.c)
target_sources(test_client_json PRIVATE
  ${PROJECT_SOURCE_DIR}/client/cli/json.c)
foreach(thing stream faults direct memory names)
  pasted_test(test_client_${thing} SOURCES ${here}/test_client_${thing}.c
              MODULES client)
  target_sources(test_client_${thing} PRIVATE ${here}/client_rig.c)
  target_link_libraries(test_client_${thing} PRIVATE fake_server)
endforeach()
target_link_options(test_client_memory PRIVATE
  -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc)

# The examples in C (that of client/README.md first), against the library that
# users link.
foreach(example pull_batches train_softmax)
  add_executable(${example} ${PROJECT_SOURCE_DIR}/client/examples/${example}.c)
  target_link_libraries(${example} PRIVATE libpasted)
endforeach()
target_link_libraries(train_softmax PRIVATE m)

foreach(promise c99 cplusplus symbols needed installed readme)
  # A sanitized library cannot be linked by a program that is not.
  if(NOT (PASTED_SANITIZE AND promise MATCHES "installed|needed"))
    pasted_script_test(client_${promise}
      COMMAND ${Python3_EXECUTABLE} ${here}/client_promises.py ${promise})
    set_property(TEST ${suite}client_${promise} APPEND PROPERTY ENVIRONMENT
                 "PASTED_LIBDIR=${CMAKE_INSTALL_LIBDIR}")
  endif()
endforeach()
