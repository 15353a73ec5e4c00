/* Counters and gauges of the daemon, one table, printed in Prometheus' text
 * format. Threads: any; relaxed atomics. Adding one is one line. */
#ifndef PASTED_BASE_METRICS_H
#define PASTED_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

/* X(ID, type, full Prometheus name with labels, help). Rows that share a name
 * before '{' must stand together: HELP and TYPE are printed once for them. */
#define METRICS_TABLE(X)                                                       \
    X(SAMPLES_COMPOSED, counter, "pasted_samples_composed_total",              \
      "Samples composed (a cached batch composes none).")                      \
    X(CHAIN_AGAIN, counter, "pasted_chain_samples_composed_again_total",       \
      "Of these, samples composed only to be pasted on.")                      \
    X(BATCHES_COMPOSED, counter, "pasted_batches_composed_total",              \
      "Batches composed.")                                                     \
    X(BATCHES_ABANDONED, counter, "pasted_batches_abandoned_total",            \
      "Batches that nobody waited for any more, left unfinished.")             \
    X(BATCH_CACHE_HITS, counter,                                               \
      "pasted_batch_requests_total{answer=\"cached\"}",                        \
      "Batch requests by how they were answered.")                             \
    X(BATCH_CACHE_JOINS, counter,                                              \
      "pasted_batch_requests_total{answer=\"joined\"}",                        \
      "Batch requests by how they were answered.")                             \
    X(BATCH_CACHE_MISSES, counter,                                             \
      "pasted_batch_requests_total{answer=\"composed\"}",                      \
      "Batch requests by how they were answered.")                             \
    X(BATCH_REJECTED, counter,                                                 \
      "pasted_batch_requests_total{answer=\"rejected\"}",                      \
      "Batch requests by how they were answered.")                             \
    X(BATCH_EVICTIONS, counter, "pasted_batch_cache_evictions_total",          \
      "Batches dropped from the cache to make room.")                          \
    X(COMPOSE_NS, counter, "pasted_compose_busy_seconds_total",                \
      "Worker time spent composing.")                                          \
    X(ENCODE_JOBS, counter, "pasted_encode_jobs_total",                        \
      "PNG and npz encodings done.")                                           \
    X(GRAPH_EPOCHS_BUILT, counter, "pasted_graph_epochs_built_total",          \
      "Epoch graphs built.")                                                   \
    X(BUDGET_BYTES, gauge, "pasted_batch_budget_bytes",                        \
      "Bytes that finished and running batches may take.")                     \
    X(BUDGET_USED_BYTES, gauge, "pasted_batch_budget_used_bytes",              \
      "Bytes that finished and running batches take now.")                     \
    X(EPOCH_BUDGET_BYTES, gauge, "pasted_epoch_budget_bytes",                  \
      "Bytes that built graphs of epochs may take.")                           \
    X(EPOCH_USED_BYTES, gauge, "pasted_epoch_budget_used_bytes",               \
      "Bytes that graphs of epochs, built or on their way, take now.")         \
    X(CHAIN_BYTES, gauge, "pasted_chain_bytes",                                \
      "Bytes kept for composites that later samples are pasted on.")           \
    X(QUEUE_JOBS, gauge, "pasted_worker_queue_jobs",                           \
      "Jobs waiting for or running on the workers.")                           \
    X(WORKERS, gauge, "pasted_workers", "Worker threads.")                     \
    X(POOL_OBJECTS, gauge, "pasted_pool_images{pool=\"objects\"}",             \
      "Images held in memory.")                                                \
    X(POOL_BACKGROUNDS, gauge, "pasted_pool_images{pool=\"backgrounds\"}",     \
      "Images held in memory.")                                                \
    X(POOL_OBJECTS_SKIPPED, gauge,                                             \
      "pasted_pool_skipped_files{pool=\"objects\"}",                           \
      "Files that could not be used and were skipped.")                        \
    X(POOL_BACKGROUNDS_SKIPPED, gauge,                                         \
      "pasted_pool_skipped_files{pool=\"backgrounds\"}",                       \
      "Files that could not be used and were skipped.")                        \
    X(POOL_BYTES, gauge, "pasted_pool_bytes", "Bytes of decoded images.")      \
    X(TCP_SESSIONS, gauge, "pasted_connections{transport=\"tcp\"}",            \
      "Open connections.")                                                     \
    X(HTTP_CONNECTIONS, gauge, "pasted_connections{transport=\"http\"}",       \
      "Open connections.")                                                     \
    X(CONTEXT_BYTES, gauge, "pasted_contexts_bytes",                           \
      "Contexts that clients sent and that are not yet composed on.")          \
    X(TCP_SLOTS, gauge, "pasted_tcp_slots",                                    \
      "Batches that clients of this host read in place.")                      \
    X(TCP_ACCEPTED, counter, "pasted_tcp_accepted_total",                      \
      "TCP connections accepted.")                                             \
    X(TCP_CLOSED_ERROR, counter, "pasted_tcp_closed_total{reason=\"error\"}",  \
      "TCP connections closed, by reason.")                                    \
    X(TCP_CLOSED_PEER, counter, "pasted_tcp_closed_total{reason=\"peer\"}",    \
      "TCP connections closed, by reason.")                                    \
    X(TCP_CLOSED_TIMEOUT, counter,                                             \
      "pasted_tcp_closed_total{reason=\"timeout\"}",                           \
      "TCP connections closed, by reason.")                                    \
    X(TCP_CLOSED_DRAIN, counter, "pasted_tcp_closed_total{reason=\"drain\"}",  \
      "TCP connections closed, by reason.")                                    \
    X(TCP_BATCHES_SENT, counter,                                               \
      "pasted_batches_sent_total{transport=\"tcp\"}", "Batches sent.")         \
    X(HTTP_BATCHES_SENT, counter,                                              \
      "pasted_batches_sent_total{transport=\"http\"}", "Batches sent.")        \
    X(TCP_SENT_BYTES, counter, "pasted_sent_bytes_total{transport=\"tcp\"}",   \
      "Bytes sent.")                                                           \
    X(HTTP_SENT_BYTES, counter, "pasted_sent_bytes_total{transport=\"http\"}", \
      "Bytes sent.")                                                           \
    X(GROUP_ISSUED, counter, "pasted_group_deliveries_total{kind=\"first\"}",  \
      "Steps of groups delivered.")                                            \
    X(GROUP_REISSUED, counter,                                                 \
      "pasted_group_deliveries_total{kind=\"again\"}",                         \
      "Steps of groups delivered.")                                            \
    X(GROUP_ACKNOWLEDGED, counter,                                             \
      "pasted_group_acks_total{answer=\"taken\"}",                             \
      "Acknowledgements of steps of groups.")                                  \
    X(GROUP_REFUSED, counter, "pasted_group_acks_total{answer=\"refused\"}",   \
      "Acknowledgements of steps of groups.")                                  \
    X(GROUP_EXPIRED, counter, "pasted_group_leases_expired_total",             \
      "Leases that ended because their member showed no progress.")            \
    X(FEEDBACK_TABLES, gauge, "pasted_feedback_tables",                        \
      "Feedback tables held.")                                                 \
    X(FEEDBACK_BYTES, gauge, "pasted_feedback_bytes",                          \
      "Memory that feedback tables take.")                                     \
    X(FEEDBACK_TAKEN, counter,                                                 \
      "pasted_feedback_uploads_total{answer=\"taken\"}",                       \
      "Feedback tables uploaded, by answer.")                                  \
    X(FEEDBACK_REFUSED, counter,                                               \
      "pasted_feedback_uploads_total{answer=\"refused\"}",                     \
      "Feedback tables uploaded, by answer.")                                  \
    X(FEEDBACK_EVICTIONS, counter, "pasted_feedback_evictions_total",          \
      "Feedback tables dropped to make room for others.")                      \
    X(FEEDBACK_UNKNOWN, counter, "pasted_feedback_unknown_total",              \
      "Requests that named a feedback table that was not here.")               \
    X(HTTP_2XX, counter, "pasted_http_requests_total{code=\"2xx\"}",           \
      "HTTP requests answered, by class of status.")                           \
    X(HTTP_3XX, counter, "pasted_http_requests_total{code=\"3xx\"}",           \
      "HTTP requests answered, by class of status.")                           \
    X(HTTP_4XX, counter, "pasted_http_requests_total{code=\"4xx\"}",           \
      "HTTP requests answered, by class of status.")                           \
    X(HTTP_5XX, counter, "pasted_http_requests_total{code=\"5xx\"}",           \
      "HTTP requests answered, by class of status.")                           \
    X(READY, gauge, "pasted_ready", "1 while /readyz answers 200.")

enum metric {
#define X(id, type, name, help) METRIC_##id,
    METRICS_TABLE(X)
#undef X
        METRIC_COUNT
};

void metric_add(enum metric m, int64_t v); /* gauges may go down */
void metric_set(enum metric m, int64_t v);
int64_t metric_get(enum metric m);

/* The whole exposition, with process_* and pasted_build_info, NUL-terminated,
 * owned by the caller (mem_free); NULL when memory is short. COMPOSE_NS is
 * printed in seconds. */
char *metrics_print(size_t *out_bytes);

#endif
