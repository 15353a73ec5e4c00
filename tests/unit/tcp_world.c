/* A whole server in a thread. Tests nothing itself but that it ends clean. */
#include "tests/unit/tcp_world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "server/base/log.h"
#include "server/base/metrics.h"
#include "server/serve/store.h"

#define BUDGET_BYTES (64u << 20)

static struct catalog *catalog;

int world_setup_group(void **state)
{
    struct fault fault = {0};
    struct pool_config config = {
        .demo = true, .n_threads = 2, .limits = pool_limits_default()};
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_ERROR);
    int status = catalog_load(&config, &catalog, &fault);
    if (status != 0)
        print_error("%s\n", fault.text);
    return status;
}

int world_teardown_group(void **state)
{
    catalog_unref(catalog);
    return 0;
}

struct tcp_config world_config(void)
{
    struct tcp_config config = tcp_config_default();
    config.port = 0;
    return config;
}

static struct stream *make_stream(const char *name, int32_t side,
                                  uint32_t batch, uint8_t dtype)
{
    struct fault fault = {0};
    struct recipe recipe;
    struct stream *stream = NULL;
    recipe_default(&recipe);
    recipe.height = recipe.width = side;
    recipe.batch = batch;
    recipe.output.dtype = dtype;
    int status = stream_create(name, catalog, &recipe, &stream, &fault);
    if (status != 0)
        print_error("%s\n", fault.text);
    assert_int_equal(status, 0);
    return stream;
}

static void on_wake(uv_async_t *wake)
{
    struct world *w = wake->data;
    pthread_mutex_lock(&w->mutex);
    if (w->call) {
        w->call(w, w->argument);
        w->call = NULL;
        w->called = true;
        pthread_cond_signal(&w->done);
    }
    pthread_mutex_unlock(&w->mutex);
}

static void *run_loop(void *argument)
{
    struct world *w = argument;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    return NULL;
}

void world_start(struct world *w, const struct tcp_config *config)
{
    struct fault fault = {0};
    const struct store_config store = {.budget_bytes = BUDGET_BYTES,
                                       .epoch_budget_bytes = 16u << 20,
                                       .max_queued = 64,
                                       .max_samples = 1024};
    memset(w, 0, sizeof *w);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->done, NULL);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(uv_async_init(&w->loop, &w->wake, on_wake), 0);
    w->wake.data = w;
    assert_int_equal(workers_create(&w->loop, 2, &w->workers, &fault), 0);
    assert_int_equal(store_create(w->workers, &store, &w->store, &fault), 0);
    w->streams.n_streams = 2;
    w->streams.stream[0] = make_stream(SMALL, 16, 8, TENSOR_U8);
    w->streams.stream[1] = make_stream(LARGE, 64, LARGE_BATCH, TENSOR_F32);
    if (tcp_server_create(&w->loop, w->store, &w->streams, config, &w->server,
                          &fault) != 0)
        print_error("%s\n", fault.text);
    assert_non_null(w->server);
    w->port = tcp_server_port(w->server);
    assert_int_equal(pthread_create(&w->thread, NULL, run_loop, w), 0);
}

void world_call(struct world *w, void (*call)(struct world *w, void *argument),
                void *argument)
{
    pthread_mutex_lock(&w->mutex);
    w->call = call;
    w->argument = argument;
    w->called = false;
    uv_async_send(&w->wake);
    while (!w->called)
        pthread_cond_wait(&w->done, &w->mutex);
    pthread_mutex_unlock(&w->mutex);
}

static void stop_server(struct world *w, void *argument)
{
    tcp_server_close(w->server);
    uv_close((uv_handle_t *)&w->wake, NULL);
    uv_stop(&w->loop);
}

void world_stop(struct world *w)
{
    world_call(w, stop_server, NULL);
    pthread_join(w->thread, NULL);
    /* From here on this thread is the loop's. */
    workers_destroy(w->workers);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    tcp_server_destroy(w->server);
    store_destroy(w->store); /* asserts that every batch came back */
    for (uint32_t i = 0; i < w->streams.n_streams; i++)
        stream_destroy(w->streams.stream[i]);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    pthread_mutex_destroy(&w->mutex);
    pthread_cond_destroy(&w->done);
}

static void get_sessions(struct world *w, void *argument)
{
    *(uint32_t *)argument = tcp_server_sessions(w->server);
}

uint32_t world_sessions(struct world *w)
{
    uint32_t n = 0;
    world_call(w, get_sessions, &n);
    return n;
}

static void get_ahead_bytes(struct world *w, void *argument)
{
    *(uint64_t *)argument = w->server->ahead_bytes;
}

uint64_t world_ahead_bytes(struct world *w)
{
    uint64_t n = 0;
    world_call(w, get_ahead_bytes, &n);
    return n;
}

static void drain(struct world *w, void *argument)
{
    tcp_server_drain(w->server, *(uint32_t *)argument);
}

void world_drain(struct world *w, uint32_t grace_ms)
{
    world_call(w, drain, &grace_ms);
}

void world_sleep_ms(unsigned ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

void world_wait_sessions(struct world *w, uint32_t n)
{
    for (int i = 0; i < 1000 && world_sessions(w) != n; i++)
        world_sleep_ms(10);
    assert_int_equal(world_sessions(w), n);
}

void world_wait_composed(int64_t before, int64_t n)
{
    for (int i = 0; i < 1000; i++) {
        if (metric_get(METRIC_BATCHES_COMPOSED) >= before + n)
            return;
        world_sleep_ms(10);
    }
    fail_msg("no %d batches composed in 10 s", (int)n);
}
