/* One client's session: its state, its stream, its credit and the batches on
 * their way to it. Private to server/tcp; session.c has its life, flow.c moves
 * batches, gateway.c answers messages. Threads: loop thread only. */
#ifndef PASTED_TCP_SESSION_H
#define PASTED_TCP_SESSION_H

#include "server/groups/lease.h"
#include "server/serve/demand.h"
#include "server/serve/store.h"
#include "server/tcp/server.h"
#include "server/tcp/transport.h"

#define SESSION_MAGIC     0x53455353u
#define SESSION_MAX_AHEAD 8  /* batches of the stream asked for ahead */
#define SESSION_MAX_PULLS 16 /* unanswered at once */
#define SESSION_MAX_SENDS 2  /* batches in the socket at once */
#define SESSION_MAX_SLOTS 64 /* batches that a client reads in place */
/* The largest batch that may overtake others: some samples of usual size. */
#define SESSION_SMALL_BYTES (64u << 10)
/* A client that takes no byte for so long has what is composed for it, and not
 * in the socket, taken back until it reads again. */
#define SESSION_STALL_NS 1000000000ull

/* What WELCOME may grant of what HELLO asks for. */
#define SESSION_CAPABILITIES                                                   \
    (WIRE_CAPABILITY_ASK | WIRE_CAPABILITY_GROUPS | WIRE_CAPABILITY_REPLAY |   \
     WIRE_CAPABILITY_PACE | WIRE_CAPABILITY_KEEP | WIRE_CAPABILITY_HARD)
#define SESSION_LEASE_BYTES (WIRE_HEADER_BYTES + 32) /* a LEASE frame */

/* PROTOCOL.md section 5. The allowed moves stand in session.c. */
enum session_state {
    SESSION_FRESH,     /* no HELLO yet */
    SESSION_READY,     /* greeted, no stream */
    SESSION_STREAMING, /* a stream is open */
    SESSION_DRAINING,  /* what was begun is sent, then CLOSE */
    SESSION_CLOSING,   /* last frame queued; until the socket is gone */
    SESSION_N_STATES,
};

enum session_end {
    SESSION_END_PEER,    /* CLOSE, end of stream or reset by the client */
    SESSION_END_ERROR,   /* a fatal ERROR of ours, or we could not write */
    SESSION_END_TIMEOUT, /* hello, idle, write stall */
    SESSION_END_DRAIN,
    SESSION_N_ENDS,
};

/* A batch that the client has asked for, until it is handed to the socket. */
struct order {
    enum { ORDER_FREE, ORDER_WAITING, ORDER_COMPOSING, ORDER_READY } state;
    struct session *session;
    struct store_request request; /* busy while COMPOSING */
    struct contexts *contexts;    /* of a REFINE: one reference; else NULL */
    struct batch *batch;          /* one reference while READY */
    uint64_t cursor;              /* of its step */
    struct lease lease;           /* of a group's step, not yet sent */
    uint32_t id;                  /* of the PULL; unused for the stream's */
    uint64_t number;              /* PULLs are begun in this order */
    uint64_t begun_ns, stall_ns;  /* of the stream's: how long it was missed */
};

/* A batch in the socket. */
struct send {
    struct transport_write write; /* first: found again from it */
    struct session *session;
    struct batch *batch; /* one reference; NULL: free */
    /* LEASE when the session is of a group, BATCH's header, its head. */
    uint8_t
        front[SESSION_LEASE_BYTES + WIRE_HEADER_BYTES + WIRE_BATCH_HEAD_BYTES];
};

/* A batch that the client reads in place. */
struct slot {
    uint64_t id;
    struct batch *batch; /* one reference */
};

struct session {
    uint32_t magic;
    struct tcp_server *server;
    struct session *previous, *next;
    struct transport transport;
    enum session_state state;
    uint64_t number;
    char peer[64];
    char client[WIRE_MAX_NAME_BYTES];
    uint32_t capabilities; /* agreed on in WELCOME */

    /* The stream; kept while DRAINING. NULL: none. */
    struct stream *stream;
    struct feedback *feedback; /* of the stream, one reference; NULL: none */
    uint32_t serial;
    uint32_t global_batch, rank, world, n_samples;
    uint32_t n_candidates; /* of each sample, 1.. */
    uint8_t dtype, layout;
    enum checksum_kind checksum;
    uint64_t batch_bytes; /* payload of each BATCH */
    uint64_t cursor;      /* of the next step to ask the store for */
    uint64_t credit_batches, credit_bytes; /* for batches not yet sent */
    uint32_t replay; /* steps to go round in, from replay_from; 0: none */
    uint64_t replay_from;
    /* In a group: global_batch is n_samples, cursor and rank mean nothing. */
    struct lease_member *member;
    bool told_ended;
    bool may_return;          /* to its leases, when its connection breaks */
    struct consumer consumer; /* linked while a stream is open */
    uint64_t emptied_ns;      /* when the socket last ran out of batches */

    /* The stream's orders: a ring, oldest at first_ahead. */
    struct order ahead[SESSION_MAX_AHEAD];
    uint32_t first_ahead, n_ahead;
    struct fault failure; /* why the stream ends once n_ahead is 0 */
    struct order pulls[SESSION_MAX_PULLS];
    uint32_t n_pulls;
    uint64_t next_pull;
    /* The long frame under way: what has come of a REFINE or why that is
     * refused, of a FEEDBACK. */
    struct contexts *incoming;
    struct fault refusal;
    uint8_t *table;
    uint64_t table_bytes;
    uint64_t context_bytes; /* that this session's contexts hold */
    struct send sends[SESSION_MAX_SENDS];
    uint32_t n_sends;
    struct slot slots[SESSION_MAX_SLOTS];
    uint32_t n_slots;
    uint64_t slot_bytes;
    uint64_t ahead_bytes; /* this session's part of the server's */
    bool holds;           /* anything at all */
    bool stalled;         /* takes no bytes: gets nothing more made */

    uint64_t accepted_ns;
    uint64_t active_ns;  /* last frame from the client or batch to it */
    uint64_t closing_ns; /* since when nothing moves in CLOSING */
    uint64_t drain_until_ns;
    bool opened_once, pinged;
    bool said_close; /* the client: what it still reads is its own matter */
    uint64_t sent_batches;
};

/* session.c */

/* Accepts the waiting connection of a listener; false when memory is short: to
 * be tried again. */
bool session_accept(struct listener *listener);
void session_move(struct session *s, enum session_state to);
/* Looks at the clocks. */
void session_tick(struct session *s, uint64_t now_ns);
void session_drain(struct session *s);
/* Everything is said and sent, but slots are held. */
bool session_only_reads(const struct session *s);

/* Ends the stream's orders and PULLs; what is in the socket goes on. */
void session_drop_orders(struct session *s);
/* Ends the session after what is queued: with fatal ERROR or with CLOSE. */
void session_fail(struct session *s, enum session_end why, uint32_t request,
                  int code, const char *text);
void session_goodbye(struct session *s, enum session_end why, int code,
                     const char *text);
/* The client has said CLOSE: ends it once no slot is held. */
void session_bye(struct session *s);
/* Ends it now, without a word. */
void session_break(struct session *s, enum session_end why, const char *text);
/* Sends a frame made with wire_frame_finish (n_bytes 0: it did not fit). */
void session_send_frame(struct session *s, const void *frame, size_t n_bytes);
/* ERROR that is not fatal. */
void session_refuse(struct session *s, uint32_t request, int code,
                    const char *text);

/* flow.c */

/* Moves what can move: begins orders within the credit, hands finished ones
 * to the socket. Called after whatever may have changed that. */
void flow_pump(struct session *s);
/* Takes back the stream's orders that are not in the socket: the cursor is
 * then the caller's to set. */
void flow_drop_ahead(struct session *s);
void flow_drop_pulls(struct session *s);
/* The client takes no bytes, or takes them again. */
void flow_stall(struct session *s, bool stalled);
/* Takes a PULL, and over a reference to the contexts of a REFINE (else NULL); 0
 * or a negative code with a sentence, and then the reference stays. */
int flow_pull(struct session *s, uint32_t id, uint64_t cursor,
              struct contexts *contexts, struct fault *fault);
bool flow_is_idle(const struct session *s); /* nothing ordered or in flight */

/* slots.c */

/* Makes b, which stays the caller's, readable in place; false where the session
 * has no such memory, b lies elsewhere or the session holds its share. */
bool slots_take(struct session *s, struct batch *b, struct wire_slot *out);
bool slots_return(struct session *s, uint64_t slot); /* false: not held */
/* All of them: the client has ended its socket, or does not end it. */
void slots_drop(struct session *s);

/* gateway.c */

/* Answers one frame of the client. */
void gateway_frame(struct session *s, const struct wire_header *h,
                   const uint8_t *payload);
/* May a long frame be read? Else the session is ended. */
bool gateway_may_begin(struct session *s, const struct wire_header *h);
/* Fills the session's stream; on failure none is open. */
int gateway_open_stream(struct session *s, const struct wire_open *m,
                        uint32_t request, struct fault *fault);
/* What follows an OPEN or a JOIN that succeeded, or failed with status. */
void gateway_answer_open(struct session *s, uint32_t request, int status,
                         const struct fault *fault);

/* announce.c: allocated where they can be long. */
void announce_welcome(struct session *s, uint32_t request);
void announce_opened(struct session *s, uint32_t request);

/* member.c */

/* JOIN and ACK; -ERROR_BAD_FRAME when the payload is malformed. */
int member_on_join(struct session *s, const struct wire_header *h,
                   struct bytes_reader *r);
int member_on_ack(struct session *s, const struct wire_header *h,
                  struct bytes_reader *r);
/* Leases the group's next step to o: 1, or 0 when there is none now. */
int member_lease(struct session *s, struct order *o);
/* Gives o's lease back, when it has one. */
void member_release(struct session *s, struct order *o);
/* The LEASE frame before o's BATCH, into out. */
void member_write_lease(struct session *s, const struct order *o, uint8_t *out);
/* o's batch is in the socket. */
void member_delivered(struct session *s, struct order *o);
void member_renew(struct session *s);
void member_leave(struct session *s);
/* The connection broke: leaves, but for a client that may come back. */
void member_detach(struct session *s);
/* What OPENED says of a group. */
void member_describe(const struct session *s, struct wire_opened *m);
extern const struct lease_events member_events;

/* feedback.c */

/* Memory for a long FEEDBACK, the session's; a negative code: it is refused. */
int feedback_begin(struct session *s, const struct wire_header *h,
                   uint8_t **out_payload);
void feedback_drop(struct session *s); /* gives it back */
/* FEEDBACK; -ERROR_BAD_FRAME when its payload is malformed. */
int feedback_on_upload(struct session *s, const struct wire_header *h,
                       struct bytes_reader *r);

/* refine.c */

/* Where a REFINE goes; NULL: it is dropped. */
uint8_t *refine_begin(struct session *s, const struct wire_header *h,
                      const uint8_t head[WIRE_REFINE_HEAD_BYTES]);
/* All of it has come; -ERROR_BAD_FRAME when its head is malformed. */
int refine_end(struct session *s, const struct wire_header *h,
               struct bytes_reader *r);
/* What has come of one goes. */
void refine_drop(struct session *s);

/* ask.c */

/* Answers ASK; -ERROR_BAD_FRAME when its payload is malformed. */
int ask_answer(struct session *s, const struct wire_header *h,
               struct bytes_reader *r);
/* The REPLY to a request, which holds text. */
void ask_reply(struct session *s, uint32_t request, const char *text);

#endif
