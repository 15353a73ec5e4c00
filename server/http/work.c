/* Fetches from the store, has the answer made on a worker, answers. Knows no
 * route. Threads: loop thread, but for run_make(). */
#include "server/http/work.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/serve/epochs.h"

struct http_work *http_work_create(struct http_request *r,
                                   struct stream *stream)
{
    struct http_work *w = mem_calloc(1, sizeof(*w));

    if (!w) {
        http_fail(r, ERROR_NO_MEMORY, "no memory for this request");
        return NULL;
    }
    w->request = r;
    w->server = r->server;
    w->stream = stream;
    w->class = WORKER_SMALL;
    w->feedback = r->feedback ? feedback_ref(r->feedback) : NULL;
    r->work = w;
    r->server->n_works++;
    return w;
}

static void destroy(struct http_work *w)
{
    if (w->request)
        w->request->work = NULL;
    w->server->n_works--;
    batch_unref(w->batch);
    feedback_unref(w->feedback);
    if (w->graph)
        epoch_unpin(w->stream, w->position);
    mem_free(w->body.data);
    mem_free(w);
}

/* fault may be w's own, which goes first. */
static void fail(struct http_work *w, const struct fault *fault)
{
    struct http_request *r = w->request;
    struct fault kept = *fault;

    destroy(w);
    if (r)
        http_fail_fault(r, &kept);
}

static struct http_work *work_of_job(struct worker_job *job)
{
    void *work = (char *)job - offsetof(struct http_work, job);

    return work;
}

static void run_make(struct worker_job *job, uint32_t part, uint32_t worker)
{
    struct http_work *w = work_of_job(job);

    (void)part, (void)worker;
    assert(workers_here());
    w->status = atomic_load_explicit(&w->abandoned, memory_order_relaxed)
                    ? -ERROR_CANCELLED
                    : w->make(w);
}

static void on_made(struct worker_job *job)
{
    struct http_work *w = work_of_job(job);
    struct http_request *r = w->request;

    if (w->status) {
        if (!w->fault.code)
            fault_set(&w->fault, (enum error_code) - w->status, "%s",
                      error_sentence(w->status));
        fail(w, &w->fault);
        return;
    }
    struct http_body body = {w->body.data, w->body.n_bytes, mem_free};
    const char *media = w->media;
    if (r)
        w->body.data = NULL; /* the answer's now */
    destroy(w);
    if (r)
        http_answer(r, MHD_HTTP_OK, media, body);
}

int http_work_set_json(struct http_work *w, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;

    json_decref(json);
    if (!text)
        return -ERROR_NO_MEMORY;
    w->body.n_bytes = strlen(text);
    w->body.data = (uint8_t *)mem_strdup(text);
    free(text);
    return w->body.data ? 0 : -ERROR_NO_MEMORY;
}

static void submit(struct http_work *w)
{
    w->job.class = w->class;
    w->job.n_parts = 1;
    w->job.run = run_make;
    w->job.done = on_made;
    workers_submit(w->server->workers, &w->job);
}

static void on_batch(struct store_request *request, int status,
                     struct batch *batch, const struct fault *fault)
{
    struct http_work *w = request->context;

    w->fetching = false;
    if (status) {
        fail(w, fault);
        return;
    }
    w->batch = batch;
    submit(w);
}

void http_work_on_batch(struct http_work *w, uint64_t body_bytes)
{
    struct fault fault = {0};

    if (!http_request_reserve(w->request, body_bytes)) {
        fault_set(&fault, ERROR_OVERLOADED,
                  "too many large answers are under way");
        fail(w, &fault);
        return;
    }
    w->fetch = (struct store_request){
        .stream = w->stream,
        .first_position = w->position,
        .n_samples = w->n_samples,
        .n_candidates = w->n_candidates,
        .dtype = w->dtype,
        .layout = w->layout,
        .feedback = w->feedback,
        .checksum = CHECKSUM_NONE,
        .class = w->class,
        .done = on_batch,
        .context = w,
    };
    int rc = store_get(w->server->store, &w->fetch, &w->batch, &fault);
    if (rc < 0)
        fail(w, &fault);
    else if (rc > 0)
        submit(w);
    else
        w->fetching = true;
}

/* Where the sample that this one may be pasted on stands; false: nowhere. */
static bool find_earlier(const struct http_work *w, uint64_t *out_position)
{
    const uint32_t slots = w->stream->chain.slots;

    if (w->wants_graph || slots == 0 || w->position < slots)
        return false;
    *out_position = w->position - slots;
    return true;
}

static void on_earlier_epoch(struct epoch_request *request, int status,
                             struct graph_epoch *graph,
                             const struct fault *fault)
{
    struct http_work *w = request->context;
    uint64_t position = 0;

    if (status) {
        fail(w, fault);
        return;
    }
    if (!w->request) {
        destroy(w);
        return;
    }
    find_earlier(w, &position);
    w->earlier = graph_epoch_edge(graph, position % w->stream->edges_per_epoch);
    submit(w);
}

static void request_epoch(struct http_work *w, uint64_t epoch,
                          void (*done)(struct epoch_request *request,
                                       int status, struct graph_epoch *graph,
                                       const struct fault *fault))
{
    struct fault fault = {0};

    w->epoch = (struct epoch_request){
        .stream = w->stream, .epoch = epoch, .done = done, .context = w};
    if (store_epoch(w->server->store, &w->epoch, &fault) < 0)
        fail(w, &fault);
}

static void on_epoch(struct epoch_request *request, int status,
                     struct graph_epoch *graph, const struct fault *fault)
{
    struct http_work *w = request->context;
    uint64_t earlier;

    if (status) {
        fail(w, fault);
        return;
    }
    if (!w->request) {
        destroy(w);
        return;
    }
    w->edge = graph_epoch_edge(graph, w->position % w->stream->edges_per_epoch);
    if (w->wants_graph) {
        epoch_pin(w->stream, w->position);
        w->graph = graph;
    }
    if (find_earlier(w, &earlier))
        request_epoch(w, earlier / w->stream->edges_per_epoch,
                      on_earlier_epoch);
    else
        submit(w);
}

void http_work_on_epoch(struct http_work *w)
{
    request_epoch(w,
                  w->wants_graph ? w->position
                                 : w->position / w->stream->edges_per_epoch,
                  on_epoch);
}

void http_work_detach(struct http_request *r)
{
    struct http_work *w = r->work;

    if (!w)
        return;
    r->work = NULL;
    w->request = NULL;
    atomic_store_explicit(&w->abandoned, true, memory_order_relaxed);
    if (w->fetching) {
        store_cancel(w->server->store, &w->fetch);
        destroy(w);
    }
}
