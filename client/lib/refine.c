/* The queue of pulls on contexts, as the caller sees it. Sends nothing. */
#include "client/lib/refine.h"

#include <stdlib.h>
#include <string.h>

#include "common/checksum.h"

/* What is copied at once: it still lies in the second-level cache when its
 * checksum is computed. */
#define COPY_CHUNK_BYTES ((size_t)64 << 10)

static int check(const struct stream_facts *f, const void *contexts,
                 uint64_t n_bytes, struct fault *fault)
{
    const struct wire_opened *o = &f->opened;
    const uint64_t expected = (uint64_t)o->n_samples * o->height * o->width * 3;
    if ((f->welcome.capabilities & WIRE_CAPABILITY_HARD) == 0)
        return fault_set(fault, ERROR_UNSUPPORTED,
                         "the server (%s) takes no contexts",
                         f->welcome.server);
    if (contexts == NULL && n_bytes == 0)
        return 0;
    if (contexts == NULL || n_bytes != expected)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "contexts: %llu bytes, u8 [%u, %u, %u, 3] are %llu",
                         (unsigned long long)n_bytes, o->n_samples, o->height,
                         o->width, (unsigned long long)expected);
    return 0;
}

/* Copies n_bytes and takes them into *crc while they are in the cache. */
static void append(uint8_t *to, const uint8_t *from, size_t n_bytes,
                   uint32_t *crc)
{
    for (size_t at = 0; at < n_bytes; at += COPY_CHUNK_BYTES) {
        const size_t left = n_bytes - at;
        const size_t n = left < COPY_CHUNK_BYTES ? left : COPY_CHUNK_BYTES;
        memcpy(to + at, from + at, n);
        *crc = checksum_crc32(*crc, to + at, n);
    }
}

/* The payload of a REFINE; given NULL: all of them. */
static int make_payload(const struct wire_refine *m, const void *contexts,
                        const uint8_t *given, struct refine *out,
                        struct fault *fault)
{
    const size_t n_bytes = (size_t)wire_refine_bytes(m);
    struct bytes_writer w;
    uint8_t *payload = malloc(n_bytes);
    if (payload == NULL)
        return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    bytes_writer_init(&w, payload, WIRE_REFINE_HEAD_BYTES);
    wire_encode_refine(&w, m);
    uint8_t *at = payload + WIRE_REFINE_HEAD_BYTES;
    if (given != NULL)
        memcpy(at, given, m->n_samples);
    else
        memset(at, 1, m->n_samples);
    at += m->n_samples;
    out->crc = checksum_crc32(0, payload, (size_t)(at - payload));
    append(at, contexts, n_bytes - (size_t)(at - payload), &out->crc);
    out->payload = payload;
    out->payload_bytes = n_bytes;
    return 0;
}

int refine_add(struct exchange *x, const struct stream_facts *f,
               uint64_t position, const void *contexts, uint64_t n_bytes,
               const uint8_t *given, struct fault *fault)
{
    const struct wire_opened *o = &f->opened;
    const struct wire_refine m = {
        .position = position,
        .first_position = position + (uint64_t)o->rank * o->n_samples,
        .n_samples = contexts != NULL ? o->n_samples : 0,
        .height = o->height,
        .width = o->width,
        .dtype = TENSOR_U8,
        .layout = TENSOR_NHWC,
    };
    struct refine r = {.pull = {.state = PULL_WANTED, .position = position}};
    int rc = check(f, contexts, n_bytes, fault);
    if (rc == 0 && x->n_refines == EXCHANGE_MAX_REFINES) /* only we add */
        rc = fault_set(fault, ERROR_OVERLOADED,
                       "%d refined pulls are not taken yet",
                       EXCHANGE_MAX_REFINES);
    if (rc == 0)
        rc = make_payload(&m, contexts, given, &r, fault);
    if (rc != 0)
        return rc;
    exchange_lock(x);
    *exchange_refine(x, x->n_refines) = r;
    x->n_refines++;
    exchange_unlock(x);
    exchange_wake(x);
    return 0;
}

static void forget(struct refine *r)
{
    free(r->payload);
    *r = (struct refine){0};
}

int refine_take(struct exchange *x, struct pasted_batch **out_batch,
                struct fault *fault)
{
    struct refine *r = exchange_refine(x, 0);
    int rc = 1;
    if (x->n_refines == 0)
        return fault_set(fault, ERROR_BAD_STATE,
                         "no refined pull is under way");
    if (r->pull.state != PULL_DONE && r->pull.state != PULL_FAILED)
        return 0;
    if (r->pull.state == PULL_DONE) {
        *out_batch = r->pull.batch;
        x->stats.batches++;
    } else {
        *fault = r->pull.fault;
        rc = -fault->code;
    }
    forget(r);
    x->first_refine = (x->first_refine + 1) % EXCHANGE_MAX_REFINES;
    x->n_refines--;
    return rc;
}

void refine_withdraw(struct exchange *x)
{
    struct refine *r = exchange_refine(x, x->n_refines - 1);
    if (r->is_read)
        r->payload = NULL; /* the receiver frees it */
    batch_release(r->pull.batch);
    forget(r);
    x->n_refines--;
}
