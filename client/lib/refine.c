/* The queue of pulls on contexts, as the caller sees it. Sends nothing. */
#include "client/lib/refine.h"

#include <stdlib.h>
#include <string.h>

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

/* NULL: out of memory. */
static uint8_t *copy_of(uint32_t n_samples, const void *contexts,
                        uint64_t n_bytes, const uint8_t *given)
{
    uint8_t *bytes = malloc((size_t)n_bytes + n_samples);
    if (bytes == NULL)
        return NULL;
    if (given != NULL)
        memcpy(bytes, given, n_samples);
    else
        memset(bytes, 1, n_samples);
    memcpy(bytes + n_samples, contexts, (size_t)n_bytes);
    return bytes;
}

int refine_add(struct exchange *x, const struct stream_facts *f,
               uint64_t position, const void *contexts, uint64_t n_bytes,
               const uint8_t *given, struct fault *fault)
{
    struct refine r = {.pull = {.state = PULL_WANTED, .position = position}};
    int rc = check(f, contexts, n_bytes, fault);
    if (rc != 0)
        return rc;
    if (x->n_refines == EXCHANGE_MAX_REFINES) /* only this thread adds */
        return fault_set(fault, ERROR_OVERLOADED,
                         "%d refined pulls are not taken yet",
                         EXCHANGE_MAX_REFINES);
    if (contexts != NULL) {
        r.n_samples = f->opened.n_samples;
        r.n_bytes = (size_t)n_bytes + r.n_samples;
        r.bytes = copy_of(r.n_samples, contexts, n_bytes, given);
        if (r.bytes == NULL)
            return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    }
    exchange_lock(x);
    *exchange_refine(x, x->n_refines) = r;
    x->n_refines++;
    exchange_unlock(x);
    exchange_wake(x);
    return 0;
}

static void forget(struct refine *r)
{
    free(r->bytes);
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
        r->bytes = NULL; /* the receiver frees them */
    batch_release(r->pull.batch);
    forget(r);
    x->n_refines--;
}
