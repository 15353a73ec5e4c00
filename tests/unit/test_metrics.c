/* Metrics: values, families, and what promtool thinks of the whole page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/base/mem.h"
#include "server/base/metrics.h"

#define N_THREADS 4
#define N_ADDS    100000

static void *add_many(void *argument)
{
    for (int i = 0; i < N_ADDS; i++)
        metric_add(METRIC_SAMPLES_COMPOSED, 1);
    return NULL;
}

static void no_addition_is_lost_between_threads(void **state)
{
    pthread_t thread[N_THREADS];
    int64_t before = metric_get(METRIC_SAMPLES_COMPOSED);

    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, add_many, NULL), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(metric_get(METRIC_SAMPLES_COMPOSED) - before,
                     N_THREADS * N_ADDS);
}

static char *print(void)
{
    size_t n_bytes;
    char *text = metrics_print(&n_bytes);

    assert_non_null(text);
    assert_int_equal(strlen(text), n_bytes);
    return text;
}

static int count(const char *text, const char *needle)
{
    int n = 0;

    for (; (text = strstr(text, needle)); text++)
        n++;
    return n;
}

static void each_family_is_introduced_once(void **state)
{
    char *text = print();

    assert_int_equal(count(text, "# HELP pasted_batch_requests_total "), 1);
    assert_int_equal(
        count(text, "# TYPE pasted_batch_requests_total counter\n"), 1);
    assert_int_equal(count(text, "\npasted_batch_requests_total{answer="), 4);
    assert_int_equal(count(text, "# TYPE pasted_connections gauge\n"), 1);
    mem_free(text);
}

static void busy_time_is_printed_in_seconds(void **state)
{
    char *text;

    metric_set(METRIC_COMPOSE_NS, 12345678901);
    text = print();
    assert_non_null(
        strstr(text, "\npasted_compose_busy_seconds_total 12.345678901\n"));
    mem_free(text);
    metric_set(METRIC_COMPOSE_NS, 5);
    text = print();
    assert_non_null(
        strstr(text, "\npasted_compose_busy_seconds_total 0.000000005\n"));
    mem_free(text);
}

static void the_process_is_described(void **state)
{
    char *text = print();
    const char *start = strstr(text, "\nprocess_start_time_seconds ");
    double seconds;

    assert_non_null(start);
    seconds = strtod(start + strlen("\nprocess_start_time_seconds "), NULL);
    assert_true(seconds <= (double)time(NULL) + 1);
    assert_true(seconds >= (double)time(NULL) - 600);
    assert_non_null(strstr(text, "\nprocess_open_fds "));
    assert_non_null(strstr(text, "\nprocess_cpu_seconds_total "));
    assert_non_null(strstr(text, "\npasted_build_info{version=\"0.1.0\""));
    mem_free(text);
}

static void short_memory_gives_no_page(void **state)
{
    size_t n_bytes;
    char *text = NULL;
    int n_failed = 0;

    for (uint64_t nth = 1; !text; nth++) {
        mem_fail_nth(nth);
        text = metrics_print(&n_bytes);
        n_failed += text == NULL;
        assert_true(nth < 100);
    }
    mem_fail_nth(0);
    assert_true(n_failed >= 1);
    mem_free(text);
}

static void promtool_finds_no_fault(void **state)
{
    char *text;
    FILE *promtool;

    if (system("command -v promtool >/dev/null 2>&1") != 0) {
        print_message("promtool is not installed\n");
        skip();
    }
    text = print();
    promtool = popen("promtool check metrics 2>&1", "w");
    assert_non_null(promtool);
    assert_int_equal(fputs(text, promtool) >= 0, true);
    assert_int_equal(pclose(promtool), 0);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_addition_is_lost_between_threads),
        cmocka_unit_test(each_family_is_introduced_once),
        cmocka_unit_test(busy_time_is_printed_in_seconds),
        cmocka_unit_test(the_process_is_described),
        cmocka_unit_test(short_memory_gives_no_page),
        cmocka_unit_test(promtool_finds_no_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
