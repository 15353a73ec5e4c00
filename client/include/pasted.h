/* libpasted: pulls balanced cut-and-paste training batches from a `pasted`
 * server. This is the whole public interface (with pasted_robust.h, which it
 * includes); it knows no training framework and no image format.
 *
 * THE WAY OF A BATCH
 *   pasted_client *c = pasted_create();
 *   pasted_open(c, "pasted://host:7700/default?batch=128&rank=0&world=2");
 *   while (pasted_next(c, &batch) == PASTED_OK) {
 *       pasted_batch_tensor(batch, "image", &image);    [n][h][w][3] u8
 *       pasted_batch_tensor(batch, "label", &label);    [n] i64
 *       ...
 *       pasted_batch_release(batch);
 *   }
 *   pasted_destroy(c);
 *
 * POSITIONS
 *   A stream is an endless sequence of samples, numbered from 0. A step of
 *   global batch size G at cursor p holds the samples [p, p + G); rank r of W
 *   gets [p + r*G/W, p + (r+1)*G/W). The cursor belongs to the client: it
 *   moves by G with each batch that pasted_next returns, and by nothing else.
 *   pasted_state() names it; pasted_restore() in another process continues
 *   there with the same bytes.
 *
 * THREADS
 *   A client handle is used by one thread at a time (any thread; the caller
 *   orders the calls). Different handles are independent. Two things may be
 *   done from any thread at any time: pasted_interrupt(), and everything that
 *   takes a pasted_batch (several threads may read one batch; one releases
 *   it). An open client runs one thread of its own, with all signals blocked,
 *   that receives batches ahead of the caller and reconnects. No call waits
 *   beyond its deadline ("timeout_ms", or "connect_timeout_ms" for each server
 *   of pasted_open), but for name resolution, which is the system's.
 *
 * FORK
 *   A handle belongs to the process that made it. After fork() every call in
 *   the child answers PASTED_FORKED and touches nothing; the parent is not
 *   disturbed. pasted_destroy() in the child closes the descriptors and leaves
 *   the memory. Batches can still be read in the child.
 *
 * OWNERSHIP
 *   A batch stays valid until pasted_batch_release, also after pasted_close
 *   and pasted_destroy. Its memory is its own and used again for a later batch:
 *   release batches to make nothing be allocated. Over a Unix socket (option
 *   "ring") a batch lies in the server's memory, mapped to read: writing to it
 *   is a fault. It does not change while it is held, nor when the server dies;
 *   the socket stays open until the last such batch is released. Only a server
 *   that ends the session itself, with an error or while it stops, waits for
 *   that no longer than 60 s. Strings in results belong to the handle or batch
 *   that gave them. Results are written on success only.
 *
 * GROUPS
 *   With the option "group", clients share one sequence of steps, first come,
 *   first served: pasted_next returns a step that no other member has. Calling
 *   it again acknowledges the batch before; so does pasted_ack, which waits for
 *   the answer. A step without acknowledgement goes to another member when its
 *   own closes, or shows no progress for "lease_ms" (a connection that breaks
 *   and is there again in that time takes nothing away); acknowledging it is
 *   then refused with PASTED_LEASE_LOST. So a step may be delivered more
 *   than once, and is acknowledged once. When all are, pasted_next returns
 *   PASTED_ENDED. The server keeps the group's place: pasted_seek, pasted_state
 *   and pasted_restore are PASTED_BAD_STATE.
 *
 * ERRORS
 *   0 (PASTED_OK) or a negative enum pasted_status. pasted_error(c) gives the
 *   name of the entry point that failed last on this handle and a sentence.
 *   No error but PASTED_FORKED ends a handle: after a failed pasted_next, call
 *   it again; it continues at the same position, loses nothing and repeats
 *   nothing. When the server is gone, the client tries the listed servers in
 *   turn for "reconnect_timeout_ms"; meanwhile pasted_next answers
 *   PASTED_TIMEOUT at its deadline, afterwards PASTED_CLOSED (or what a server
 *   said), and the next call begins trying anew.
 *   The library never prints, never exits, never sets a signal handler.
 */
#ifndef PASTED_H
#define PASTED_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define PASTED_API       __attribute__((visibility("default")))
#define PASTED_NODISCARD __attribute__((warn_unused_result))
#else
#define PASTED_API
#define PASTED_NODISCARD
#endif

/* The numbers are part of the protocol and never change. */
enum pasted_status {
    PASTED_OK = 0,
    PASTED_INTERNAL = -1,         /* a mistake of ours or of the server */
    PASTED_NO_MEMORY = -2,        /* out of memory */
    PASTED_BAD_ARGUMENT = -3,     /* an argument is invalid */
    PASTED_BAD_FRAME = -4,        /* the server sent something malformed */
    PASTED_TOO_LARGE = -5,        /* beyond a limit */
    PASTED_NOT_FOUND = -6,        /* no such stream, tensor, file or host */
    PASTED_FINGERPRINT = -7,      /* the stream is not the expected one */
    PASTED_UNAUTHORIZED = -8,     /* token missing or wrong */
    PASTED_UNSUPPORTED = -9,      /* not supported by this server */
    PASTED_OVERLOADED = -10,      /* the server is too busy, try again */
    PASTED_DRAINING = -11,        /* the server is stopping */
    PASTED_TIMEOUT = -12,         /* a deadline passed */
    PASTED_CLOSED = -13,          /* no connection */
    PASTED_IO = -14,              /* a file could not be read */
    PASTED_BAD_STATE = -15,       /* not now: not open, or open already */
    PASTED_CORRUPT = -16,         /* checksums keep failing */
    PASTED_BAD_FILE = -17,        /* a file on the server is malformed */
    PASTED_BAD_CONFIG = -18,      /* the server's configuration is wrong */
    PASTED_BAD_RECIPE = -19,      /* the server's recipe is wrong */
    PASTED_FORKED = -20,          /* the handle was made before fork() */
    PASTED_CANCELLED = -21,       /* pasted_interrupt() */
    PASTED_LEASE_LOST = -22,      /* the step was leased to another member */
    PASTED_ENDED = -23,           /* all steps of the group are done */
    PASTED_GROUP = -24,           /* the group is not as was asked */
    PASTED_UNKNOWN_FEEDBACK = -25 /* no feedback table of this digest there */
};

/* Item types of tensors; all little-endian. */
enum pasted_dtype {
    PASTED_U8 = 1,
    PASTED_I32 = 2,
    PASTED_I64 = 3,
    PASTED_F32 = 4,
    PASTED_F16 = 5,
    PASTED_BF16 = 6 /* the upper half of an f32 */
};

/* Order of the image tensor's dimensions. */
enum pasted_layout { PASTED_NHWC = 1, PASTED_NCHW = 2 };

/* What the image tensor's channels are, in order; grey has one. */
enum pasted_channels { PASTED_RGB = 1, PASTED_BGR = 2, PASTED_GREY = 3 };

#define PASTED_MAX_DIMS    4
#define PASTED_NAME_BYTES  256  /* names of streams and servers, with NUL */
#define PASTED_STATE_BYTES 1024 /* enough for every pasted_state() */

/* A connection to one stream; and one batch. */
typedef struct pasted pasted_client;
typedef struct pasted_batch pasted_batch;

/* What the stream is; fixed while the client is open. Structs that the library
 * fills are passed with their size, so that they can grow. */
struct pasted_info {
    char stream[PASTED_NAME_BYTES];
    char server[PASTED_NAME_BYTES]; /* name and version of the first server */
    char fingerprint[65];           /* hex: names every byte of the stream */
    uint64_t seed;
    uint64_t edges_per_epoch; /* samples until every pair was seen once */
    uint64_t batch_bytes;     /* one batch on the wire */
    uint32_t engine;          /* version of the server's engine */
    uint32_t global_batch;    /* G: positions in one step */
    uint32_t rank, world;
    uint32_t n_samples; /* in this rank's batch: G / W */
    uint32_t n_classes, n_objects, n_backgrounds;
    uint32_t objects_per_background;
    uint32_t height, width;
    uint32_t dtype;      /* of image: enum pasted_dtype */
    uint32_t layout;     /* of image: enum pasted_layout */
    uint32_t n_streams;  /* that the server offers: pasted_stream_name */
    uint32_t channels;   /* of image: enum pasted_channels */
    uint32_t candidates; /* of each of the n_samples, in one batch */
};

/* Counters since pasted_open. */
struct pasted_stats {
    uint64_t batches;     /* returned by next, next_into and pull */
    uint64_t bytes;       /* received, payloads of batches */
    uint64_t direct;      /* images received straight into caller's memory */
    uint64_t reconnects;  /* connections after the first */
    uint64_t corrupt;     /* checksums that failed; fetched again */
    uint64_t stale;       /* batches of before a seek, dropped */
    uint64_t waits;       /* calls of next that found nothing prefetched */
    uint64_t acks;        /* steps of a group acknowledged */
    uint64_t leases_lost; /* steps of a group that went to another member */
    uint64_t mapped;      /* batches that lie in the server's memory */
    uint64_t ready;   /* batches of next that were there when it was called */
    uint64_t waited;  /* batches of next that had to be waited for */
    uint64_t wait_ns; /* in next: what the trainer stalled */
    uint64_t busy_ns; /* between one next and the following */
    uint64_t first_batch_ns; /* from pasted_open to the first; 0: not yet */
};

/* What a group's step is leased as. */
struct pasted_lease {
    uint64_t lease;    /* 0: the batch is of no group */
    uint64_t step;     /* of the group, from 0 */
    uint32_t delivery; /* 1: nobody had it before */
    uint32_t lease_ms;
};

/* One tensor of a batch: row-major, contiguous, aligned to 64 bytes. */
struct pasted_tensor {
    const char *name;
    const void *data;
    uint64_t n_bytes;
    uint64_t shape[PASTED_MAX_DIMS];
    uint32_t n_dims;
    uint32_t dtype; /* enum pasted_dtype */
};

/* Memory of the caller for one tensor of pasted_next_into. */
struct pasted_buffer {
    const char *name; /* of the tensor */
    void *data;       /* any alignment */
    uint64_t n_bytes; /* at least the tensor's */
};

/* ---- the client ------------------------------------------------------- */

/* NULL when memory is short. Free with pasted_destroy. */
PASTED_NODISCARD PASTED_API pasted_client *pasted_create(void);

/* Closes and frees; NULL is fine. Bounded: it waits for no server. */
PASTED_API void pasted_destroy(pasted_client *c);

/* Sets an option by key; both strings are copied. Keys, with their defaults:
 *   servers              host:port[,host:port...]  127.0.0.1:7700
 *                        unix:/path: a socket of this host
 *   stream               name; "" = the server's first          ""
 *   batch                global batch size; 0 = the stream's    0
 *   rank, world          this rank of that many                 0, 1
 *   position             cursor to begin at                     0
 *   dtype                default, u8, f16, bf16, f32 (of image) default
 *   layout               default, nhwc, nchw                    default
 *   checksum             default, none, crc32, xxh3, auto;
 *                        default: xxh3, none to a Unix socket   default
 *   token                bearer token                           ""
 *   token_file           file whose first line is the token;
 *                        read again at each connection          ""
 *   fingerprint          64 hex digits to insist on; "" = any   ""
 *   prefetch             batches to hold ahead, 0..1024;
 *                        0 = ask only while a call waits        3
 *   max_batch_bytes      largest batch to accept                1073741824
 *   connect_timeout_ms   for each server and attempt            5000
 *   timeout_ms           of next, next_into and pull            30000
 *   reconnect_timeout_ms until a lost connection is given up    60000
 *   keepalive_ms         silence before a PING                  10000
 *   ring                 on, off: over a Unix socket, read
 *                        batches where the server made them     on
 *   name                 of this client, in the server's log    libpasted
 *   replay               go round in so many steps for ever,
 *                        from the server's cache: what a
 *                        trainer could do at best; 0 = no       0
 *   candidates           poses of each sample, 1..32; a batch then
 *                        holds n * candidates items, item i * k + j
 *                        is candidate j of sample i, which tensor
 *                        "candidate" says; 0 is the sample itself 1
 *   group                name of a group to join; "" = none     ""
 *   member               this member's name in it; "" = made up ""
 *   steps, epochs        the group's end; 0 = none              0, 0
 *   lease_ms             silence after which a member's steps
 *                        go to others; 0 = the group's          0
 * PASTED_BAD_ARGUMENT: unknown key or unusable value (pasted_error says what
 * would be right); the option keeps its value. PASTED_BAD_STATE: the client is
 * open (only timeout_ms can be set then). */
PASTED_NODISCARD PASTED_API int pasted_set(pasted_client *c, const char *key,
                                           const char *value);

/* Connects and opens the stream:
 *   pasted://HOST[:PORT][,HOST[:PORT]...][/STREAM][?KEY=VALUE[&KEY=VALUE...]]
 *   pasted+unix:///PATH/OF/SOCKET[?stream=STREAM[&KEY=VALUE...]]
 * KEY is any key of pasted_set but token; %XX is decoded. The parts given
 * override the options; url NULL takes the options alone. Servers are tried
 * once each, in turn; a name stands for all its addresses (16 at most) and is
 * resolved again whenever a connection is made. On failure the client is
 * closed, keeps its options, and may be opened again. */
PASTED_NODISCARD PASTED_API int pasted_open(pasted_client *c, const char *url);

/* Ends the connection and drops what was prefetched; batches that the caller
 * holds stay valid. Closing a closed client does nothing. */
PASTED_API void pasted_close(pasted_client *c);

/* Pass sizeof *out. PASTED_BAD_STATE while not open. */
PASTED_NODISCARD PASTED_API int
pasted_info(pasted_client *c, struct pasted_info *out, size_t out_bytes);
PASTED_NODISCARD PASTED_API int
pasted_stats(pasted_client *c, struct pasted_stats *out, size_t out_bytes);

/* Name of a class (index < n_classes) or of a stream that the server offers
 * (index < n_streams); NULL beyond. Valid until pasted_close. */
PASTED_API const char *pasted_class_name(pasted_client *c, uint32_t index);
PASTED_API const char *pasted_stream_name(pasted_client *c, uint32_t index);

/* What the server says of: "operations" (that recipes may name), "presets",
 * "preset NAME" (a whole recipe), "recipe STREAM" (that of a stream),
 * "sessions", "feedback" (the tables), "feedback DIGEST", "groups STREAM" or
 * "group STREAM NAME"; as JSON text (PROTOCOL.md, ASK). Asks the servers of the
 * options in turn over a connection of its own, whether the client is open or
 * not, and takes connect_timeout_ms at each at most. *out_json is valid until
 * the next pasted_ask that succeeds or pasted_destroy. PASTED_NOT_FOUND: the
 * server knows no such thing; PASTED_UNSUPPORTED: it is too old to answer;
 * PASTED_TOO_LARGE: the answer is beyond 1 MiB (a table of many classes). */
PASTED_NODISCARD PASTED_API int pasted_ask(pasted_client *c, const char *what,
                                           const char **out_json);

/* The batch at the cursor, then moves the cursor by G. The caller owns *out.
 * PASTED_TIMEOUT, PASTED_CLOSED and the like: see ERRORS above. */
PASTED_NODISCARD PASTED_API int pasted_next(pasted_client *c,
                                            pasted_batch **out_batch);

/* As pasted_next, but copies the named tensors into the caller's buffers and
 * keeps no batch; tensors without a buffer are dropped. out_first_position may
 * be NULL. When nothing was prefetched yet, the "image" tensor (the last and
 * by far the largest) is received by the kernel straight into the caller's
 * buffer; else it is copied once from the prefetched batch. prefetch=0 makes
 * the first way the rule, at the price of waiting for the server each time.
 * The small tensors are always copied. After an error the buffers hold
 * undefined bytes and the batch is still the next one. PASTED_NOT_FOUND: no
 * tensor of that name; PASTED_BAD_ARGUMENT: a buffer is too small. */
PASTED_NODISCARD PASTED_API int
pasted_next_into(pasted_client *c, const struct pasted_buffer *buffers,
                 size_t n_buffers, uint64_t *out_first_position);

/* One step out of order: the batch at that cursor, whatever the stream does.
 * Does not move the cursor. An overloaded server is asked again, after the time
 * that it asks for, until the deadline. */
PASTED_NODISCARD PASTED_API int pasted_pull(pasted_client *c, uint64_t position,
                                            pasted_batch **out_batch);

/* ---- refined chains ----------------------------------------------------
 * On a stream whose recipe has a chain (chain/slots S > 0), a sample is pasted
 * on the one S positions before. A trainer that perturbs what it got (FGSM,
 * PGD: pasted_pgd_step) sends the result back as the contexts of the positions
 * S later:
 *
 *   pasted_refine(c, 0, NULL, 0, NULL);             two lanes of G = S / 2
 *   pasted_refine(c, G, NULL, 0, NULL);
 *   for (p = 0;; p += G) {
 *       pasted_refined(c, &batch);                  positions p ...
 *       train and perturb -> u8 [n][h][w][3] RGB
 *       pasted_refine(c, p + S, perturbed, n_bytes, NULL);
 *   }
 *
 * While the trainer works on one lane, the other is composed and received. The
 * server keeps nothing: the contexts of S positions are part of a checkpoint.
 * Where a chain begins (a reset, equal labels, its greatest length) the server
 * leaves out the context that was sent and uses the sample's own, so chains end
 * as often as without. */

/* Asks for the batch at that cursor, pasted on contexts: u8, [n][height][width]
 * [3] RGB, n = n_samples of struct pasted_info; copied. given: n bytes, 0 where
 * a chain begins anew; NULL: all given. contexts NULL with n_bytes 0: every
 * chain begins. Does not wait; sent again when the connection is lost.
 * PASTED_BAD_ARGUMENT: another size; PASTED_OVERLOADED: four are not taken yet;
 * PASTED_UNSUPPORTED: an old server. */
PASTED_NODISCARD PASTED_API int
pasted_refine(pasted_client *c, uint64_t position, const void *contexts,
              uint64_t n_bytes, const uint8_t *given);

/* The batch of the oldest pasted_refine. A server that has no room for contexts
 * is sent them again, after the time that it asks for. After PASTED_TIMEOUT and
 * PASTED_CANCELLED the batch is still due; other errors end it:
 * PASTED_BAD_ARGUMENT (the stream has no chain). */
PASTED_NODISCARD PASTED_API int pasted_refined(pasted_client *c,
                                               pasted_batch **out_batch);

/* Both in one, when none is under way; given up at the deadline. */
PASTED_NODISCARD PASTED_API int
pasted_pull_on(pasted_client *c, uint64_t position, const void *contexts,
               uint64_t n_bytes, pasted_batch **out_batch);

/* Moves the cursor; what was prefetched is dropped. Does not wait. */
PASTED_NODISCARD PASTED_API int pasted_seek(pasted_client *c,
                                            uint64_t position);

/* Cursor of the batch that pasted_next returns next. */
PASTED_NODISCARD PASTED_API int pasted_position(pasted_client *c,
                                                uint64_t *out_position);

/* What a checkpoint needs, as one line of JSON with a NUL:
 *   {"stream":"default","fingerprint":"9f...","position":1204}
 * and with a feedback table its digest, "feedback":"5a...".
 * PASTED_TOO_LARGE when out_bytes does not suffice. */
PASTED_NODISCARD PASTED_API int pasted_state(pasted_client *c, char *out,
                                             size_t out_bytes);

/* Continues from such a text. Before pasted_open it sets stream, fingerprint
 * and position, and opening fails when the server's stream is another; on an
 * open client it compares both and seeks. PASTED_BAD_ARGUMENT: not such a
 * text; PASTED_FINGERPRINT: another stream. Nothing is changed then. */
PASTED_NODISCARD PASTED_API int pasted_restore(pasted_client *c,
                                               const char *text);

/* Which class lies under or beside an object, for streams whose recipe has
 * distractors: a feedback table. weights: [n_classes][n_classes], row c for
 * objects of class c, proportions within a row; whole numbers up to 65535 as
 * they are, other rows scaled so that the largest is 65535. Copied. NULL: no
 * table, all other classes alike.
 *
 * Before pasted_open: used by it. On an open client: from the next batch on
 * (what was prefetched is dropped; a second connection takes over and counters
 * begin anew); when that fails nothing has changed. The server keeps tables for
 * a while, named by digest: the client uploads its own again wherever it is not
 * known, after failing over too. pasted_state names it, and pasted_restore asks
 * for it; give the table before pasted_open where servers may have forgotten
 * it. The option `feedback` is such a name.
 *
 * PASTED_BAD_ARGUMENT: a weight that is negative, infinite or NaN, a row of
 * zeros (the text says which), other classes than the stream's, or a recipe
 * without distractors; PASTED_TOO_LARGE: more than 1024 classes;
 * PASTED_UNKNOWN_FEEDBACK: not there, or another than the state names;
 * PASTED_BAD_STATE: an open client of a group. */
PASTED_NODISCARD PASTED_API int
pasted_feedback(pasted_client *c, const double *weights, uint32_t n_classes);

/* Acknowledges the batch that pasted_next returned last, and waits for the
 * answer. PASTED_LEASE_LOST: another member has the step; PASTED_BAD_STATE: no
 * group, or no batch without an answer; PASTED_CLOSED: the connection ended
 * first, and nobody knows. */
PASTED_NODISCARD PASTED_API int pasted_ack(pasted_client *c);

/* From any thread: the call that waits on this handle now (else the next one
 * that would wait) returns PASTED_CANCELLED. Does not end pasted_open, which
 * bounds itself. Not for signal handlers. */
PASTED_API void pasted_interrupt(pasted_client *c);

/* "pasted_next: no batch within 30000 ms ..."; "" before the first failure.
 * Valid until the next call on this handle. */
PASTED_API const char *pasted_error(const pasted_client *c);

/* "timeout" for PASTED_TIMEOUT; "ok", "unknown". */
PASTED_API const char *pasted_status_name(int status);

/* Of the library: "0.1.0". */
PASTED_API const char *pasted_version(void);

/* ---- confusion counts: one thread at a time each ----------------------- */

/* How often a trainer took which class for which: what feedback is made of. */
typedef struct pasted_confusion pasted_confusion;

/* All zero; 1 to 1024 classes, else NULL, as where memory is short. */
PASTED_API pasted_confusion *pasted_confusion_create(uint32_t n_classes);
PASTED_API void
pasted_confusion_destroy(pasted_confusion *k); /* NULL is fine */
PASTED_API void pasted_confusion_reset(pasted_confusion *k);

/* Counts n pairs of true and predicted class (the tensor `label`, and what the
 * model says). Counts are of 32 bits: all are halved when one would pass them.
 * PASTED_BAD_ARGUMENT: a class that is none; nothing is counted then. */
PASTED_NODISCARD PASTED_API int pasted_confusion_add(pasted_confusion *k,
                                                     const int64_t *truth,
                                                     const int64_t *predicted,
                                                     size_t n);
/* 0 for classes that are none. */
PASTED_API uint32_t pasted_confusion_count(const pasted_confusion *k,
                                           uint32_t truth, uint32_t predicted);
/* Writes [n_classes][n_classes] weights for pasted_feedback: how often the
 * row's class was taken for the column's, and `smoothing` more (1 lets every
 * class come now and then), 0 for the class itself. A row without any is 1 for
 * all others. PASTED_BAD_ARGUMENT: smoothing is negative or not finite. */
PASTED_NODISCARD PASTED_API int
pasted_confusion_weights(const pasted_confusion *k, double smoothing,
                         double *out);

/* ---- batches: any thread ---------------------------------------------- */

/* Gives the memory back; NULL is fine. */
PASTED_API void pasted_batch_release(pasted_batch *b);

/* Position of sample 0 of this slice; number of items (n_samples * candidates
 * of struct pasted_info); the step's cursor. */
PASTED_API uint64_t pasted_batch_first_position(const pasted_batch *b);
PASTED_API uint32_t pasted_batch_n_samples(const pasted_batch *b);
PASTED_API uint64_t pasted_batch_cursor(const pasted_batch *b);

/* Pass sizeof *out. lease is 0 for a batch of no group. */
PASTED_API void pasted_batch_lease(const pasted_batch *b,
                                   struct pasted_lease *out, size_t out_bytes);

/* Tensors in the order of the wire ("image" last), or by name.
 * PASTED_NOT_FOUND. out points into the batch. */
PASTED_API uint32_t pasted_batch_n_tensors(const pasted_batch *b);
PASTED_NODISCARD PASTED_API int pasted_batch_tensor(const pasted_batch *b,
                                                    const char *name,
                                                    struct pasted_tensor *out);
PASTED_NODISCARD PASTED_API int
pasted_batch_tensor_at(const pasted_batch *b, uint32_t index,
                       struct pasted_tensor *out);

#ifdef __cplusplus
}
#endif

#include "pasted_robust.h" /* adversarial steps on batches of images */

#endif
