/* The loading thread, and its progress as one line of the terminal or as a
 * record of the log every tenth. Decodes nothing itself.
 * Threads: loader_run() is the loading thread; all else is the loop's. */
#include "server/daemon/loader.h"

#include <stdio.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/daemon/notify.h"

#define PROGRESS_MS 100

static void on_progress(void *context, uint64_t n_done, uint64_t n_total)
{
    struct loader *l = context;

    atomic_store_explicit(&l->n_total, n_total, memory_order_relaxed);
    atomic_store_explicit(&l->n_done, n_done, memory_order_relaxed);
}

/* Outlines are kept where some stream of the pool asks for them. */
static bool wants_strokes(const struct config *c, uint32_t pool)
{
    for (uint32_t i = 0; i < c->n_streams; i++)
        if (c->streams[i].pool == pool &&
            recipe_wants_strokes(&c->streams[i].recipe))
            return true;
    return false;
}

static int load_pool(struct loader *l, uint32_t i, uint64_t limit_bytes)
{
    const struct config_pool *p = &l->config->pools[i];
    struct pool_config pool = {
        .demo = p->demo,
        .objects_path = p->objects,
        .backgrounds_path = p->backgrounds,
        .classes = (const char *const *)p->classes,
        .n_classes = p->n_classes,
        .matte = (enum pool_matte)p->matte,
        .split = (enum pool_split)p->split,
        .max_side = (int32_t)p->max_side,
        .strokes = wants_strokes(l->config, i),
        .strict = p->strict,
        .memory_limit_bytes = limit_bytes,
        .n_threads = (uint32_t)l->config->workers,
        .limits = pool_limits_default(),
        .progress = on_progress,
        .progress_context = l,
    };

    atomic_store(&l->n_done, 0);
    atomic_store(&l->n_total, 0);
    atomic_store(&l->pool, i);
    int rc = catalog_load(&pool, &l->catalog[i], &l->fault);
    return rc ? fault_prefix(&l->fault, "pool \"%s\"", p->name) : 0;
}

/* What earlier pools took is no longer there for the next. */
static void loader_run(void *argument)
{
    struct loader *l = argument;
    uint64_t left = l->config->memory_limit_bytes;

    for (uint32_t i = 0; l->status == 0 && i < l->config->n_pools; i++) {
        l->status = load_pool(l, i, left);
        if (l->status || left == 0)
            continue;
        uint64_t taken = l->catalog[i]->image_bytes;
        left = left > taken ? left - taken : 1; /* 0 would be no limit */
    }
    uv_async_send(&l->async);
}

static void show(struct loader *l)
{
    uint32_t i = atomic_load(&l->pool);
    uint64_t n_total = atomic_load_explicit(&l->n_total, memory_order_relaxed);
    uint64_t n_done = atomic_load_explicit(&l->n_done, memory_order_relaxed);
    uint64_t percent = n_total ? n_done * 100 / n_total : 0;
    const char *name = l->config->pools[i].name;

    if (n_total == 0 || (i == l->shown_pool && percent == l->shown_percent))
        return;
    bool tenth = i != l->shown_pool || percent / 10 != l->shown_percent / 10;
    l->shown_pool = i;
    l->shown_percent = percent;
    if (l->is_tty)
        fprintf(stderr,
                "\r\033[Kloading pool %s: %llu of %llu images (%llu %%)", name,
                (unsigned long long)n_done, (unsigned long long)n_total,
                (unsigned long long)percent);
    else if (tenth)
        log_info("loading pool %s: %llu of %llu images (%llu %%)", name,
                 (unsigned long long)n_done, (unsigned long long)n_total,
                 (unsigned long long)percent);
    if (tenth)
        notify_send("STATUS=loading pool %s: %llu %%", name,
                    (unsigned long long)percent);
}

static void on_timer(uv_timer_t *timer)
{
    show(timer->data);
}

static void on_finished(uv_async_t *async)
{
    struct loader *l = async->data;

    uv_thread_join(&l->thread);
    show(l);
    if (l->is_tty && l->shown_percent)
        fputc('\n', stderr);
    uv_close((uv_handle_t *)&l->async, NULL);
    uv_close((uv_handle_t *)&l->timer, NULL);
    l->done(l);
}

int loader_start(struct loader *l, uv_loop_t *loop, struct fault *fault)
{
    l->is_tty = isatty(STDERR_FILENO);
    l->async.data = l->timer.data = l;
    int rc = uv_async_init(loop, &l->async, on_finished);
    if (rc)
        return fault_set(fault, ERROR_IO, "async handle: %s", uv_strerror(rc));
    uv_timer_init(loop, &l->timer);
    rc = uv_thread_create(&l->thread, loader_run, l);
    if (rc) {
        uv_close((uv_handle_t *)&l->async, NULL);
        uv_close((uv_handle_t *)&l->timer, NULL);
        return fault_set(fault, ERROR_NO_MEMORY, "loading thread: %s",
                         uv_strerror(rc));
    }
    uv_timer_start(&l->timer, on_timer, PROGRESS_MS, PROGRESS_MS);
    return 0;
}
