/* CPUs, memory and clock, as the cgroup and the affinity mask leave them.
 * Reads /proc and /sys only; what cannot be read is taken as unlimited.
 * Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1. */
#define _GNU_SOURCE /* sched_getaffinity, CPU_ALLOC */
#include "server/base/host.h"

#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define PATH_BYTES  4096
#define MAX_CPUS    8192

/* First line of a small file, without its newline. */
static bool read_line(const char *path, char *out, size_t n_bytes)
{
    FILE *file = fopen(path, "re");
    bool found;

    if (!file)
        return false;
    found = fgets(out, (int)n_bytes, file) != NULL;
    fclose(file);
    if (found)
        out[strcspn(out, "\n")] = '\0';
    return found;
}

/* A whole unsigned number; "max", "-1" and anything else give false. */
static bool parse_u64(const char *text, uint64_t *out)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == '\0' || *end == ' ';
}

/* Our folder in a hierarchy, from /proc/self/cgroup: lines are
 * "number:controllers:path"; v2 has no controllers. */
static bool cgroup_path(const char *controller, char *out, size_t n_bytes)
{
    char line[PATH_BYTES];
    FILE *file = fopen("/proc/self/cgroup", "re");
    bool found = false;

    if (!file)
        return false;
    while (!found && fgets(line, sizeof(line), file)) {
        char *names = strchr(line, ':');
        char *path = names ? strchr(names + 1, ':') : NULL;

        if (!path)
            continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        for (char *save, *name = strtok_r(names + 1, ",", &save); name;
             name = strtok_r(NULL, ",", &save)) {
            if (strcmp(name, controller) == 0)
                found = true;
        }
        if (controller[0] == '\0' && names[1] == '\0')
            found = true;
        if (found)
            snprintf(out, n_bytes, "%s", path);
    }
    fclose(file);
    return found;
}

/* Calls read on each folder from ours up to the hierarchy's root and keeps the
 * smallest limit. A container often sees only the root, with our limits. */
static uint64_t smallest_limit(const char *root, const char *controller,
                               bool (*read)(const char *folder, uint64_t *out))
{
    char path[PATH_BYTES], folder[PATH_BYTES + 64];
    uint64_t smallest = UINT64_MAX, limit;

    if (!cgroup_path(controller, path, sizeof(path)))
        return smallest;
    for (;;) {
        char *slash = strrchr(path, '/');

        snprintf(folder, sizeof(folder), "%s%s", root, path);
        if (read(folder, &limit) && limit < smallest)
            smallest = limit;
        if (!slash || path[0] == '\0')
            return smallest;
        *slash = '\0'; /* "/a/b" -> "/a" -> "" */
    }
}

static bool read_number(const char *folder, const char *name, uint64_t *out)
{
    char path[PATH_BYTES + 128], line[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return read_line(path, line, sizeof(line)) && parse_u64(line, out);
}

/* CPUs in thousandths: quota / period. */
static bool read_cpu_v2(const char *folder, uint64_t *out)
{
    char path[PATH_BYTES + 128], line[128];
    uint64_t quota, period;
    char *space;

    snprintf(path, sizeof(path), "%s/cpu.max", folder);
    if (!read_line(path, line, sizeof(line)))
        return false;
    space = strchr(line, ' ');
    if (!space || !parse_u64(line, &quota) || !parse_u64(space + 1, &period) ||
        period == 0 || quota > UINT64_MAX / 1000)
        return false;
    *out = quota * 1000 / period;
    return true;
}

static bool read_cpu_v1(const char *folder, uint64_t *out)
{
    uint64_t quota, period;

    if (!read_number(folder, "cpu.cfs_quota_us", &quota) ||
        !read_number(folder, "cpu.cfs_period_us", &period) || period == 0 ||
        quota > UINT64_MAX / 1000)
        return false;
    *out = quota * 1000 / period;
    return true;
}

static bool read_memory_v2(const char *folder, uint64_t *out)
{
    return read_number(folder, "memory.max", out);
}

static bool read_memory_v1(const char *folder, uint64_t *out)
{
    return read_number(folder, "memory.limit_in_bytes", out);
}

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
    uint64_t v2 = smallest_limit(CGROUP_ROOT, "", read_cpu_v2);
    uint64_t v1 = smallest_limit(CGROUP_ROOT "/cpu", "cpu", read_cpu_v1);
    uint64_t thousandths = v1 < v2 ? v1 : v2;

    if (thousandths / 1000 < n_cpus) { /* 1.5 CPUs keep two threads busy */
        n_cpus = (uint32_t)((thousandths + 999) / 1000);
        n_cpus = n_cpus > 0 ? n_cpus : 1;
    }
    return n_cpus;
}

uint64_t host_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t physical = UINT64_MAX;
    uint64_t v2 = smallest_limit(CGROUP_ROOT, "", read_memory_v2);
    uint64_t v1 =
        smallest_limit(CGROUP_ROOT "/memory", "memory", read_memory_v1);
    uint64_t limit = v1 < v2 ? v1 : v2;

    if (pages > 0 && page > 0)
        physical = (uint64_t)pages * (uint64_t)page;
    return limit < physical ? limit : physical;
}

uint64_t host_resident_bytes(void)
{
    char line[128];
    char *space;
    uint64_t pages;

    if (!read_line("/proc/self/statm", line, sizeof(line)))
        return 0;
    space = strchr(line, ' ');
    if (!space || !parse_u64(space + 1, &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t host_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
