/* The limits of our cgroup, version 1 and 2, from its files. Knows no CPUs and
 * no clock. Source: the kernel's admin-guide/cgroup-v2 and cgroup-v1. */
#include "server/base/cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 4096

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

/* Our folder in a hierarchy, from the membership file: lines are
 * "number:controllers:path"; v2 has no controllers. */
static bool find_folder(const char *membership, const char *controller,
                        char *out, size_t n_bytes)
{
    char line[PATH_BYTES];
    FILE *file = fopen(membership, "re");
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

/* Where to look: one hierarchy of one cgroup version. */
struct hierarchy {
    const char *membership, *root;
    const char *mount;      /* below root; "" in version 2 */
    const char *controller; /* "" in version 2 */
};

/* Calls read on each folder from ours up to the hierarchy's root and keeps the
 * smallest limit. A container often sees only the root, with our limits. */
static uint64_t smallest_limit(const struct hierarchy *h,
                               bool (*read)(const char *folder, uint64_t *out))
{
    char path[PATH_BYTES], folder[2 * PATH_BYTES];
    uint64_t smallest = UINT64_MAX, limit;

    if (!find_folder(h->membership, h->controller, path, sizeof(path)))
        return smallest;
    for (;;) {
        char *slash = strrchr(path, '/');

        snprintf(folder, sizeof(folder), "%s%s%s", h->root, h->mount, path);
        if (read(folder, &limit) && limit < smallest)
            smallest = limit;
        if (!slash)
            return smallest;
        *slash = '\0'; /* "/a/b" -> "/a" -> "" */
    }
}

static bool read_number(const char *folder, const char *name, uint64_t *out)
{
    char path[2 * PATH_BYTES + 128], line[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return read_line(path, line, sizeof(line)) && parse_u64(line, out);
}

/* CPUs in thousandths: quota / period. */
static bool read_cpu_v2(const char *folder, uint64_t *out)
{
    char path[2 * PATH_BYTES + 128], line[128];
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

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct cgroup_limits cgroup_read(const char *membership, const char *root)
{
    const struct hierarchy v2 = {membership, root, "", ""};
    const struct hierarchy cpu = {membership, root, "/cpu", "cpu"};
    const struct hierarchy memory = {membership, root, "/memory", "memory"};

    return (struct cgroup_limits){
        .cpu_thousandths = smaller(smallest_limit(&v2, read_cpu_v2),
                                   smallest_limit(&cpu, read_cpu_v1)),
        .memory_bytes = smaller(smallest_limit(&v2, read_memory_v2),
                                smallest_limit(&memory, read_memory_v1)),
    };
}
