/* Slots: batches that a client of this host reads where they were composed.
 * A slot is one reference to a batch in the store's shared arena, held until
 * the client returns it or its socket ends. Does not compose and does not wait:
 * where a slot is not to be had, the batch goes through the socket.
 * Threads: loop thread only. Source: PROTOCOL.md section 17. */
#include <assert.h>

#include "server/base/metrics.h"
#include "server/tcp/session.h"
#include "server/tcp/share.h"

static bool may_take(const struct session *s, uint64_t n_bytes)
{
    const struct tcp_server *server = s->server;
    return s->n_slots < SESSION_MAX_SLOTS &&
           share_allows(store_shared_bytes(server->store), server->slot_bytes,
                        s->slot_bytes, n_bytes);
}

bool slots_take(struct session *s, struct batch *b, struct wire_slot *out)
{
    const struct store *store = s->server->store;
    const uint64_t n_bytes = b->layout.tensors_bytes;
    const void *sums = b->checksums[s->checksum];
    if (!(s->capabilities & WIRE_CAPABILITY_RING) || !may_take(s, n_bytes) ||
        !store_shared_offset(store, b->payload, &out->offset))
        return false;
    out->sums_offset = 0;
    if (sums && !store_shared_offset(store, sums, &out->sums_offset))
        return false;
    out->slot = ++s->server->last_slot;
    out->n_bytes = n_bytes;
    s->slots[s->n_slots++] = (struct slot){out->slot, batch_ref(b)};
    s->slot_bytes += n_bytes;
    s->server->slot_bytes += n_bytes;
    metric_add(METRIC_TCP_SLOTS, 1);
    return true;
}

static void drop(struct session *s, uint32_t i)
{
    struct batch *b = s->slots[i].batch;
    const uint64_t n_bytes = b->layout.tensors_bytes;
    s->slots[i] = s->slots[--s->n_slots];
    s->slot_bytes -= n_bytes;
    s->server->slot_bytes -= n_bytes;
    metric_add(METRIC_TCP_SLOTS, -1);
    batch_unref(b); /* last: it may begin another rendering */
}

bool slots_return(struct session *s, uint64_t slot)
{
    for (uint32_t i = 0; i < s->n_slots; i++) {
        if (s->slots[i].id != slot)
            continue;
        drop(s, i);
        return true;
    }
    return false;
}

void slots_drop(struct session *s)
{
    while (s->n_slots > 0)
        drop(s, s->n_slots - 1);
    assert(s->slot_bytes == 0);
}
