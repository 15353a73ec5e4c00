/* Work for a request that waits: a batch or a graph from the store, then one
 * job on a worker that makes the bytes of the answer.
 * Threads: begun and ended on the loop; make() runs on a worker.
 *
 *   begin -> FETCHING (store) -> MAKING (worker) -> answer -> freed
 *               |  detach: cancelled     |  detach: result thrown away
 */
#ifndef PASTED_HTTP_WORK_H
#define PASTED_HTTP_WORK_H

#include <stdatomic.h>

#include "server/encode/encode.h"
#include "server/http/request.h"
#include "server/serve/store.h"

struct http_work {
    struct http_request *request; /* NULL once nobody waits any more */
    struct http_server *server;
    /* What is wanted; written before the work begins. */
    struct stream *stream;
    uint64_t position; /* first position, or the epoch */
    uint32_t n_samples;
    uint32_t n_candidates; /* 0 is 1 */
    uint32_t candidate;    /* of a plan */
    uint8_t dtype, layout; /* 0: the recipe's */
    enum worker_class class;
    struct feedback *feedback; /* the request's, one reference; NULL: none */
    const char *media;
    /* On a worker: fills body, or returns a negative code with fault. */
    int (*make)(struct http_work *w);
    /* What make() works on: batch, or edge, or graph. */
    struct batch *batch;
    struct graph_edge edge, earlier; /* earlier: of a chain's slot before */
    struct graph_epoch *graph;       /* pinned */
    bool wants_graph;
    /* What it leaves. */
    struct encoded body;
    struct fault fault;
    int status;
    /* Private to work.c. */
    struct store_request fetch;
    struct epoch_request epoch;
    struct worker_job job;
    bool fetching;
    _Atomic bool abandoned; /* loop writes, worker reads: skip the work */
};

/* A zeroed work for the request, or NULL after it has answered. */
struct http_work *http_work_create(struct http_request *r,
                                   struct stream *stream);
/* Both take w over and answer r, now or later. body_bytes: a bound on what
 * make() allocates; more than the server's budget is answered with 503. */
void http_work_on_batch(struct http_work *w, uint64_t body_bytes);
void http_work_on_epoch(struct http_work *w);
/* Makes json (taken over; NULL: no memory) w's body. For make(). */
int http_work_set_json(struct http_work *w, json_t *json);
/* Nobody waits for r->work any more. */
void http_work_detach(struct http_request *r);

#endif
