/* Loads the pools on a thread of its own while the loop already answers.
 *
 *   loop                       loading thread
 *   loader_start  ---------->  catalog_load for each pool
 *   (timer reads progress) <--   atomics
 *   done(loader)  <--uv_async-   finished
 *
 * Threads: start, progress and done on the loop. */
#ifndef PASTED_DAEMON_LOADER_H
#define PASTED_DAEMON_LOADER_H

#include <stdatomic.h>

#include <uv.h>

#include "server/daemon/config.h"

struct loader {
    const struct config *config;
    void (*done)(struct loader *loader);
    void *context;
    /* Once done: 0, or a negative code and why. */
    int status;
    struct fault fault;
    struct catalog *catalog[CONFIG_MAX_POOLS]; /* one reference each */
    /* Private. */
    uv_async_t async;
    uv_timer_t timer;
    uv_thread_t thread;
    _Atomic uint32_t pool; /* being loaded */
    _Atomic uint64_t n_done, n_total;
    uint32_t shown_pool;
    uint64_t shown_percent;
    bool is_tty;
};

/* Caller's memory, zeroed, alive until done and until its handles are closed.
 * -ERROR_NO_MEMORY when no thread can be had. */
int loader_start(struct loader *l, uv_loop_t *loop, struct fault *fault);

#endif
