/* CPUs, memory and clock, as the cgroup and the affinity mask leave them.
 * What cannot be read is taken as unlimited. */
#define _GNU_SOURCE /* sched_getaffinity, CPU_ALLOC */
#include "server/base/host.h"

#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "server/base/cgroup.h"

#define MAX_CPUS 8192

static uint32_t affinity_cpus(void)
{
    cpu_set_t *set = CPU_ALLOC(MAX_CPUS);
    size_t n_bytes = CPU_ALLOC_SIZE(MAX_CPUS);
    int n = 0;

    if (set) {
        CPU_ZERO_S(n_bytes, set);
        if (sched_getaffinity(0, n_bytes, set) == 0)
            n = CPU_COUNT_S(n_bytes, set);
        CPU_FREE(set);
    }
    return n > 0 ? (uint32_t)n : 1;
}

uint32_t host_cpus(void)
{
    uint32_t n_cpus = affinity_cpus();
    uint64_t thousandths =
        cgroup_read(CGROUP_MEMBERSHIP, CGROUP_ROOT).cpu_thousandths;

    if (thousandths / 1000 < n_cpus) /* 1.5 CPUs keep two threads busy */
        n_cpus = (uint32_t)((thousandths + 999) / 1000);
    return n_cpus > 0 ? n_cpus : 1;
}

uint64_t host_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t limit = cgroup_read(CGROUP_MEMBERSHIP, CGROUP_ROOT).memory_bytes;
    uint64_t physical = UINT64_MAX;

    if (pages > 0 && page > 0)
        physical = (uint64_t)pages * (uint64_t)page;
    return limit < physical ? limit : physical;
}

uint64_t host_resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long long size = 0, resident = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t host_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
