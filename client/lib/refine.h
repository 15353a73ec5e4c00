/* Pulls on contexts of the caller's: the caller's side. No sockets, no frames.
 * Threads: the caller's. */
#ifndef PASTED_CLIENT_LIB_REFINE_H
#define PASTED_CLIENT_LIB_REFINE_H

#include "client/lib/exchange.h"
#include "client/lib/receiver.h"

/* Queues one, with a copy of the contexts. -ERROR_BAD_ARGUMENT (another size
 * than the stream's), -ERROR_OVERLOADED (too many not taken yet),
 * -ERROR_NO_MEMORY, -ERROR_UNSUPPORTED. given NULL: all of them. */
int refine_add(struct exchange *x, const struct stream_facts *f,
               uint64_t position, const void *contexts, uint64_t n_bytes,
               const uint8_t *given, struct fault *fault);
/* With the lock held: takes the oldest, when it is answered: 1; 0: not yet;
 * negative: its failure, and it is forgotten. */
int refine_take(struct exchange *x, struct pasted_batch **out_batch,
                struct fault *fault);
/* The newest is not wanted any more. */
void refine_withdraw(struct exchange *x);

#endif
