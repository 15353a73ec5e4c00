# How CMake builds for 64-bit ARM with Debian's cross compiler and runs the
# tests there, by qemu-user. The libraries are those that sysroot.sh unpacks;
# -DPASTED_SYSROOT=FOLDER names another folder than the preset's.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PASTED_SYSROOT)
set(CMAKE_SYSROOT ${PASTED_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L ${PASTED_SYSROOT})

set(ENV{PKG_CONFIG_SYSROOT_DIR} ${PASTED_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
  ${PASTED_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${PASTED_SYSROOT}/usr/share/pkgconfig)
