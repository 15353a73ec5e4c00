/* The accounts of consumers and streams, and the number of servers that they
 * are worth. Prints nothing (demand_text.c). Threads: loop thread only. */
#include "server/serve/demand.h"

#include <string.h>

#include "server/base/metrics.h"
#include "server/serve/store_private.h"

#define SECOND_NS 1000000000ull
/* A consumer that took nothing for so long, and for so many of its batches, is
 * busy with something else. */
#define IDLE_NS      (10 * SECOND_NS)
#define IDLE_BATCHES 8
/* A batch counts so much in a consumer's average. */
#define FADE 8

void stream_load_composed(struct stream_load *load, uint64_t compose_ns)
{
    load->compose_ns += compose_ns;
}

void stream_load_answered(struct stream_load *load, uint64_t n_samples)
{
    load->n_samples += n_samples;
    if (load->n_samples < 2 * DEMAND_FADE_SAMPLES)
        return;
    load->n_samples /= 2;
    load->compose_ns /= 2;
}

void consumer_open(struct consumer *c, struct store *store,
                   struct stream *stream, uint64_t now_ns)
{
    c->store = store;
    c->stream = stream;
    c->opened_ns = c->taken_ns = now_ns;
    c->next = store->consumers;
    if (c->next)
        c->next->previous = c;
    store->consumers = c;
}

void consumer_close(struct consumer *c)
{
    if (!c->store)
        return;
    if (c->previous)
        c->previous->next = c->next;
    else
        c->store->consumers = c->next;
    if (c->next)
        c->next->previous = c->previous;
    *c = (struct consumer){0};
}

static void note_busy(struct consumer *c, uint64_t busy_ns)
{
    if (busy_ns == 0)
        busy_ns = 1;
    c->busy_ns =
        c->busy_ns ? c->busy_ns - c->busy_ns / FADE + busy_ns / FADE : busy_ns;
}

void consumer_tells(struct consumer *c, const struct pace *pace,
                    uint64_t now_ns)
{
    struct stream_load *load = c->stream ? &c->stream->load : NULL;
    uint64_t n = (uint64_t)pace->n_ready + pace->n_waited;
    c->tells = true;
    if (n == 0 || !load)
        return;
    c->n_ready += pace->n_ready;
    c->n_waited += pace->n_waited;
    c->stall_ns += pace->wait_ns;
    load->n_ready += pace->n_ready;
    load->n_waited += pace->n_waited;
    load->stall_ns += pace->wait_ns;
    c->taken_ns = now_ns;
    if (pace->busy_ns > 0)
        note_busy(c, pace->busy_ns / n);
}

void consumer_sent(struct consumer *c, bool was_ready, uint64_t stall_ns,
                   uint64_t now_ns)
{
    struct stream_load *load = &c->stream->load;
    uint64_t since_ns = now_ns - c->sent_ns;
    if (c->n_batches++ == 0) {
        c->first_ns = now_ns - c->opened_ns;
        load->first_ns += c->first_ns;
        load->n_first++;
    }
    if (!c->tells) {
        c->n_ready += was_ready;
        c->n_waited += !was_ready;
        c->stall_ns += stall_ns;
        load->n_ready += was_ready;
        load->n_waited += !was_ready;
        load->stall_ns += stall_ns;
        c->taken_ns = now_ns;
        if (c->sent_ns)
            note_busy(c, since_ns);
    }
    c->sent_ns = now_ns;
}

static bool is_idle(const struct consumer *c, uint64_t now_ns)
{
    uint64_t since_ns = now_ns - c->taken_ns;
    return since_ns > IDLE_NS && since_ns / IDLE_BATCHES > c->busy_ns;
}

/* rate * cost / workers of one consumer. */
static uint64_t worth_milli(const struct store *s, const struct consumer *c,
                            uint64_t now_ns)
{
    const struct stream_load *load = &c->stream->load;
    if (c->busy_ns == 0 || load->n_samples == 0 || is_idle(c, now_ns))
        return 0;
    uint64_t cost_ns = load->compose_ns / load->n_samples * c->n_samples;
    uint64_t work_ns = c->busy_ns * workers_count(s->workers);
    if (cost_ns / work_ns >= DEMAND_MAX_MILLI / 1000)
        return DEMAND_MAX_MILLI;
    return cost_ns < UINT64_MAX / 1000 ? cost_ns * 1000 / work_ns
                                       : cost_ns / work_ns * 1000;
}

uint64_t demand_milli(const struct store *s, const struct stream *stream,
                      uint64_t now_ns)
{
    uint64_t sum = 0;
    for (const struct consumer *c = s->consumers; c; c = c->next)
        if (!stream || c->stream == stream)
            sum += worth_milli(s, c, now_ns);
    return sum;
}

uint64_t demand_replicas(const struct store *s, uint64_t now_ns)
{
    uint64_t n = (demand_milli(s, NULL, now_ns) + 999) / 1000;
    return n > 0 ? n : 1;
}
