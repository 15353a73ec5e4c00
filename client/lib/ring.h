/* The server's memory as a client of the same host reads it: one mapping per
 * connection, and the slots in it that the client holds. Knows no frames.
 *
 * Threads: release from any; the others from the receiver's.
 *
 *   SLOT -> ring_hold -> batch -> ring_release -> ring_take_released -> RETURN
 *
 * The server writes to a slot again once it is returned or the socket has
 * ended. So the socket stays open, and the mapping with it, until the last
 * batch is released, also after the connection was given up (ring_leave). */
#ifndef PASTED_CLIENT_LIB_RING_H
#define PASTED_CLIENT_LIB_RING_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/wire.h"

#define RING_MAX_HELD 1024 /* slots at once */

struct ring;

/* Maps what memory_fd is, which it closes. wake_fd is written to when several
 * slots were released, until ring_leave: fewer go with the next credit.
 * -ERROR_BAD_FRAME: no sealed memory file, which could be cut short under our
 * eyes; -ERROR_NO_MEMORY. */
int ring_create(int memory_fd, int wake_fd, struct ring **out,
                struct fault *fault);
/* The connection is over: the ring ends socket_fd with its last slot. */
void ring_leave(struct ring *ring, int socket_fd);

/* A slot that the server has given: where its payload lies. -ERROR_BAD_FRAME
 * with a sentence: it lies beyond the memory, its id was used before, or there
 * are too many. sums_bytes: of the checksum table, 0 for none. */
int ring_hold(struct ring *ring, const struct wire_slot *slot,
              uint64_t sums_bytes, const uint8_t **out_payload,
              const uint8_t **out_sums, struct fault *fault);
void ring_release(struct ring *ring, uint64_t slot);
/* Ids of released slots, at most max, that the server is to be told. */
uint32_t ring_take_released(struct ring *ring, uint64_t *out, uint32_t max);

#endif
