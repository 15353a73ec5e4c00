/* Counts what code that must stay on its own does all the same: memory taken or
 * given back, locks, system calls. Test code only; Linux with glibc. */
#ifndef PASTED_TESTS_UNIT_QUIET_H
#define PASTED_TESTS_UNIT_QUIET_H

#include <stdbool.h>
#include <stdint.h>

struct quiet_counts {
    uint64_t allocations; /* of any allocator of the C library, and frees */
    uint64_t locks;       /* mutexes, rwlocks, conditions, once, semaphores */
    uint64_t calls;       /* system calls */
    int first_call;       /* its number; 0: none */
};

/* Ends the process with nothing more: a sanitizer's own end makes calls, and so
 * does what it puts before functions that are known not to return. */
void quiet_exit(int status);

/* From now on every system call of this thread but signals' returns and exits
 * is counted and fails with ENOSYS, for ever: call it in a forked child that
 * ends with quiet_exit. False where the kernel (or an emulator) has no seccomp
 * filters: then calls are not counted. */
bool quiet_catch_calls(void);

/* What this process did since the last reset. */
void quiet_reset(void);
struct quiet_counts quiet_counts(void);

#endif
