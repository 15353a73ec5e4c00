/* One name with many addresses: a headless service of Kubernetes, a round robin
 * in DNS. getaddrinfo is this file's own; the sockets are real. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/lib/clock.h"
#include "tests/unit/client_rig.h"

#define MAX_PORTS 8

/* What the name stands for now: addresses that differ in their ports. The
 * client's thread asks while the test's changes it. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint16_t ports[MAX_PORTS];
static int n_ports;
static int n_lookups;

struct entry {
    struct addrinfo info;
    struct sockaddr_in at;
};

int getaddrinfo(const char *node, const char *service,
                const struct addrinfo *hints, struct addrinfo **out)
{
    struct entry *e = calloc(MAX_PORTS, sizeof *e);
    if (e == NULL)
        return EAI_MEMORY;
    pthread_mutex_lock(&mutex);
    n_lookups++;
    const int n = strcmp(node, "replicas.example") == 0 ? n_ports : 0;
    for (int i = 0; i < n; i++) {
        e[i].at.sin_family = AF_INET;
        e[i].at.sin_port = htons(ports[i]);
        e[i].at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        e[i].info = (struct addrinfo){
            .ai_family = AF_INET,
            .ai_socktype = SOCK_STREAM,
            .ai_addr = (struct sockaddr *)&e[i].at,
            .ai_addrlen = sizeof e[i].at,
            .ai_next = i + 1 < n ? &e[i + 1].info : NULL,
        };
    }
    pthread_mutex_unlock(&mutex);
    if (n > 0)
        *out = &e[0].info;
    else
        free(e);
    return n > 0 ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
    free(list);
}

static void name_stands_for(int n, const uint16_t *port)
{
    pthread_mutex_lock(&mutex);
    n_ports = n;
    n_lookups = 0;
    memcpy(ports, port, (size_t)n * sizeof *port);
    pthread_mutex_unlock(&mutex);
}

static int lookups_since(void)
{
    pthread_mutex_lock(&mutex);
    const int n = n_lookups;
    pthread_mutex_unlock(&mutex);
    return n;
}

static const struct fake_behaviour good = {0};

static int open_name(const char *options, pasted_client **out)
{
    char url[256] = "pasted://replicas.example/first?";
    strcat(url, options);
    *out = pasted_create();
    assert_non_null(*out);
    return pasted_open(*out, url);
}

static int listener(uint16_t *out_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *out_port = ntohs(a.sin_port);
    return fd;
}

static void a_port_that_refuses_hides_nobody(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c;
    uint16_t port[3];
    int fd = listener(&port[0]); /* bound, not listening: refused */
    port[1] = port[0];
    port[2] = fake_port(f);
    name_stands_for(3, port);
    for (int i = 0; i < 6; i++) { /* wherever it begins */
        assert_int_equal(open_name("", &c), 0);
        rig_expect(c, 0, FAKE_G);
        pasted_destroy(c);
    }
    close(fd);
    fake_stop(f);
}

/* A server that accepts and stays silent takes its share of the time only. */
static void a_silent_address_leaves_time_for_the_others(void **state)
{
    struct fake_behaviour silent = {.greeting = FAKE_NO_WELCOME};
    struct fake_server *f = fake_start(0, &good, 1);
    struct fake_server *g = fake_start(0, &silent, 1);
    pasted_client *c;
    const uint16_t port[] = {fake_port(g), fake_port(g), fake_port(f)};
    name_stands_for(3, port);
    for (int i = 0; i < 4; i++) {
        int64_t begun = clock_now_ns();
        assert_int_equal(open_name("connect_timeout_ms=900", &c), 0);
        assert_true(clock_now_ns() - begun < 900 * CLOCK_NS_PER_MS);
        rig_expect(c, 0, FAKE_G);
        pasted_destroy(c);
    }
    fake_stop(f);
    fake_stop(g);
}

static void clients_spread_over_the_addresses(void **state)
{
    struct fake_server *f[3];
    uint16_t port[3];
    for (int i = 0; i < 3; i++) {
        f[i] = fake_start(0, &good, 1);
        port[i] = fake_port(f[i]);
    }
    name_stands_for(3, port);
    for (int i = 0; i < 48; i++) {
        pasted_client *c;
        assert_int_equal(open_name("", &c), 0);
        pasted_destroy(c);
    }
    for (int i = 0; i < 3; i++) {
        assert_true(fake_counts(f[i]).connections >= 4);
        fake_stop(f[i]);
    }
}

static void a_dead_replica_is_left_for_another_of_the_name(void **state)
{
    struct fake_server *f[2] = {fake_start(0, &good, 1),
                                fake_start(0, &good, 1)};
    const uint16_t port[] = {fake_port(f[0]), fake_port(f[1])};
    pasted_client *c;
    name_stands_for(2, port);
    assert_int_equal(open_name("prefetch=1", &c), 0);
    rig_expect(c, 0, FAKE_G);
    int used = fake_counts(f[0]).connections > 0 ? 0 : 1;
    fake_stop(f[used]);
    for (uint64_t step = 1; step < 9; step++)
        rig_expect(c, step * FAKE_G, FAKE_G);
    assert_true(fake_counts(f[!used]).connections > 0);
    pasted_destroy(c);
    fake_stop(f[!used]);
}

static void a_moved_server_is_found_because_names_are_asked_again(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    uint16_t port = fake_port(f);
    pasted_client *c;
    name_stands_for(1, &port);
    assert_int_equal(open_name("prefetch=1", &c), 0);
    rig_expect(c, 0, FAKE_G);
    struct fake_server *g = fake_start(0, &good, 1);
    port = fake_port(g);
    name_stands_for(1, &port);
    fake_stop(f);
    for (uint64_t step = 1; step < 9; step++)
        rig_expect(c, step * FAKE_G, FAKE_G);
    assert_true(lookups_since() > 0);
    pasted_destroy(c);
    fake_stop(g);
}

/* One replica of the name was rolled out with another recipe. */
static void a_replica_with_another_fingerprint_is_passed_over(void **state)
{
    struct fake_behaviour other = {.fingerprint = 7};
    struct fake_server *f[3] = {fake_start(0, &good, 1),
                                fake_start(0, &other, 1),
                                fake_start(0, &good, 1)};
    uint16_t port[] = {fake_port(f[0])};
    const uint16_t later[] = {fake_port(f[1]), fake_port(f[2])};
    pasted_client *c;
    name_stands_for(1, port);
    assert_int_equal(open_name("prefetch=1", &c), 0);
    rig_expect(c, 0, FAKE_G);
    name_stands_for(2, later);
    fake_stop(f[0]);
    for (uint64_t step = 1; step < 9; step++)
        rig_expect(c, step * FAKE_G, FAKE_G);
    pasted_destroy(c);
    fake_stop(f[1]);
    fake_stop(f[2]);
}

static void only_others_give_up_with_the_reason(void **state)
{
    struct fake_behaviour other = {.greeting = FAKE_REFUSE_OPEN,
                                   .code = ERROR_FINGERPRINT};
    struct fake_server *f = fake_start(0, &other, 1);
    const uint16_t port[] = {fake_port(f), fake_port(f)};
    pasted_client *c;
    name_stands_for(2, port);
    assert_int_equal(open_name("", &c), PASTED_FINGERPRINT);
    assert_non_null(strstr(pasted_error(c), "replicas.example"));
    assert_int_equal(fake_counts(f).connections, 2);
    pasted_destroy(c);
    fake_stop(f);
}

/* The other replica may come back: nothing is final yet. */
static void one_refusal_beside_a_dead_replica_is_not_the_end(void **state)
{
    struct fake_behaviour other = {.fingerprint = 7};
    struct fake_server *f[2] = {fake_start(0, &good, 1),
                                fake_start(0, &other, 1)};
    uint16_t port[2] = {fake_port(f[0])};
    pasted_client *c;
    pasted_batch *batch;
    int fd = listener(&port[1]);
    name_stands_for(1, port);
    assert_int_equal(open_name("prefetch=1&timeout_ms=400", &c), 0);
    rig_expect(c, 0, FAKE_G);
    port[0] = fake_port(f[1]);
    name_stands_for(2, port);
    fake_stop(f[0]);
    int rc;
    while ((rc = pasted_next(c, &batch)) == 0)
        pasted_batch_release(batch);
    assert_int_equal(rc, PASTED_TIMEOUT);
    pasted_destroy(c);
    close(fd);
    fake_stop(f[1]);
}

static void a_name_that_does_not_resolve_says_so(void **state)
{
    pasted_client *c;
    name_stands_for(0, &(uint16_t){0});
    assert_int_equal(open_name("", &c), PASTED_CLOSED);
    assert_non_null(strstr(pasted_error(c), "replicas.example:7700"));
    pasted_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_that_refuses_hides_nobody),
        cmocka_unit_test(a_silent_address_leaves_time_for_the_others),
        cmocka_unit_test(clients_spread_over_the_addresses),
        cmocka_unit_test(a_dead_replica_is_left_for_another_of_the_name),
        cmocka_unit_test(a_moved_server_is_found_because_names_are_asked_again),
        cmocka_unit_test(a_replica_with_another_fingerprint_is_passed_over),
        cmocka_unit_test(only_others_give_up_with_the_reason),
        cmocka_unit_test(one_refusal_beside_a_dead_replica_is_not_the_end),
        cmocka_unit_test(a_name_that_does_not_resolve_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
