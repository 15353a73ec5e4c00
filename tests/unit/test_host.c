/* The host: answers that make sense on any machine, and cgroup files of both
 * versions in a folder of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/cgroup.h"
#include "server/base/host.h"

static void there_is_a_cpu_and_no_more_than_configured(void **state)
{
    assert_true(host_cpus() >= 1);
    assert_true((long)host_cpus() <= sysconf(_SC_NPROCESSORS_CONF));
}

static void resident_memory_is_within_what_we_may_use(void **state)
{
    assert_true(host_resident_bytes() > 0);
    assert_true(host_resident_bytes() < host_memory_bytes());
}

static void the_clock_only_goes_forward(void **state)
{
    uint64_t before = host_now_ns();

    for (int i = 0; i < 1000; i++) {
        uint64_t now = host_now_ns();

        assert_true(now >= before);
        before = now;
    }
}

static char root[] = "/tmp/pasted-cgroup-XXXXXX";

/* Writes one file below root, making the folders on the way. */
static void put(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/'));
         slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void begin(void)
{
    strcpy(root + strlen(root) - 6, "XXXXXX");
    assert_non_null(mkdtemp(root));
}

static struct cgroup_limits end(void)
{
    char path[256];
    struct cgroup_limits limits;

    snprintf(path, sizeof(path), "%s/membership", root);
    limits = cgroup_read(path, root);
    snprintf(path, sizeof(path), "rm -r %s", root);
    assert_int_equal(system(path), 0);
    return limits;
}

static void the_smallest_limit_on_the_way_up_counts(void **state)
{
    struct cgroup_limits limits;

    begin();
    put("membership", "0::/a.slice/b.scope\n");
    put("a.slice/b.scope/cpu.max", "max 100000\n");
    put("a.slice/b.scope/memory.max", "3000000000\n");
    put("a.slice/cpu.max", "150000 100000\n");
    put("a.slice/memory.max", "2000000000\n");
    put("memory.max", "max\n");
    limits = end();
    assert_int_equal(limits.cpu_thousandths, 1500);
    assert_int_equal(limits.memory_bytes, 2000000000);
}

static void a_container_sees_its_limits_at_the_root(void **state)
{
    struct cgroup_limits limits;

    begin();
    put("membership", "0::/\n");
    put("cpu.max", "50000 100000\n");
    put("memory.max", "536870912\n");
    limits = end();
    assert_int_equal(limits.cpu_thousandths, 500);
    assert_int_equal(limits.memory_bytes, 536870912);
}

static void version_one_has_a_hierarchy_for_each_controller(void **state)
{
    struct cgroup_limits limits;

    begin();
    put("membership", "4:memory:/m\n3:cpu,cpuacct:/c\n0::/none\n");
    put("cpu/c/cpu.cfs_quota_us", "250000\n");
    put("cpu/c/cpu.cfs_period_us", "100000\n");
    put("cpu/cpu.cfs_quota_us", "-1\n");
    put("cpu/cpu.cfs_period_us", "100000\n");
    put("memory/m/memory.limit_in_bytes", "1073741824\n");
    put("memory/memory.limit_in_bytes", "9223372036854771712\n");
    limits = end();
    assert_int_equal(limits.cpu_thousandths, 2500);
    assert_int_equal(limits.memory_bytes, 1073741824);
}

static void what_is_not_understood_is_no_limit(void **state)
{
    struct cgroup_limits limits;

    begin();
    put("membership", "nonsense\n0::/x\n");
    put("x/cpu.max", "many 100000\n");
    put("cpu.max", "100000 0\n");
    put("x/memory.max", "lots\n");
    limits = end();
    assert_true(limits.cpu_thousandths == UINT64_MAX);
    assert_true(limits.memory_bytes == UINT64_MAX);
    limits = cgroup_read("/nonexistent", "/nonexistent");
    assert_true(limits.cpu_thousandths == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_a_cpu_and_no_more_than_configured),
        cmocka_unit_test(resident_memory_is_within_what_we_may_use),
        cmocka_unit_test(the_clock_only_goes_forward),
        cmocka_unit_test(the_smallest_limit_on_the_way_up_counts),
        cmocka_unit_test(a_container_sees_its_limits_at_the_root),
        cmocka_unit_test(version_one_has_a_hierarchy_for_each_controller),
        cmocka_unit_test(what_is_not_understood_is_no_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
