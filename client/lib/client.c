/* The entry points that take a client. Each checks the handle, forwards, and
 * keeps the sentence of a failure. No sockets, no threads of its own. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/include/pasted.h"
#include "client/lib/ask.h"
#include "client/lib/clock.h"
#include "client/lib/handle.h"
#include "client/lib/options.h"
#include "client/lib/url.h"
#include "common/digits.h"

#ifndef PASTED_CLIENT_VERSION
#error "the build gives the version"
#endif

/* pasted.h's numbers are common/error.h's, negated. */
#define X(name, number, word, status, retry, sentence)                         \
    _Static_assert(PASTED_##name == -(number), "status " #name);
ERROR_TABLE(X)
#undef X
#define X(name, number, word, bytes, descr)                                    \
    _Static_assert((int)PASTED_##name == (number), "dtype " #name);
TENSOR_DTYPES(X)
#undef X
_Static_assert((int)PASTED_NHWC == TENSOR_NHWC, "layout");
_Static_assert((int)PASTED_NCHW == TENSOR_NCHW, "layout");
_Static_assert((int)PASTED_RGB == TENSOR_RGB, "channels");
_Static_assert((int)PASTED_BGR == TENSOR_BGR, "channels");
_Static_assert((int)PASTED_GREY == TENSOR_GREY, "channels");
_Static_assert(PASTED_NAME_BYTES == WIRE_MAX_NAME_BYTES, "names");
_Static_assert(PASTED_MAX_DIMS == TENSOR_MAX_DIMS, "dims");

pasted_client *pasted_create(void)
{
    pasted_client *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->pid = getpid();
    options_init(&c->options);
    pthread_mutex_init(&c->mutex, NULL);
    return c;
}

void pasted_destroy(pasted_client *c)
{
    if (c == NULL)
        return;
    if (forked(c)) {
        if (c->prefetch != NULL)
            prefetch_abandon(c->prefetch);
        return;
    }
    pasted_close(c);
    pthread_mutex_destroy(&c->mutex);
    free(c->answer);
    free(c->table);
    free(c);
}

int pasted_set(pasted_client *c, const char *key, const char *value)
{
    struct fault fault = {0};
    if (forked(c))
        return PASTED_FORKED;
    if (c->prefetch != NULL && !options_key_is_live(key)) {
        fault_set(&fault, ERROR_BAD_STATE,
                  "option %.40s cannot change while the client is open", key);
        return fail(c, __func__, &fault, PASTED_BAD_STATE);
    }
    int rc = options_set(&c->options, key, value, &fault);
    return rc != 0 ? fail(c, __func__, &fault, rc) : PASTED_OK;
}

int pasted_open(pasted_client *c, const char *url)
{
    struct fault fault = {0};
    struct prefetch *p;
    if (forked(c))
        return PASTED_FORKED;
    if (c->prefetch != NULL) {
        fault_set(&fault, ERROR_BAD_STATE, "the client is open already");
        return fail(c, __func__, &fault, PASTED_BAD_STATE);
    }
    int rc = url != NULL ? url_parse(url, &c->options, &fault) : 0;
    if (rc == 0)
        rc = options_check(&c->options, &fault);
    if (rc == 0)
        rc = prefetch_create(&c->options, &p, &fault);
    if (rc != 0)
        return fail(c, __func__, &fault, rc);
    pthread_mutex_lock(&c->mutex);
    c->prefetch = p;
    pthread_mutex_unlock(&c->mutex);
    return PASTED_OK;
}

void pasted_close(pasted_client *c)
{
    if (forked(c))
        return;
    pthread_mutex_lock(&c->mutex);
    struct prefetch *p = c->prefetch;
    c->prefetch = NULL;
    pthread_mutex_unlock(&c->mutex);
    prefetch_destroy(p);
}

int pasted_ask(pasted_client *c, const char *what, const char **out_json)
{
    struct fault fault = {0};
    char *text = NULL;
    if (forked(c))
        return PASTED_FORKED;
    int rc = ask_servers(&c->options, what, &text, &fault);
    if (rc != 0)
        return fail(c, __func__, &fault, rc);
    free(c->answer);
    c->answer = text;
    *out_json = text;
    return PASTED_OK;
}

/* Results that may grow: as much as the caller's struct has room for. */
static void give(void *out, size_t out_bytes, const void *result,
                 size_t n_bytes)
{
    if (out_bytes > n_bytes) {
        memset((char *)out + n_bytes, 0, out_bytes - n_bytes);
        out_bytes = n_bytes;
    }
    memcpy(out, result, out_bytes);
}

int pasted_info(pasted_client *c, struct pasted_info *out, size_t out_bytes)
{
    int rc = check_open(c, __func__);
    if (rc != 0)
        return rc;
    const struct stream_facts *f = prefetch_facts(c->prefetch);
    const struct wire_opened *o = &f->opened;
    struct pasted_info info = {
        .seed = o->seed,
        .edges_per_epoch = o->edges_per_epoch,
        .batch_bytes = o->batch_bytes,
        .engine = f->welcome.engine,
        .global_batch = o->global_batch,
        .rank = o->rank,
        .world = o->world,
        .n_samples = o->n_samples,
        .n_classes = f->classes.n,
        .n_objects = o->n_objects,
        .n_backgrounds = o->n_backgrounds,
        .objects_per_background = o->objects_per_background,
        .height = o->height,
        .width = o->width,
        .dtype = o->dtype,
        .layout = o->layout,
        .n_streams = f->welcome.n_streams,
        .channels = o->channels,
        .candidates = c->options.candidates,
    };
    memcpy(info.stream, f->stream, sizeof info.stream);
    memcpy(info.server, f->welcome.server, sizeof info.server);
    digits_write_hex(o->fingerprint, sizeof o->fingerprint, info.fingerprint);
    give(out, out_bytes, &info, sizeof info);
    return PASTED_OK;
}

int pasted_stats(pasted_client *c, struct pasted_stats *out, size_t out_bytes)
{
    int rc = check_open(c, __func__);
    if (rc != 0)
        return rc;
    struct pasted_stats stats = prefetch_stats(c->prefetch);
    give(out, out_bytes, &stats, sizeof stats);
    return PASTED_OK;
}

const char *pasted_class_name(pasted_client *c, uint32_t index)
{
    if (check_open(c, __func__) != 0)
        return NULL;
    const struct class_names *n = &prefetch_facts(c->prefetch)->classes;
    return index < n->n ? n->text + n->offsets[index] : NULL;
}

const char *pasted_stream_name(pasted_client *c, uint32_t index)
{
    if (check_open(c, __func__) != 0)
        return NULL;
    const struct wire_welcome *w = &prefetch_facts(c->prefetch)->welcome;
    return index < w->n_streams ? w->streams[index] : NULL;
}

int pasted_next(pasted_client *c, pasted_batch **out_batch)
{
    struct fault fault = {0};
    int rc = check_open(c, __func__);
    if (rc != 0)
        return rc;
    rc =
        prefetch_next(c->prefetch, NULL, 0,
                      clock_after_ms(c->options.timeout_ms), out_batch, &fault);
    return rc != 0 ? fail(c, __func__, &fault, rc) : PASTED_OK;
}

/* What the receiver has not put there itself. */
static void copy_tensors(const struct pasted_batch *b,
                         const struct pasted_buffer *buffers, size_t n_buffers)
{
    for (size_t i = 0; i < n_buffers; i++) {
        const struct tensor_desc *t = batch_find(b, buffers[i].name);
        const uint8_t *data = batch_data(b, t);
        if (data != buffers[i].data)
            memcpy(buffers[i].data, data, (size_t)t->n_bytes);
    }
}

int pasted_next_into(pasted_client *c, const struct pasted_buffer *buffers,
                     size_t n_buffers, uint64_t *out_first_position)
{
    struct fault fault = {0};
    struct pasted_batch *b;
    int rc = check_open(c, __func__);
    if (rc != 0)
        return rc;
    rc = prefetch_next(c->prefetch, buffers, n_buffers,
                       clock_after_ms(c->options.timeout_ms), &b, &fault);
    if (rc != 0)
        return fail(c, __func__, &fault, rc);
    copy_tensors(b, buffers, n_buffers);
    if (out_first_position != NULL)
        *out_first_position = b->head.first_position;
    batch_release(b);
    return PASTED_OK;
}

static int check_position(pasted_client *c, const char *entry,
                          uint64_t position)
{
    struct fault fault = {0};
    if (position < WIRE_MAX_POSITION)
        return 0;
    fault_set(&fault, ERROR_BAD_ARGUMENT, "positions end at 2^63");
    return fail(c, entry, &fault, PASTED_BAD_ARGUMENT);
}

int pasted_pull(pasted_client *c, uint64_t position, pasted_batch **out_batch)
{
    struct fault fault = {0};
    int rc = check_open(c, __func__);
    if (rc == 0)
        rc = check_position(c, __func__, position);
    if (rc != 0)
        return rc;
    rc =
        prefetch_pull(c->prefetch, position,
                      clock_after_ms(c->options.timeout_ms), out_batch, &fault);
    return rc != 0 ? fail(c, __func__, &fault, rc) : PASTED_OK;
}

int pasted_refine(pasted_client *c, uint64_t position, const void *contexts,
                  uint64_t n_bytes, const uint8_t *given)
{
    struct fault fault = {0};
    int rc = check_open(c, __func__);
    if (rc == 0)
        rc = check_position(c, __func__, position);
    if (rc != 0)
        return rc;
    rc = prefetch_refine(c->prefetch, position, contexts, n_bytes, given,
                         &fault);
    return rc != 0 ? fail(c, __func__, &fault, rc) : PASTED_OK;
}

int pasted_refined(pasted_client *c, pasted_batch **out_batch)
{
    struct fault fault = {0};
    int rc = check_open(c, __func__);
    if (rc != 0)
        return rc;
    rc = prefetch_refined(c->prefetch, clock_after_ms(c->options.timeout_ms),
                          out_batch, &fault);
    return rc != 0 ? fail(c, __func__, &fault, rc) : PASTED_OK;
}

int pasted_pull_on(pasted_client *c, uint64_t position, const void *contexts,
                   uint64_t n_bytes, pasted_batch **out_batch)
{
    struct fault fault = {.text = "pasted_refined has batches to take first"};
    int rc = check_open(c, __func__);
    if (rc == 0)
        rc = check_position(c, __func__, position);
    if (rc == 0 && prefetch_n_refines(c->prefetch) > 0)
        return fail(c, __func__, &fault, PASTED_BAD_STATE);
    if (rc != 0)
        return rc;
    rc =
        prefetch_refine(c->prefetch, position, contexts, n_bytes, NULL, &fault);
    if (rc == 0)
        rc =
            prefetch_refined(c->prefetch, clock_after_ms(c->options.timeout_ms),
                             out_batch, &fault);
    if (rc != 0 && prefetch_n_refines(c->prefetch) > 0)
        prefetch_withdraw(c->prefetch);
    return rc != 0 ? fail(c, __func__, &fault, rc) : PASTED_OK;
}

int pasted_ack(pasted_client *c)
{
    struct fault fault = {0};
    int rc = check_open(c, __func__);
    if (rc != 0)
        return rc;
    rc = prefetch_ack(c->prefetch, clock_after_ms(c->options.timeout_ms),
                      &fault);
    return rc != 0 ? fail(c, __func__, &fault, rc) : PASTED_OK;
}

int pasted_seek(pasted_client *c, uint64_t position)
{
    int rc = check_open(c, __func__);
    if (rc == 0)
        rc = check_own_cursor(c, __func__);
    if (rc == 0)
        rc = check_position(c, __func__, position);
    if (rc == 0)
        prefetch_seek(c->prefetch, position);
    return rc;
}

int pasted_position(pasted_client *c, uint64_t *out_position)
{
    int rc = check_open(c, __func__);
    if (rc == 0)
        *out_position = prefetch_cursor(c->prefetch);
    return rc;
}

void pasted_interrupt(pasted_client *c)
{
    if (forked(c))
        return;
    pthread_mutex_lock(&c->mutex);
    if (c->prefetch != NULL)
        prefetch_interrupt(c->prefetch);
    pthread_mutex_unlock(&c->mutex);
}

const char *pasted_error(const pasted_client *c)
{
    return forked(c) ? "the client belongs to the process that made it, which "
                       "forked; make one of your own after fork()"
                     : c->error;
}

const char *pasted_status_name(int status)
{
    return status == PASTED_OK ? "ok" : error_word(status);
}

const char *pasted_version(void)
{
    return PASTED_CLIENT_VERSION;
}
