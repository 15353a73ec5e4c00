/* When a connection wakes: for many bytes at once, for few where no more come.
 * Speaks no protocol. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "client/lib/clock.h"
#include "client/lib/connection.h"

#define MUCH (8u << 20)

struct pair {
    struct connection connection;
    int sender;
    uint8_t *sent, *received; /* MUCH bytes each */
};

static void connect_pair(struct pair *p)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int receiver = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
    assert_int_equal(connect(receiver, (struct sockaddr *)&a, n), 0);
    p->sender = accept(listener, NULL, NULL);
    assert_true(p->sender >= 0);
    close(listener);
    connection_init(&p->connection, -1, NULL, NULL);
    assert_int_equal(connection_adopt(&p->connection, receiver), 0);
    p->sent = calloc(1, MUCH);
    p->received = calloc(1, MUCH);
}

static void close_pair(struct pair *p)
{
    connection_close(&p->connection);
    close(p->sender);
    free(p->sent);
    free(p->received);
}

static size_t read_some(struct pair *p)
{
    struct fault fault = {0};
    size_t n = 0;
    int rc = connection_read_some(&p->connection, p->received, MUCH,
                                  clock_after_ms(20000), &n, &fault);
    assert_int_equal(rc, 0);
    assert_true(n > 0);
    return n;
}

static void *send_after_a_while(void *raw)
{
    struct pair *p = raw;
    const struct timespec while_ns = {.tv_nsec = 50000000};
    nanosleep(&while_ns, NULL);
    return write(p->sender, p->sent, 1000) == 1000 ? p : NULL;
}

/* A link that brings little is read as the bytes come. */
static void few_bytes_are_given_before_many_come(void **state)
{
    struct pair p;
    pthread_t thread;
    void *sent;
    connect_pair(&p);
    assert_int_equal(pthread_create(&thread, NULL, send_after_a_while, &p), 0);
    const int64_t begin_ns = clock_now_ns();
    assert_int_equal(read_some(&p), 1000);
    assert_true(clock_now_ns() - begin_ns < 10000 * CLOCK_NS_PER_MS);
    assert_int_equal(pthread_join(thread, &sent), 0);
    assert_non_null(sent);
    close_pair(&p);
}

static void *send_much(void *raw)
{
    struct pair *p = raw;
    for (size_t at = 0; at < MUCH;) {
        ssize_t n = write(p->sender, p->sent + at, MUCH - at);
        if (n <= 0)
            return NULL;
        at += (size_t)n;
    }
    return p;
}

/* The mark of a batch that was waited for does not hold up the next frame. */
static void a_frame_wakes_after_a_batch(void **state)
{
    struct pair p;
    pthread_t thread;
    void *sent;
    bool readable = false;
    connect_pair(&p);
    assert_int_equal(pthread_create(&thread, NULL, send_much, &p), 0);
    for (size_t n = 0; n < MUCH;)
        n += read_some(&p);
    assert_int_equal(pthread_join(thread, &sent), 0);
    assert_non_null(sent);
    assert_int_equal(write(p.sender, p.sent, 32), 32);
    assert_int_equal(
        connection_wait(&p.connection, clock_after_ms(20000), &readable), 0);
    assert_true(readable);
    assert_int_equal(read_some(&p), 32);
    close_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_bytes_are_given_before_many_come),
        cmocka_unit_test(a_frame_wakes_after_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
