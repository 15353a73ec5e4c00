/* Every allocation of the client fails once, one after the other: the call
 * says so or the client recovers; nothing crashes, nothing leaks (the
 * sanitizers look). The fake server is a process of its own, so that only the
 * client's allocations are counted. With URLs as arguments, against daemons:
 * what the fake one does not speak, groups and shared memory. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/client_rig.h"

static atomic_int countdown; /* 0: none fails; n: the nth from here does */
static atomic_bool failed;
static char **given_urls; /* NULL: the fake server */

static bool must_fail(void)
{
    int left = atomic_load(&countdown);
    while (left > 0)
        if (atomic_compare_exchange_weak(&countdown, &left, left - 1)) {
            if (left == 1)
                atomic_store(&failed, true);
            return left == 1;
        }
    return false;
}

/* ld's --wrap sends the library's calls here. */
void *__real_malloc(size_t n_bytes);
void *__real_calloc(size_t n, size_t n_bytes);
void *__real_realloc(void *old, size_t n_bytes);
void *__real_aligned_alloc(size_t alignment, size_t n_bytes);
void *__wrap_malloc(size_t n_bytes);
void *__wrap_calloc(size_t n, size_t n_bytes);
void *__wrap_realloc(void *old, size_t n_bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t n_bytes);

void *__wrap_malloc(size_t n_bytes)
{
    return must_fail() ? NULL : __real_malloc(n_bytes);
}

void *__wrap_calloc(size_t n, size_t n_bytes)
{
    return must_fail() ? NULL : __real_calloc(n, n_bytes);
}

void *__wrap_realloc(void *old, size_t n_bytes)
{
    return must_fail() ? NULL : __real_realloc(old, n_bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n_bytes)
{
    return must_fail() ? NULL : __real_aligned_alloc(alignment, n_bytes);
}

/* Serves until killed. */
static pid_t start_server(uint16_t *out_port)
{
    static const struct fake_behaviour good = {0};
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        uint16_t port = fake_port(fake_start(0, &good, 1));
        if (write(fds[1], &port, sizeof port) == sizeof port)
            pause();
        _exit(1);
    }
    assert_int_equal(read(fds[0], out_port, sizeof *out_port),
                     sizeof *out_port);
    close(fds[0]);
    close(fds[1]);
    return child;
}

/* Two steps and a pull, each tried again when memory was short. */
static void use(pasted_client *c)
{
    for (int i = 0; i < 3; i++) {
        pasted_batch *b = NULL;
        int rc;
        do
            rc = i < 2 ? pasted_next(c, &b) : pasted_pull(c, 400, &b);
        while (rc == PASTED_NO_MEMORY);
        assert_int_equal(rc, PASTED_OK);
        assert_int_equal(
            rig_check(b, i < 2 ? (uint64_t)i * FAKE_G : 400, FAKE_G), 0);
        pasted_batch_release(b);
    }
}

#define N_STEPS 3
static struct reference {
    uint8_t *image;
    uint64_t n_bytes;
} reference[N_STEPS];

/* Keeps the image of step i, or compares it. */
static void check_again(const pasted_batch *b, int i)
{
    struct reference *r = &reference[i];
    struct pasted_tensor image;
    assert_int_equal(pasted_batch_tensor(b, "image", &image), PASTED_OK);
    if (r->image == NULL) {
        r->image = __real_malloc((size_t)image.n_bytes);
        assert_non_null(r->image);
        memcpy(r->image, image.data, (size_t)image.n_bytes);
        r->n_bytes = image.n_bytes;
    }
    assert_int_equal(r->n_bytes, image.n_bytes);
    assert_memory_equal(r->image, image.data, (size_t)image.n_bytes);
}

static void forget_reference(void)
{
    for (int i = 0; i < N_STEPS; i++) {
        free(reference[i].image);
        reference[i] = (struct reference){0};
    }
}

/* A daemon's stream, or its group: there any step may come next. */
static void use_daemon(pasted_client *c, bool group)
{
    for (int i = 0; i < N_STEPS; i++) {
        pasted_batch *b = NULL;
        int rc;
        do
            rc = i < 2 || group ? pasted_next(c, &b) : pasted_pull(c, 400, &b);
        while (rc == PASTED_NO_MEMORY);
        if (rc != PASTED_OK)
            fail_msg("%s", pasted_error(c));
        if (!group)
            check_again(b, i);
        pasted_batch_release(b);
        rc = group ? pasted_ack(c) : PASTED_OK;
        assert_true(rc == PASTED_OK || rc == PASTED_NO_MEMORY ||
                    rc == PASTED_LEASE_LOST);
    }
}

static void run_once(const char *url)
{
    pasted_client *c = pasted_create();
    if (c == NULL)
        return;
    int rc = pasted_open(c, url);
    if (rc == PASTED_OK && given_urls != NULL)
        use_daemon(c, strstr(url, "group=") != NULL);
    else if (rc == PASTED_OK)
        use(c);
    else
        assert_int_equal(rc, PASTED_NO_MEMORY);
    pasted_destroy(c);
}

/* How many allocations there are. */
static int fail_each(const char *url)
{
    int n = 0;
    do {
        n++;
        atomic_store(&failed, false);
        atomic_store(&countdown, n);
        run_once(url);
        atomic_store(&countdown, 0);
    } while (atomic_load(&failed) && n < 1000);
    assert_true(n > 8 && n < 1000); /* it did count */
    return n - 1;
}

static void each_allocation_may_fail(void **state)
{
    uint16_t port = 0;
    char url[64];
    pid_t server = start_server(&port);
    snprintf(url, sizeof url, "pasted://127.0.0.1:%u?prefetch=1", port);
    fail_each(url);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}

static void each_allocation_may_fail_at_a_daemon(void **state)
{
    for (char **url = given_urls; *url != NULL; url++) {
        run_once(*url);
        print_message("%s: %d allocations\n", *url, fail_each(*url));
        forget_reference();
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest fake[] = {
        cmocka_unit_test(each_allocation_may_fail),
    };
    const struct CMUnitTest real[] = {
        cmocka_unit_test(each_allocation_may_fail_at_a_daemon),
    };
    if (argc == 1)
        return cmocka_run_group_tests(fake, NULL, NULL);
    given_urls = argv + 1;
    return cmocka_run_group_tests(real, NULL, NULL);
}
