# pasted_fuzz(fuzz_THING SOURCES fuzz_thing.c [MODULES base ...] [CORPUS DIR...])
# One LLVMFuzzerTestOneInput, built two ways: with PASTED_FUZZ a libFuzzer
# binary, else a program that replays the corpus. Either is a test that runs
# over the corpus: tests/fuzz/corpus/THING when CORPUS names none.
# To search: cmake --preset fuzz, then
#   build/fuzz/tests/fuzz_THING -max_total_time=60 NEW_DIR tests/fuzz/corpus/THING
function(pasted_fuzz name)
  cmake_parse_arguments(f "" "" "SOURCES;MODULES;CORPUS" ${ARGN})
  set(folder ${PROJECT_SOURCE_DIR}/tests/fuzz)
  if(NOT f_CORPUS)
    string(REGEX REPLACE "^fuzz_" "" thing ${name})
    set(f_CORPUS ${folder}/corpus/${thing})
  endif()
  add_executable(${name} ${f_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  foreach(module IN LISTS f_MODULES)
    target_link_libraries(${name} PRIVATE pasted_${module})
  endforeach()
  if(PASTED_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    pasted_register(${name} 300 fuzz ${name} -runs=0 ${f_CORPUS})
  else()
    target_sources(${name} PRIVATE ${folder}/replay.c)
    pasted_register(${name} 300 "fuzz;program" ${name} ${f_CORPUS})
  endif()
endfunction()
