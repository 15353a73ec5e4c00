# One flag list for every target, and the two functions that the folders use:
# pasted_module(NAME ...) makes the static library of one folder of the house,
# pasted_pkg(TARGET MODULE ...) links pkg-config packages as system headers.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # POSIX and GNU functions
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wcast-align -Wwrite-strings -Wformat=2 -Wundef
  -Wvla -Wimplicit-fallthrough -Wdouble-promotion -Wno-unused-parameter
  # Bytes are a promise: no fused multiply-add, no excess precision.
  -ffp-contract=off -fexcess-precision=standard
  -fno-strict-aliasing -fno-common)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
  # clang 14 knows no excess-precision switch for C on x86-64 (SSE has none).
  get_directory_property(options COMPILE_OPTIONS)
  list(REMOVE_ITEM options -fexcess-precision=standard)
  set_directory_properties(PROPERTIES COMPILE_OPTIONS "${options}")
endif()
# gcc makes "rep stos" of a memset of some hundred bytes, which costs more than
# planning a sample's colours; libc's is made for the CPU at hand.
include(CheckCCompilerFlag)
check_c_compiler_flag(-mstringop-strategy=libcall PASTED_HAS_LIBCALL_STRINGOPS)
if(PASTED_HAS_LIBCALL_STRINGOPS)
  add_compile_options(-mstringop-strategy=libcall)
endif()
if(PASTED_WERROR)
  add_compile_options(-Werror)
endif()

# Hardening: what Debian's own packages use, minus what sanitizers bring.
if(PASTED_SANITIZE)
  add_compile_options(-fsanitize=${PASTED_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PASTED_SANITIZE})
else()
  add_compile_options(-fstack-protector-strong -fstack-clash-protection)
  if(CMAKE_BUILD_TYPE STREQUAL "Release"
     OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
if(PASTED_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Assertions guard our own mistakes and stay on in release builds.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO
       "${CMAKE_C_FLAGS_RELWITHDEBINFO}")

function(pasted_pkg target)
  foreach(module IN LISTS ARGN)
    pkg_check_modules(pc_${module} REQUIRED IMPORTED_TARGET ${module})
    target_link_libraries(${target} PUBLIC PkgConfig::pc_${module})
  endforeach()
endfunction()

# pasted_module(NAME SOURCES a.c b.c [DEPENDS other ...] [PKG libuv ...])
# makes library pasted_NAME. Sources include "server/..." and "common/..."
# headers by their path from the repository's root.
function(pasted_module name)
  cmake_parse_arguments(m "" "" "SOURCES;DEPENDS;PKG" ${ARGN})
  add_library(pasted_${name} STATIC ${m_SOURCES})
  target_include_directories(pasted_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  foreach(dependency IN LISTS m_DEPENDS)
    target_link_libraries(pasted_${name} PUBLIC pasted_${dependency})
  endforeach()
  target_link_libraries(pasted_${name} PUBLIC Threads::Threads)
  pasted_pkg(pasted_${name} ${m_PKG})
endfunction()
