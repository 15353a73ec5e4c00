/* The client's side of a group: joining, leases, acknowledgements. Sends what
 * the receiver is to send, keeps what the exchange holds. */
#ifndef PASTED_CLIENT_LIB_MEMBER_H
#define PASTED_CLIENT_LIB_MEMBER_H

#include "client/lib/receiver.h"

/* A name nobody else has, where none was given: host-process-number. */
void member_make_name(char *name, size_t n_bytes);

/* The receiver's thread: */

/* JOIN on the terms of `open` and the options, in the place of OPEN. */
int member_join(struct receiver *r, const struct wire_open *open,
                int64_t deadline_ns, struct fault *fault);
int member_send_acks(struct receiver *r, struct fault *fault);
/* The frames LEASE and ACKED that were just read. */
int member_lease(struct receiver *r, struct fault *fault);
int member_acked(struct receiver *r, struct fault *fault);
/* Gives the lease that came before it to b. */
int member_take_lease(struct receiver *r, struct pasted_batch *b,
                      struct fault *fault);
void member_ended(struct exchange *x); /* takes the lock */

/* With the lock held: */

/* The connection is gone, and with it all leases, unless the server keeps them
 * for who comes back. */
void member_lost(struct receiver *r);
/* The caller wants another batch: true when an ACK is to be sent. */
bool member_wants_next(struct exchange *x);
/* pasted_ack begins. -ERROR_BAD_STATE. */
int member_ask_ack(struct exchange *x, struct fault *fault);
/* Its answer as a code with a sentence. */
int member_answer(struct exchange *x, struct fault *fault);

#endif
