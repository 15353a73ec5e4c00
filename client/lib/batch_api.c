/* The entry points that read a batch. Threads: any. */
#include "client/lib/batch.h"

#include <string.h>

void pasted_batch_release(pasted_batch *b)
{
    batch_release(b);
}

uint64_t pasted_batch_first_position(const pasted_batch *b)
{
    return b->head.first_position;
}

uint32_t pasted_batch_n_samples(const pasted_batch *b)
{
    return b->head.n_samples;
}

uint64_t pasted_batch_cursor(const pasted_batch *b)
{
    return b->cursor;
}

void pasted_batch_lease(const pasted_batch *b, struct pasted_lease *out,
                        size_t out_bytes)
{
    const struct pasted_lease lease = {.lease = b->lease.lease,
                                       .step = b->lease.step,
                                       .delivery = b->lease.delivery,
                                       .lease_ms = b->lease.lease_ms};
    if (out_bytes > sizeof lease) {
        memset((char *)out + sizeof lease, 0, out_bytes - sizeof lease);
        out_bytes = sizeof lease;
    }
    memcpy(out, &lease, out_bytes);
}

uint32_t pasted_batch_n_tensors(const pasted_batch *b)
{
    return b->head.n_tensors;
}

static int describe(const pasted_batch *b, const struct tensor_desc *t,
                    struct pasted_tensor *out)
{
    if (t == NULL)
        return PASTED_NOT_FOUND;
    *out = (struct pasted_tensor){
        .name = t->name,
        .data = batch_data(b, t),
        .n_bytes = t->n_bytes,
        .n_dims = t->n_dims,
        .dtype = t->dtype,
    };
    for (uint32_t i = 0; i < t->n_dims; i++)
        out->shape[i] = t->shape[i];
    return PASTED_OK;
}

int pasted_batch_tensor(const pasted_batch *b, const char *name,
                        struct pasted_tensor *out)
{
    return describe(b, batch_find(b, name), out);
}

int pasted_batch_tensor_at(const pasted_batch *b, uint32_t index,
                           struct pasted_tensor *out)
{
    return describe(b, index < b->head.n_tensors ? &b->tensors[index] : NULL,
                    out);
}
