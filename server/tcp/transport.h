/* Bytes in, bytes out: one connection's socket, TCP or Unix. Puts incoming
 * bytes together to whole, checked frames, long ones where their owner says,
 * and writes frames from pieces without copying them. Does not know what a
 * frame means. Threads: loop thread only.
 *
 *   open --transport_finish--> finishing --peer's end or close--> closing
 *    |     (writes what is queued, then FIN;  input is dropped)      |
 *    '------------------transport_close----------------------------->'-> closed
 */
#ifndef PASTED_TCP_TRANSPORT_H
#define PASTED_TCP_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "common/wire.h"

/* Two of the longest frames that lie in it: there is always room to read on. */
#define TRANSPORT_IN_BYTES   (2 * WIRE_MAX_CLIENT_BYTES)
#define TRANSPORT_MAX_PIECES 3
/* Of a long frame's payload, before its owner says where it goes. */
#define TRANSPORT_FIRST_BYTES WIRE_REFINE_HEAD_BYTES
/* Control frames waiting to be taken, beyond which nothing more is read. */
#define TRANSPORT_MAX_CONTROLS 32

/* What the owner learns. After `closed` the owner may free the transport. */
struct transport_events {
    void (*frame)(void *owner, const struct wire_header *h,
                  const uint8_t *payload);
    /* A REFINE, or a frame longer than WIRE_MAX_CLIENT_BYTES, begins; its first
     * bytes are there. 0: *out_payload is where all of its payload goes, the
     * owner's memory until `frame` follows or the connection is finished or
     * closed; NULL drops it, and `frame` gets the first bytes alone. Or the
     * negative code to refuse it with. */
    int (*begin)(void *owner, const struct wire_header *h,
                 const uint8_t first[TRANSPORT_FIRST_BYTES],
                 uint8_t **out_payload);
    /* The bytes are no frame of a client: a negative code. Input is dropped
     * from here on. */
    void (*refused)(void *owner, int code);
    /* It has sent as much as one connection may in a turn of the loop: nothing
     * more is read until transport_resume, in another turn. */
    void (*rests)(void *owner);
    /* The peer sends no more: UV_EOF or what broke. */
    void (*ended)(void *owner, int uv_status);
    void (*closed)(void *owner);
};

/* One write under way: the caller's memory, with all its pieces, until done
 * is called (from the loop, also when the connection breaks). */
struct transport_write {
    uv_write_t request;
    struct transport *transport;
    uv_buf_t pieces[TRANSPORT_MAX_PIECES];
    unsigned n_pieces;
    size_t n_bytes;
    void (*done)(struct transport_write *write, int uv_status);
};

/* A long frame under way. */
struct transport_long {
    struct wire_header header; /* payload_bytes 0: none */
    uint64_t n_got;            /* of the payload */
    uint32_t crc;
    uint64_t begun_ns;
    uint8_t first[TRANSPORT_FIRST_BYTES];
    uint8_t *payload; /* the owner's; NULL: dropped */
};

struct transport {
    union { /* tcp or pipe by is_unix; the others are what both begin with */
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } socket;
    bool is_unix;
    uv_shutdown_t shutdown;
    const struct transport_events *events;
    void *owner;
    uint8_t in[TRANSPORT_IN_BYTES];
    size_t n_in;
    struct transport_long incoming;
    int wake_bytes;        /* the socket's SO_RCVLOWAT; 0: not set */
    uint32_t n_controls;   /* control frames under way */
    uint64_t queued_bytes; /* handed to the socket so far */
    uint64_t taken_bytes;  /* of these taken by it when last looked */
    uint64_t taken_ns;     /* when taken_bytes last grew */
    size_t turn_bytes;     /* read, and frames taken, since it rested */
    bool reading, dropping, finishing, closing;
    bool resting; /* others' turn */
};

/* Initialises the handle; 0 or a libuv error (nothing to undo then). */
int transport_init(struct transport *t, uv_loop_t *loop, bool is_unix,
                   const struct transport_events *events, void *owner);
/* After uv_accept: sets the socket's options and reads. */
int transport_start(struct transport *t);

/* Reads on after `rests`; else nothing. */
void transport_resume(struct transport *t);

/* Frames from memory that is copied; 0, -ERROR_NO_MEMORY or -ERROR_IO. */
int transport_send_control(struct transport *t, const void *frame,
                           size_t n_bytes);
/* A frame from memory that is copied, with a descriptor, over a Unix socket to
 * which nothing waits to be written; else -ERROR_IO, and nothing was sent. */
int transport_send_fd(struct transport *t, const void *frame, size_t n_bytes,
                      int fd);
/* 0 (done will be called) or -ERROR_IO (it will not). */
int transport_send(struct transport *t, struct transport_write *write);

/* Nanoseconds for which bytes have waited and none was taken; 0 when nothing
 * waits. To be asked every now and then. */
uint64_t transport_stalled_ns(struct transport *t, uint64_t now_ns);
/* Nanoseconds since a long frame began that is not whole yet; 0: none. */
uint64_t transport_frame_ns(const struct transport *t, uint64_t now_ns);
/* Writes out what is queued, then FIN; drops input until the peer ends. */
void transport_finish(struct transport *t);
void transport_close(struct transport *t); /* now; `closed` follows */

/* "address:port" of the peer; "unix, process N" where it has a credential. */
void transport_peer(const struct transport *t, char *out, size_t out_bytes);

#endif
