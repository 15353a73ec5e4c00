/* The HTTP server on a loop: readiness, slow clients, deadlines, closing with
 * requests under way, memory that runs out. Routes as users see them are
 * tested in tests/e2e. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/http/http.h"
#include "tests/unit/serve_rig.h"

#define PATIENCE_MS 20000

struct server {
    struct rig rig;
    struct http_config config;
    struct http_server *http;
    struct stream_set streams;
    struct stream *stream;
};

static void server_start(struct server *s, bool ready)
{
    struct store_config store = rig_config();
    struct fault fault = {0};

    rig_start(&s->rig, 1, &store);
    s->streams.n_streams = 0;
    s->stream = rig_stream(RIG_RECIPE);
    if (http_server_create(&s->rig.loop, s->rig.workers, s->rig.store,
                           &s->streams, &s->config, &s->http, &fault))
        fail_msg("%s", fault.text);
    if (ready) {
        s->streams.stream[s->streams.n_streams++] = s->stream;
        http_server_set_ready(s->http, true);
    }
}

static void server_init(struct server *s)
{
    memset(s, 0, sizeof(*s));
    s->config = http_config_default();
    s->config.port = 0;
}

static void server_stop(struct server *s)
{
    http_server_close(s->http);
    rig_settle(&s->rig);
    http_server_destroy(s->http);
    rig_stop(&s->rig);
    stream_destroy(s->stream);
}

static int client_open(const struct server *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(s->http)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void client_send(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void turn(struct server *s)
{
    struct timespec nap = {0, 1000000};

    uv_run(&s->rig.loop, UV_RUN_NOWAIT);
    nanosleep(&nap, NULL);
}

/* Turns the loop until the peer has closed; what came stands in out. Returns
 * the milliseconds that it took. */
static uint64_t read_to_end(struct server *s, int fd, char *out, size_t room)
{
    uint64_t begin = host_now_ns();
    size_t n = 0;

    for (;;) {
        ssize_t got = recv(fd, out + n, room - 1 - n, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            break;
        if (got > 0)
            n += (size_t)got;
        else
            turn(s);
        assert_true(host_now_ns() - begin < PATIENCE_MS * 1000000ull);
    }
    out[n] = '\0';
    return (host_now_ns() - begin) / 1000000;
}

static int ask_path(struct server *s, const char *path, char *out, size_t room)
{
    char text[256];
    int fd = client_open(s);

    snprintf(text, sizeof(text),
             "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    client_send(fd, text);
    read_to_end(s, fd, out, room);
    close(fd);
    return out[0] ? atoi(out + 9) : 0;
}

static void it_is_ready_when_told_and_then_stopping(void **state)
{
    char answer[4096];
    struct server s;

    server_init(&s);
    server_start(&s, false);
    assert_int_equal(ask_path(&s, "/livez", answer, sizeof(answer)), 200);
    assert_int_equal(ask_path(&s, "/readyz", answer, sizeof(answer)), 503);
    assert_non_null(strstr(answer, "\"loading\""));
    assert_non_null(strstr(answer, "Retry-After: 1"));
    static const char *const waiting[] = {"/v1/streams",
                                          "/v1/streams/s",
                                          "/v1/pools",
                                          "/v1/streams/s/graph",
                                          "/v1/streams/s/samples/0.png",
                                          "/v1/streams/s/batches/0.npz"};
    for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++)
        assert_int_equal(ask_path(&s, waiting[i], answer, sizeof(answer)), 503);
    s.streams.stream[s.streams.n_streams++] = s.stream;
    http_server_set_ready(s.http, true);
    assert_int_equal(ask_path(&s, "/readyz", answer, sizeof(answer)), 200);
    http_server_set_ready(s.http, false);
    assert_int_equal(ask_path(&s, "/readyz", answer, sizeof(answer)), 503);
    assert_non_null(strstr(answer, "\"stopping\""));
    server_stop(&s);
}

/* A request that trickles in, one byte now and then, is no idle connection to
 * MHD; our own deadline ends it. */
static void a_request_that_trickles_in_is_cut(void **state)
{
    uint64_t begin = host_now_ns();
    char answer[256];
    struct server s;
    ssize_t sent = 1;

    server_init(&s);
    s.config.idle_timeout_s = 1;
    server_start(&s, true);
    int fd = client_open(&s);
    client_send(fd, "GET / HTTP/1.1\r\n");
    while (sent == 1) {
        for (int i = 0; i < 50; i++)
            turn(&s);
        sent = send(fd, "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        assert_true(host_now_ns() - begin < PATIENCE_MS * 1000000ull);
    }
    read_to_end(&s, fd, answer, sizeof(answer));
    close(fd);
    assert_true(host_now_ns() - begin > 900 * 1000000ull);
    server_stop(&s);
}

/* MHD said nothing to a query that its memory of a connection could not hold,
 * and never completed the request: the server could not stop any more. */
static void a_query_of_thousands_of_keys_is_cut_and_forgotten(void **state)
{
    char text[8192] = "GET /?", answer[256];
    struct server s;
    size_t n = strlen(text);

    for (; n < 6000; n += 4)
        memcpy(text + n, "a=1&", 4);
    strcpy(text + n, " HTTP/1.1\r\nHost: x\r\n\r\n");
    server_init(&s);
    server_start(&s, true);
    int fd = client_open(&s);
    client_send(fd, text);
    read_to_end(&s, fd, answer, sizeof(answer));
    close(fd);
    while (http_server_busy(s.http) > 0)
        turn(&s);
    assert_int_equal(ask_path(&s, "/livez", answer, sizeof(answer)), 200);
    server_stop(&s);
}

static void an_idle_connection_is_closed(void **state)
{
    char answer[256];
    struct server s;

    server_init(&s);
    s.config.idle_timeout_s = 1;
    server_start(&s, true);
    int fd = client_open(&s);
    uint64_t took_ms = read_to_end(&s, fd, answer, sizeof(answer));
    assert_true(took_ms > 500);
    assert_string_equal(answer, "");
    close(fd);
    server_stop(&s);
}

/* Keeps the only worker busy until it is let go. */
struct plug {
    struct worker_job job;
    _Atomic bool go, gone;
};

static void plug_run(struct worker_job *job, uint32_t part, uint32_t worker)
{
    struct plug *p = (struct plug *)job;
    struct timespec nap = {0, 1000000};

    while (!atomic_load(&p->go))
        nanosleep(&nap, NULL);
}

static void plug_done(struct worker_job *job)
{
    atomic_store(&((struct plug *)job)->gone, true);
}

static void plug_in(struct server *s, struct plug *p)
{
    memset(p, 0, sizeof(*p));
    p->job =
        (struct worker_job){.n_parts = 1, .run = plug_run, .done = plug_done};
    workers_submit(s->rig.workers, &p->job);
}

static void work_that_takes_too_long_is_answered_with_504(void **state)
{
    static const char *const paths[] = {
        "/v1/streams/s/batches/0.npz?batch=4", "/v1/streams/s/samples/0.json",
        "/v1/streams/s/samples/0.png", "/v1/streams/s/graph?epoch=3"};
    char answer[4096];
    struct server s;
    struct plug plug;

    server_init(&s);
    s.config.request_timeout_ms = 150;
    server_start(&s, true);
    plug_in(&s, &plug);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_int_equal(ask_path(&s, paths[i], answer, sizeof(answer)), 504);
        assert_non_null(strstr(answer, "within 150 ms"));
    }
    atomic_store(&plug.go, true);
    rig_settle(&s.rig);
    assert_true(atomic_load(&plug.gone));
    s.config.request_timeout_ms = 20000;
    server_stop(&s);
}

static void closing_answers_who_waits(void **state)
{
    char answer[4096];
    struct server s;
    struct plug plug;

    server_init(&s);
    server_start(&s, true);
    plug_in(&s, &plug);
    int fd = client_open(&s), idle = client_open(&s);
    client_send(fd, "GET /v1/streams/s/batches/0.npz?batch=4 HTTP/1.1\r\n"
                    "Host: x\r\n\r\n");
    while (http_server_busy(s.http) == 0)
        turn(&s);
    for (int i = 0; i < 20; i++)
        turn(&s);
    http_server_close(s.http);
    read_to_end(&s, fd, answer, sizeof(answer));
    assert_int_equal(atoi(answer + 9), 503);
    assert_non_null(strstr(answer, "stopping"));
    close(fd);
    close(idle);
    atomic_store(&plug.go, true);
    server_stop(&s);
}

static void connections_per_address_are_bounded(void **state)
{
    char answer[256];
    struct server s;
    int fd[4];

    server_init(&s);
    s.config.max_connections_per_ip = 3;
    server_start(&s, true);
    for (int i = 0; i < 4; i++) {
        fd[i] = client_open(&s);
        for (int j = 0; j < 10; j++)
            turn(&s);
    }
    read_to_end(&s, fd[3], answer, sizeof(answer)); /* closed unheard */
    for (int i = 0; i < 4; i++)
        close(fd[i]);
    server_stop(&s);
}

/* At a limit MHD looks away from its listening socket. It once did so for ever
 * when all connections ended in one turn of the loop. */
static void expect_it_listens_again(struct server *s, uint32_t n)
{
    char answer[4096];
    int fd[8];

    assert_true(n <= 8);
    for (uint32_t i = 0; i < n; i++)
        fd[i] = client_open(s);
    for (int i = 0; i < 20; i++)
        turn(s);
    for (uint32_t i = 0; i < n; i++)
        close(fd[i]);
    assert_int_equal(ask_path(s, "/livez", answer, sizeof(answer)), 200);
}

static void all_connections_may_end_at_once(void **state)
{
    struct server s;

    server_init(&s);
    s.config.max_connections = 2;
    server_start(&s, true);
    for (int i = 0; i < 3; i++)
        expect_it_listens_again(&s, 2);
    server_stop(&s);
}

/* Descriptors for the clients of the test and for half as many answers. */
static void it_listens_again_when_there_are_descriptors(void **state)
{
    struct rlimit all, few;
    struct server s;
    int next;

    server_init(&s);
    server_start(&s, true);
    next = dup(0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = all;
    few.rlim_cur = (rlim_t)next + 12;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    expect_it_listens_again(&s, 8);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    server_stop(&s);
}

/* Each allocation in turn fails: an answer may be missing or a 5xx, but the
 * server stays and gives everything back. */
static void every_allocation_may_fail(void **state)
{
    static const char *const paths[] = {
        "/v1/streams/s/batches/0.npz?batch=2", "/v1/streams/s/samples/1.json",
        "/v1/streams/s/batches/0.png?batch=2", "/v1/streams/s/graph?epoch=1"};
    char answer[65536];
    struct server s;

    server_init(&s);
    server_start(&s, true);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        for (uint64_t nth = 1; nth < 16; nth++) {
            mem_fail_nth(nth);
            int status = ask_path(&s, paths[i], answer, sizeof(answer));
            assert_true(status == 0 || status == 200 || status >= 500);
        }
        mem_fail_nth(0);
        assert_int_equal(ask_path(&s, paths[i], answer, sizeof(answer)), 200);
    }
    server_stop(&s);
}

static void a_port_that_is_taken_is_refused(void **state)
{
    struct fault fault = {0};
    struct http_server *second;
    struct server s;

    server_init(&s);
    server_start(&s, true);
    s.config.port = http_server_port(s.http);
    assert_int_equal(http_server_create(&s.rig.loop, s.rig.workers, s.rig.store,
                                        &s.streams, &s.config, &second, &fault),
                     -ERROR_IO);
    assert_non_null(strstr(fault.text, "in use"));
    server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_ready_when_told_and_then_stopping),
        cmocka_unit_test(a_request_that_trickles_in_is_cut),
        cmocka_unit_test(a_query_of_thousands_of_keys_is_cut_and_forgotten),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(work_that_takes_too_long_is_answered_with_504),
        cmocka_unit_test(closing_answers_who_waits),
        cmocka_unit_test(connections_per_address_are_bounded),
        cmocka_unit_test(all_connections_may_end_at_once),
        cmocka_unit_test(it_listens_again_when_there_are_descriptors),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_port_that_is_taken_is_refused),
    };

    return cmocka_run_group_tests(tests, rig_make_catalog, rig_drop_catalog);
}
