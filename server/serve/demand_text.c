/* Consumers and streams as Prometheus' text and as JSON. Keeps no accounts
 * (demand.c). Threads: loop thread only. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/serve/demand.h"
#include "server/serve/store_private.h"

/* Consumers in one text; the others are counted. */
#define MAX_SHOWN      512
#define CONSUMER_BYTES 1536 /* of the longest: names are 255 bytes, escaped */
#define STREAM_BYTES   2048
#define HEAD_BYTES     4096

struct text {
    char *data;
    size_t n_bytes, capacity;
};

static void __attribute__((format(printf, 2, 3)))
print(struct text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(t->data + t->n_bytes, t->capacity - t->n_bytes, format,
                      arguments);
    va_end(arguments);
    if (n > 0 && (size_t)n < t->capacity - t->n_bytes)
        t->n_bytes += (size_t)n;
    else
        t->data[t->n_bytes] = '\0'; /* what does not fit is left out */
}

static bool begin(struct text *t, size_t capacity)
{
    *t = (struct text){mem_calloc(1, capacity), 0, capacity};
    return t->data != NULL;
}

static void print_seconds(struct text *t, uint64_t ns)
{
    print(t, "%" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);
}

static void print_milli(struct text *t, uint64_t milli)
{
    print(t, "%" PRIu64 ".%03" PRIu64, milli / 1000, milli % 1000);
}

static uint64_t n_consumers(const struct store *s, const struct stream *stream)
{
    uint64_t n = 0;
    for (const struct consumer *c = s->consumers; c; c = c->next)
        n += !stream || c->stream == stream;
    return n;
}

/* Prometheus. */

enum family { REQUESTS, STALL, FIRST, CONSUMERS, WORTH, N_FAMILIES };

static const struct {
    const char *name, *type, *help;
} families[N_FAMILIES] = {
    [REQUESTS] = {"pasted_stream_requests_total", "counter",
                  "Batches that consumers wanted, by whether one was ready."},
    [STALL] = {"pasted_stream_stall_seconds_total", "counter",
               "Time that consumers waited for batches."},
    [FIRST] = {"pasted_stream_first_batch_seconds", "summary",
               "From opening a stream to its first batch."},
    [CONSUMERS] = {"pasted_stream_consumers", "gauge",
                   "Sessions that have the stream open."},
    [WORTH] = {"pasted_stream_servers_worth", "gauge",
               "Servers like this one that its consumers would keep busy."},
};

static void print_stream(struct text *t, enum family f, const struct store *s,
                         const struct stream *stream, uint64_t now_ns)
{
    const struct stream_load *load = &stream->load;
    const char *name = families[f].name;
    switch (f) {
    case REQUESTS:
        print(t, "%s{stream=\"%s\",found=\"ready\"} %" PRIu64 "\n", name,
              stream->name, load->n_ready);
        print(t, "%s{stream=\"%s\",found=\"waited\"} %" PRIu64 "\n", name,
              stream->name, load->n_waited);
        return;
    case FIRST:
        print(t, "%s_sum{stream=\"%s\"} ", name, stream->name);
        print_seconds(t, load->first_ns);
        print(t, "\n%s_count{stream=\"%s\"} %" PRIu64 "\n", name, stream->name,
              load->n_first);
        return;
    case STALL:
    case CONSUMERS:
    case WORTH:
    case N_FAMILIES:
        break;
    }
    print(t, "%s{stream=\"%s\"} ", name, stream->name);
    if (f == STALL)
        print_seconds(t, load->stall_ns);
    else if (f == CONSUMERS)
        print(t, "%" PRIu64, n_consumers(s, stream));
    else
        print_milli(t, demand_milli(s, stream, now_ns));
    print(t, "\n");
}

char *demand_metrics_text(const struct store *s, const struct stream_set *set,
                          uint64_t now_ns)
{
    struct text t;
    if (!begin(&t, HEAD_BYTES + set->n_streams * (size_t)STREAM_BYTES))
        return NULL;
    for (int f = 0; f < N_FAMILIES && set->n_streams > 0; f++) {
        print(&t, "# HELP %s %s\n# TYPE %s %s\n", families[f].name,
              families[f].help, families[f].name, families[f].type);
        for (uint32_t i = 0; i < set->n_streams; i++)
            print_stream(&t, (enum family)f, s, set->stream[i], now_ns);
    }
    print(&t,
          "# HELP pasted_recommended_replicas Servers like this one that its "
          "consumers need, at least 1.\n"
          "# TYPE pasted_recommended_replicas gauge\n"
          "pasted_recommended_replicas %" PRIu64 "\n",
          demand_replicas(s, now_ns));
    return t.data;
}

/* JSON. Texts are valid UTF-8 without control characters. */

static void print_string(struct text *t, const char *text)
{
    print(t, "\"");
    for (const char *at = text ? text : ""; *at != '\0'; at++)
        print(t, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
    print(t, "\"");
}

static void print_ready(struct text *t, uint64_t n_ready, uint64_t n_waited,
                        uint64_t stall_ns)
{
    uint64_t n = n_ready + n_waited;
    print(t, "\"found_ready\":%" PRIu64 ",\"waited\":%" PRIu64, n_ready,
          n_waited);
    print(t, ",\"readiness\":");
    if (n > 0)
        print_milli(t, n_ready * 1000 / n);
    else
        print(t, "null");
    print(t, ",\"stall_s\":");
    print_seconds(t, stall_ns);
}

static void print_consumer(struct text *t, const struct consumer *c,
                           uint64_t now_ns)
{
    print(t, "{\"session\":%" PRIu64 ",\"peer\":", c->session);
    print_string(t, c->peer);
    print(t, ",\"client\":");
    print_string(t, c->client);
    print(t, ",\"stream\":");
    print_string(t, c->stream->name);
    print(t,
          ",\"batch\":%" PRIu32 ",\"batches\":%" PRIu64 ",\"bytes\":%" PRIu64,
          c->n_samples, c->n_batches, c->n_batches * c->batch_bytes);
    print(t, ",\"open_s\":");
    print_seconds(t, now_ns - c->opened_ns);
    print(t, ",\"first_batch_s\":");
    if (c->n_batches > 0)
        print_seconds(t, c->first_ns);
    else
        print(t, "null");
    print(t, ",\"tells_pace\":%s,\"busy_s\":", c->tells ? "true" : "false");
    print_seconds(t, c->busy_ns);
    print(t, ",");
    print_ready(t, c->n_ready, c->n_waited, c->stall_ns);
    print(t, "}");
}

static void print_streams(struct text *t, const struct store *s,
                          const struct stream_set *set, uint64_t now_ns)
{
    for (uint32_t i = 0; i < set->n_streams; i++) {
        const struct stream *stream = set->stream[i];
        const struct stream_load *load = &stream->load;
        print(t, "%s{\"name\":\"%s\",\"consumers\":%" PRIu64 ",", i ? "," : "",
              stream->name, n_consumers(s, stream));
        print_ready(t, load->n_ready, load->n_waited, load->stall_ns);
        print(t, ",\"servers_worth\":");
        print_milli(t, demand_milli(s, stream, now_ns));
        print(t, "}");
    }
}

char *demand_json_text(const struct store *s, const struct stream_set *set,
                       uint64_t now_ns)
{
    struct text t;
    uint64_t n = n_consumers(s, NULL), n_shown = n < MAX_SHOWN ? n : MAX_SHOWN;
    if (!begin(&t, HEAD_BYTES + n_shown * CONSUMER_BYTES +
                       set->n_streams * (size_t)STREAM_BYTES))
        return NULL;
    print(&t, "{\"recommended_replicas\":%" PRIu64 ",\"streams\":[",
          demand_replicas(s, now_ns));
    print_streams(&t, s, set, now_ns);
    print(&t, "],\"sessions\":[");
    const struct consumer *c = s->consumers;
    for (uint64_t i = 0; i < n_shown; i++, c = c->next) {
        print(&t, "%s", i ? "," : "");
        print_consumer(&t, c, now_ns);
    }
    print(&t, "],\"more_sessions\":%" PRIu64 "}", n - n_shown);
    return t.data;
}
