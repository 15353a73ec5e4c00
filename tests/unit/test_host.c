/* The host: answers that make sense on any machine. What a cgroup allows is
 * whatever this one allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_a_cpu_and_no_more_than_configured),
        cmocka_unit_test(resident_memory_is_within_what_we_may_use),
        cmocka_unit_test(the_clock_only_goes_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
