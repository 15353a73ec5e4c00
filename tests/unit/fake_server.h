/* A server in the test's process that speaks the protocol through common/wire
 * and misbehaves as it is told. One connection at a time. Renders no images:
 * every byte follows from its position.
 *
 * Threads: the server has one of its own; it asserts nothing, it counts. */
#ifndef PASTED_TESTS_FAKE_SERVER_H
#define PASTED_TESTS_FAKE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/checksum.h"
#include "common/error.h"

#define FAKE_G       8u /* default global batch */
#define FAKE_SIDE    96u
#define FAKE_EPOCH   43u
#define FAKE_CLASSES 3u
#define FAKE_SAMPLE  (FAKE_SIDE * FAKE_SIDE * 3u)

/* What happens once a connection has sent `after` batches. */
enum fake_then {
    FAKE_GO_ON,
    FAKE_DROP, /* the connection, between batches */
    FAKE_DROP_MID_BATCH,
    FAKE_STOP_ANSWERING,   /* read, never answer again, not even PING */
    FAKE_HALF_THEN_WAIT,   /* half a batch, the rest after fake_release */
    FAKE_HALF_UNTIL_ASKED, /* half a batch, the rest when something comes */
    FAKE_ERROR,            /* ERROR with `code`, fatal */
    FAKE_SOFT_ERROR,       /* ERROR with `code` for the stream, not fatal */
    FAKE_OVERSIZED,        /* a BATCH header of nearly 4 GiB */
    FAKE_GARBAGE,          /* 64 bytes that are no frame */
    FAKE_DRAIN,            /* DRAIN at the cursor, then CLOSE */
    FAKE_PING,             /* PING, and on with the PONG */
    FAKE_UNASKED,          /* batches without end, whatever the credit */
    FAKE_WRONG_POSITION,   /* a batch of another position */
};

/* What answers HELLO or OPEN instead of what should. */
enum fake_greeting {
    FAKE_WELCOME,
    FAKE_NO_WELCOME,     /* silence */
    FAKE_REFUSE_HELLO,   /* fatal ERROR with `code` */
    FAKE_REFUSE_OPEN,    /* ERROR with `code` */
    FAKE_OTHER_POSITION, /* OPENED somewhere else */
    FAKE_CLASS_LIE,      /* fewer class names than OPENED counts */
    FAKE_OTHER_SHAPE,    /* OPENED says other sides; the bytes are as many */
};

struct fake_behaviour {
    enum fake_greeting greeting;
    enum fake_then then;
    uint32_t after;
    enum error_code code;
    uint32_t n_corrupt;    /* the first batches of the stream are damaged */
    bool corrupt_label;    /* ... in a label, not in the image */
    bool stale_after_seek; /* one more batch of the old serial after a SEEK */
    bool corrupt_pulls, refuse_pulls;
    uint8_t fingerprint; /* every byte of it; 0 means 0x5a */
};

#define FAKE_MAX_PLANS 8

struct fake_counts {
    uint32_t connections, batches, seeks, pulls, pongs, credit;
    uint32_t max_outstanding; /* credit not yet used */
    uint64_t opened_at;       /* position of the last OPEN */
    uint64_t sought;          /* of the last SEEK */
    uint32_t rank, world;     /* of the last OPEN */
    char token[64];
};

struct fake_server;

/* plans[i] is how connection i behaves, the last one for all that follow. port
 * 0: any. NULL on failure. */
struct fake_server *
fake_start(uint16_t port, const struct fake_behaviour *plans, uint32_t n_plans);
uint16_t fake_port(const struct fake_server *f);
struct fake_counts fake_counts(struct fake_server *f);
void fake_release(struct fake_server *f); /* FAKE_HALF_THEN_WAIT goes on */
/* As kill -9 does: connections end without a word. */
void fake_stop(struct fake_server *f);

uint8_t fake_pixel(uint64_t position, uint32_t offset);
int64_t fake_label(uint64_t position);

#endif
