/* An open stream as the caller's thread sees it: batches received ahead by the
 * receiver's thread. Knows no handles and no fork().
 *
 * Deadlines are clock_now_ns() values. Every wait can give -ERROR_TIMEOUT,
 * -ERROR_CANCELLED (interrupted), or why the stream is down. */
#ifndef PASTED_CLIENT_LIB_PREFETCH_H
#define PASTED_CLIENT_LIB_PREFETCH_H

#include <stdint.h>

#include "client/include/pasted.h"
#include "client/lib/batch.h"
#include "client/lib/options.h"
#include "client/lib/receiver.h"

struct prefetch;

/* Starts the receiver and waits until the stream is open. */
int prefetch_create(const struct options *options, struct prefetch **out,
                    struct fault *fault);
/* Stops the thread and frees; batches of the caller live on. */
void prefetch_destroy(struct prefetch *p); /* NULL is fine */
/* After fork(), in the child: closes descriptors, touches nothing else. */
void prefetch_abandon(struct prefetch *p);

const struct stream_facts *prefetch_facts(const struct prefetch *p);

/* Waits for the batch at the cursor, moves the cursor and hands it over: the
 * caller releases it. With buffers, the receiver may have put its image into
 * the one of that name (b->image_at says where). It stays the next one where a
 * buffer is too small, or of no tensor: -ERROR_BAD_ARGUMENT, -ERROR_NOT_FOUND.
 */
int prefetch_next(struct prefetch *p, const struct pasted_buffer *buffers,
                  size_t n_buffers, int64_t deadline_ns,
                  struct pasted_batch **out_batch, struct fault *fault);

int prefetch_pull(struct prefetch *p, uint64_t position, int64_t deadline_ns,
                  struct pasted_batch **out_batch, struct fault *fault);
/* Pulls on contexts (refine.h): asks, and waits for the oldest answer, which
 * stays due after -ERROR_TIMEOUT and -ERROR_CANCELLED. */
int prefetch_refine(struct prefetch *p, uint64_t position, const void *contexts,
                    uint64_t n_bytes, const uint8_t *given,
                    struct fault *fault);
int prefetch_refined(struct prefetch *p, int64_t deadline_ns,
                     struct pasted_batch **out_batch, struct fault *fault);
uint32_t prefetch_n_refines(const struct prefetch *p);
void prefetch_withdraw(struct prefetch *p); /* the newest */
/* Acknowledges the batch that was taken last and waits for the answer:
 * -ERROR_BAD_STATE, -ERROR_LEASE_LOST, -ERROR_CLOSED. */
int prefetch_ack(struct prefetch *p, int64_t deadline_ns, struct fault *fault);
bool prefetch_is_group(const struct prefetch *p);
void prefetch_seek(struct prefetch *p, uint64_t position);
uint64_t prefetch_cursor(struct prefetch *p);
struct pasted_stats prefetch_stats(struct prefetch *p);
void prefetch_interrupt(struct prefetch *p); /* any thread */

#endif
