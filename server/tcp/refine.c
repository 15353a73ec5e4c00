/* REFINE: a PULL with the contexts that its samples are pasted on. Checks what
 * its head says before memory is taken, and says what was wrong once all of it
 * has come. Moves no batches (flow.c). Threads: loop thread only. */
#include <inttypes.h>

#include "server/tcp/session.h"
#include "server/tcp/share.h"

static size_t frame_bytes(const struct session *s)
{
    const struct recipe *r = &s->stream->recipe;
    return (size_t)r->height * (size_t)r->width * 3;
}

static int wrong(struct fault *fault, const char *field, uint64_t value,
                 uint64_t expected)
{
    return fault_set(fault, ERROR_BAD_ARGUMENT,
                     "REFINE: %s is %" PRIu64 ", not %" PRIu64, field, value,
                     expected);
}

/* Shape, dtype and slice as the stream has them. */
static int check_shape(const struct session *s, const struct wire_refine *m,
                       uint64_t payload_bytes, struct fault *fault)
{
    const struct recipe *recipe = &s->stream->recipe;
    const uint64_t first =
        m->position + (uint64_t)s->rank * s->n_samples; /* stream_slice said */
    if (m->n_samples == 0)
        return payload_bytes == WIRE_REFINE_HEAD_BYTES
                   ? 0
                   : wrong(fault, "payload_bytes without contexts",
                           payload_bytes, WIRE_REFINE_HEAD_BYTES);
    if (m->dtype != TENSOR_U8)
        return wrong(fault, "dtype of the contexts", m->dtype, TENSOR_U8);
    if (m->layout != TENSOR_NHWC)
        return wrong(fault, "layout of the contexts", m->layout, TENSOR_NHWC);
    if (m->n_samples != s->n_samples)
        return wrong(fault, "n_samples of the rank's slice", m->n_samples,
                     s->n_samples);
    if (m->first_position != first)
        return wrong(fault, "first_position of the rank's slice",
                     m->first_position, first);
    if (m->height != (uint32_t)recipe->height)
        return wrong(fault, "height", m->height, (uint64_t)recipe->height);
    if (m->width != (uint32_t)recipe->width)
        return wrong(fault, "width", m->width, (uint64_t)recipe->width);
    if (payload_bytes != wire_refine_bytes(m))
        return wrong(fault, "payload_bytes", payload_bytes,
                     wire_refine_bytes(m));
    return 0;
}

static int check(const struct session *s, const struct wire_refine *m,
                 uint64_t payload_bytes, struct fault *fault)
{
    struct stream_slice slice;
    if (s->stream->recipe.chain.slots == 0)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "REFINE: stream %s has no chain: chain/slots of its "
                         "recipe is 0",
                         s->stream->name);
    int status = stream_slice(m->position, s->global_batch, s->rank, s->world,
                              &slice, fault);
    return status ? status : check_shape(s, m, payload_bytes, fault);
}

/* Whether there is room for these contexts now. */
static int check_budget(const struct session *s, uint64_t n_bytes,
                        struct fault *fault)
{
    const struct contexts_budget *b = &s->server->contexts;
    const uint64_t most = share_alone(b->max_bytes);
    if (n_bytes > most)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "REFINE: contexts of %" PRIu64 " bytes: the limit is "
                         "%" PRIu64,
                         n_bytes, most);
    if (!share_allows(b->max_bytes, b->used_bytes, s->context_bytes, n_bytes))
        return fault_set(fault, ERROR_OVERLOADED,
                         "REFINE: no room for contexts of %" PRIu64 " bytes "
                         "now",
                         n_bytes);
    return 0;
}

void refine_drop(struct session *s)
{
    contexts_unref(s->incoming);
    s->incoming = NULL;
    s->refusal.code = 0;
}

uint8_t *refine_begin(struct session *s, const struct wire_header *h,
                      const uint8_t head[WIRE_REFINE_HEAD_BYTES])
{
    struct bytes_reader r;
    struct wire_refine m;
    refine_drop(s);
    bytes_reader_init(&r, head, WIRE_REFINE_HEAD_BYTES);
    /* What is malformed or out of place is said at its end. */
    if (s->state != SESSION_STREAMING || wire_decode_refine(&r, &m) != 0)
        return NULL;
    if (check(s, &m, h->payload_bytes, &s->refusal) != 0 ||
        check_budget(
            s,
            contexts_bytes(m.n_samples, frame_bytes(s), WIRE_REFINE_HEAD_BYTES),
            &s->refusal) != 0)
        return NULL;
    s->incoming =
        contexts_create(&s->server->contexts, &s->context_bytes, m.n_samples,
                        frame_bytes(s), WIRE_REFINE_HEAD_BYTES);
    if (!s->incoming)
        fault_set(&s->refusal, ERROR_OVERLOADED,
                  "REFINE: no room for its contexts in one piece now");
    return s->incoming ? s->incoming->front : NULL;
}

static int check_given(const struct contexts *c, struct fault *fault)
{
    for (uint32_t i = 0; i < c->n_samples; i++)
        if (c->given[i] > 1)
            return fault_set(fault, ERROR_BAD_ARGUMENT,
                             "REFINE: given[%" PRIu32 "] is %d, not 0 or 1", i,
                             c->given[i]);
    return 0;
}

int refine_end(struct session *s, const struct wire_header *h,
               struct bytes_reader *r)
{
    struct wire_refine m;
    struct fault fault = s->refusal;
    if (wire_decode_refine(r, &m) != 0)
        return -ERROR_BAD_FRAME;
    int status = -(int)fault.code;
    if (status == 0)
        status = check_given(s->incoming, &fault);
    if (status == 0 && (h->request == 0 || h->request == s->serial))
        status = fault_set(&fault, ERROR_BAD_ARGUMENT,
                           "REFINE's request id is 0 or the stream's");
    if (status == 0)
        status = flow_pull(s, h->request, m.position, s->incoming, &fault);
    if (status == 0)
        s->incoming = NULL; /* the order's now */
    else
        session_refuse(s, h->request, status, fault.text);
    refine_drop(s);
    flow_pump(s);
    return 0;
}
