/* The limits of our cgroup, version 1 and 2. Knows no CPUs and no clock. */
#ifndef PASTED_BASE_CGROUP_H
#define PASTED_BASE_CGROUP_H

#include <stdint.h>

#define CGROUP_MEMBERSHIP "/proc/self/cgroup"
#define CGROUP_ROOT       "/sys/fs/cgroup"

struct cgroup_limits {
    uint64_t cpu_thousandths; /* of a CPU; UINT64_MAX: no limit */
    uint64_t memory_bytes;    /* likewise */
};

/* The smallest limits from our folder up to the root. What is missing or not
 * understood is no limit. */
struct cgroup_limits cgroup_read(const char *membership, const char *root);

#endif
