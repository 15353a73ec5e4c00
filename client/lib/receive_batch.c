/* The receiver reads one BATCH, or finds it by its SLOT: where it goes, its
 * bytes, its checksums.
 *
 *   header: a pull's? this stream's? stale?     (stale: read and dropped)
 *   head -> position as expected? -> image into the caller's buffer, when one
 *   waits and nothing is before it -> checksums -> queue or pull
 *
 * A checksum that fails makes the stream SEEK to the same cursor again. */
#include <assert.h>
#include <string.h>

#include "client/lib/clock.h"
#include "client/lib/member.h"
#include "client/lib/receiver.h"

/* A batch that arrives damaged this often in a row is damaged at its source. */
#define MAX_REFETCHED 4

enum purpose { STALE, STREAMED, PULLED };

static enum purpose purpose_of(struct receiver *r)
{
    uint32_t request = r->session.frame.header.request;
    struct exchange *x = r->exchange;
    enum purpose purpose = STALE;
    exchange_lock(x);
    if (request % 2 == 1) {
        r->pulled = receiver_pull_of(r, request);
        purpose = r->pulled != NULL ? PULLED : STALE;
        r->pull_position = r->pulled != NULL ? r->pulled->position : 0;
    } else if (request == r->stream_request && !x->seek_wanted) {
        purpose = STREAMED;
    }
    exchange_unlock(x);
    return purpose;
}

/* Points the image at the caller's buffer when a next_into waits for just this
 * batch. */
static bool go_direct(struct receiver *r, struct pasted_batch *b)
{
    struct exchange *x = r->exchange;
    struct fault why;
    bool direct = false;
    exchange_lock(x);
    struct into *into = &x->into;
    bool next = x->member.joined || x->cursor == b->cursor;
    if (into->buffers != NULL && !into->abandoned && x->n_ready == 0 &&
        !x->seek_wanted && next &&
        exchange_check_buffers(into->buffers, into->n_buffers, b, &why) == 0) {
        const struct pasted_buffer *buffer = exchange_buffer(into, "image");
        direct = buffer != NULL;
        into->active = direct;
        if (direct)
            b->image_at = buffer->data;
    }
    exchange_unlock(x);
    return direct;
}

/* Moves what has come of the image to the batch's own memory and lets the
 * caller go. */
static void leave_direct(struct receiver *r, struct pasted_batch *b,
                         size_t received)
{
    struct exchange *x = r->exchange;
    size_t start = (size_t)b->image->offset_bytes;
    size_t n = received > start ? received - start : 0;
    if (n > b->image->n_bytes)
        n = (size_t)b->image->n_bytes;
    memcpy(b->payload + start, b->image_at, n);
    b->image_at = b->payload + start;
    exchange_lock(x);
    x->into.active = false;
    pthread_cond_broadcast(&x->changed);
    exchange_unlock(x);
}

static bool caller_left(struct receiver *r)
{
    exchange_lock(r->exchange);
    bool left = r->exchange->into.abandoned;
    exchange_unlock(r->exchange);
    return left;
}

/* Reads the payload behind its first `at` bytes, which are in place.
 * *direct turns false when the caller's deadline passes meanwhile. */
static int read_rest(struct receiver *r, struct pasted_batch *b, size_t at,
                     enum purpose purpose, bool *direct, struct fault *fault)
{
    size_t n = 0; /* of a wake: the caller may wait from now on */
    batch_advance(b, at);
    while (at < b->n_bytes) {
        if (n == 0 && purpose == STREAMED) {
            int rc = receiver_ask_ahead(r, b, fault);
            if (rc != 0)
                return rc;
        }
        size_t run;
        uint8_t *place = batch_place(b, at, &run);
        int rc = connection_read_some(&r->session.connection, place, run,
                                      receiver_stall_ns(r), &n, fault);
        if (rc != 0)
            return rc;
        at += n;
        batch_advance(b, at);
        if (*direct && caller_left(r)) {
            leave_direct(r, b, at);
            *direct = false;
        }
    }
    return 0;
}

/* The bytes that came with the head and belong to the image. */
static void copy_early_image(struct pasted_batch *b, size_t n_head)
{
    size_t start = (size_t)b->image->offset_bytes;
    if (n_head <= start)
        return;
    size_t n = n_head - start;
    if (n > b->image->n_bytes)
        n = (size_t)b->image->n_bytes;
    memcpy(b->image_at, b->payload + start, n);
}

static int check_position(struct receiver *r, struct pasted_batch *b,
                          enum purpose purpose, struct fault *fault)
{
    const struct wire_opened *o = &r->session.opened;
    b->cursor = purpose == PULLED ? r->pull_position : r->cursor;
    b->lease = (struct wire_lease){0};
    if (purpose == STREAMED && r->exchange->member.joined) {
        int rc = member_take_lease(r, b, fault);
        if (rc != 0)
            return rc;
    }
    uint64_t first = b->cursor + (uint64_t)o->rank * o->n_samples;
    if (purpose != STALE && b->head.first_position != first)
        return fault_set(fault, ERROR_BAD_FRAME,
                         "a BATCH of position %llu came where %llu belongs",
                         (unsigned long long)b->head.first_position,
                         (unsigned long long)first);
    return 0;
}

/* Reads everything; *direct says whether the image lies with the caller. */
static int read_batch(struct receiver *r, struct pasted_batch *b,
                      enum purpose purpose, bool *direct, struct fault *fault)
{
    size_t n_head = batch_head_bytes(b->n_bytes);
    exchange_lock(r->exchange);
    r->exchange->reads = true;
    exchange_unlock(r->exchange);
    int rc = connection_read(&r->session.connection, b->payload, n_head,
                             receiver_stall_ns(r), fault);
    if (rc == 0)
        rc = batch_begin(b, &r->session.opened, r->session.welcome.checksum,
                         fault);
    if (rc == 0)
        rc = check_position(r, b, purpose, fault);
    if (rc != 0)
        return rc;
    *direct = purpose == STREAMED && go_direct(r, b);
    if (*direct)
        copy_early_image(b, n_head);
    rc = read_rest(r, b, n_head, purpose, direct, fault);
    return rc != 0 || purpose == STALE ? rc : batch_finish(b, fault);
}

/* Into the queue, or away when a seek overtook it. Takes b. */
static void deliver_streamed(struct receiver *r, struct pasted_batch *b,
                             bool direct)
{
    struct exchange *x = r->exchange;
    exchange_lock(x);
    bool stale = x->seek_wanted;
    x->reads = false;
    x->short_of_slots = r->session.ring != NULL && b->ring == NULL;
    x->into.active = false;
    x->stats.bytes += b->n_bytes;
    x->stats.direct += direct;
    x->stats.mapped += b->ring != NULL;
    x->stats.stale += stale;
    if (!stale) {
        r->cursor = options_step(r->options, r->replay_from, r->cursor,
                                 r->session.opened.global_batch);
        exchange_push(x, b);
    }
    exchange_unlock_and_tell(x);
    if (stale)
        batch_release(b);
}

/* To the call that waits, if it still does. Takes b. */
static void deliver_pulled(struct receiver *r, struct pasted_batch *b)
{
    struct exchange *x = r->exchange;
    exchange_lock(x);
    bool wanted = r->pulled->state == PULL_SENT;
    x->reads = false;
    x->stats.bytes += b->n_bytes;
    x->stats.mapped += b->ring != NULL;
    if (wanted) {
        r->pulled->batch = b;
        r->pulled->state = PULL_DONE;
    }
    exchange_unlock_and_tell(x);
    if (!wanted)
        batch_release(b);
}

/* A checksum failed: asks for the same batch again. */
static int fetch_again(struct receiver *r, enum purpose purpose,
                       bool *out_final, struct fault *fault)
{
    struct exchange *x = r->exchange;
    exchange_lock(x);
    x->stats.corrupt++;
    if (purpose == PULLED && r->pulled->state == PULL_SENT)
        r->pulled->state = PULL_WANTED;
    exchange_unlock(x);
    if (++r->n_refetched > MAX_REFETCHED) {
        *out_final = true;
        return -ERROR_CORRUPT;
    }
    if (purpose == STREAMED && x->member.joined)
        return -ERROR_CORRUPT; /* its lease goes with the connection */
    return purpose == STREAMED ? receiver_seek(r, fault) : 0;
}

static void drop(struct receiver *r, struct pasted_batch *b, bool stale,
                 bool direct)
{
    struct exchange *x = r->exchange;
    exchange_lock(x);
    x->reads = false;
    x->stats.stale += stale;
    if (direct) {
        x->into.active = false;
        pthread_cond_broadcast(&x->changed);
    }
    exchange_unlock(x);
    batch_release(b);
}

/* Counts the frame against the credit and finds memory for it; a SLOT brings
 * its own. */
static int accept_frame(struct receiver *r, struct pasted_batch **out,
                        struct fault *fault)
{
    const struct wire_header *h = &r->session.frame.header;
    const bool is_slot = h->type == WIRE_SLOT;
    if (!is_slot && h->payload_bytes != r->session.opened.batch_bytes)
        return fault_set(fault, ERROR_BAD_FRAME,
                         "a BATCH of %llu bytes came where %llu were agreed",
                         (unsigned long long)h->payload_bytes,
                         (unsigned long long)r->session.opened.batch_bytes);
    if (is_slot && r->session.ring == NULL)
        return fault_set(fault, ERROR_BAD_FRAME,
                         "a SLOT came without memory to find it in");
    if (h->request % 2 == 0) {
        if (r->outstanding == 0)
            return fault_set(fault, ERROR_BAD_FRAME,
                             "a BATCH came that was not asked for");
        r->outstanding--;
    }
    *out = batch_acquire(r->pool, is_slot ? 0 : (size_t)h->payload_bytes);
    if (*out == NULL)
        return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    (*out)->n_candidates = r->options->candidates;
    return 0;
}

/* A SLOT: the batch lies there already. */
static int map_batch(struct receiver *r, struct pasted_batch *b,
                     enum purpose purpose, struct fault *fault)
{
    const struct session *s = &r->session;
    int rc = batch_map(b, s->ring, &s->frame.u.slot, &s->opened,
                       s->welcome.checksum, fault);
    if (rc == 0)
        rc = check_position(r, b, purpose, fault);
    if (rc != 0 || purpose == STALE)
        return rc;
    if (purpose == STREAMED)
        rc = receiver_ask_ahead(r, b, fault);
    if (rc != 0)
        return rc;
    batch_advance(b, b->n_bytes);
    return batch_finish(b, fault);
}

int receiver_batch(struct receiver *r, bool *out_final, struct fault *fault)
{
    struct pasted_batch *b;
    bool direct = false;
    enum purpose purpose = purpose_of(r);
    int rc = accept_frame(r, &b, fault);
    if (rc != 0)
        return rc;
    rc = r->session.frame.header.type == WIRE_SLOT
             ? map_batch(r, b, purpose, fault)
             : read_batch(r, b, purpose, &direct, fault);
    if (rc != 0 || purpose == STALE) {
        drop(r, b, rc == 0, direct);
        if (rc == -ERROR_CORRUPT)
            rc = fetch_again(r, purpose, out_final, fault);
        return rc;
    }
    r->n_refetched = 0;
    r->n_strikes = 0;
    r->progress = true;
    if (purpose == PULLED)
        deliver_pulled(r, b);
    else
        deliver_streamed(r, b, direct);
    return 0;
}
