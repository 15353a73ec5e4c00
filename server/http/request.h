/* A request under way: what was asked, how it waits, how it is answered.
 * Threads: loop thread only.
 *
 *   ASKED --handler answers------------------------------> ANSWERED
 *     |                                                       ^
 *     +--handler starts work--> WAITING (suspended) --done----+
 *                                  |--deadline: 504-----------+
 *                                  +--server closes: 503------+
 *
 * ANSWERED holds a response; MHD sends it and then says COMPLETED, which frees
 * the request. */
#ifndef PASTED_HTTP_REQUEST_H
#define PASTED_HTTP_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <microhttpd.h>

#include "common/error.h"
#include "server/http/etag.h"
#include "server/http/http.h"
#include "server/http/params.h"

#define HTTP_MAX_URI_BYTES 1024 /* longer: 414 */
#define HTTP_RETRY_AFTER_S 1    /* of 429 and 503 */
#define HTTP_CACHE_NEVER   "no-store"
#define HTTP_CACHE_ASK     "no-cache"
#define HTTP_CACHE_FOREVER "public, max-age=31536000, immutable"

struct http_route;
struct http_work;

/* One accepted socket. */
struct http_connection {
    struct http_connection *prev, *next;
    struct MHD_Connection *mhd;
    struct http_request *request; /* begun and not completed; NULL: none */
    /* When it is shut down for being slow: a request that does not arrive, an
     * answer that is not taken. 0: never (we are at work). */
    uint64_t deadline_ns;
};

struct http_request {
    struct http_request *prev, *next;
    struct http_server *server;
    struct MHD_Connection *mhd;
    char uri[HTTP_MAX_URI_BYTES]; /* as sent, cut to fit */
    bool bad_uri, long_uri;
    bool seen, suspended, answered;
    bool head; /* HEAD: everything but the body */

    const struct http_route *route; /* NULL when none matches */
    struct http_captures captures;
    struct http_params params;

    struct feedback *feedback; /* that the query names; one reference */
    /* Of a PUT: what was sent, as far as it has come, with a NUL behind it. */
    uint8_t *upload;
    size_t upload_bytes, upload_have;

    struct http_work *work; /* while WAITING */
    uint64_t deadline_ns;

    /* Of the answer. */
    char etag[HTTP_ETAG_BYTES]; /* "" for none */
    const char *cache_control;
    char policy[256];              /* Content-Security-Policy; "" for none */
    bool is_batch;                 /* counts as a batch sent */
    struct MHD_Response *response; /* NULL when memory was short */
    unsigned status;
    uint64_t body_bytes;
    uint64_t reserved_bytes; /* of the server's body budget */
};

struct http_server {
    uv_loop_t *loop;
    struct workers *workers;
    struct store *store;
    const struct stream_set *streams;
    struct http_config config;
    uint16_t port;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;
    uv_timer_t timer; /* MHD's own */
    uv_timer_t sweep; /* deadlines; runs while there are connections */
    struct http_connection *connections;
    struct http_request *requests;
    uint32_t n_requests;
    uint32_t n_works; /* also those that nobody waits for any more */
    uint64_t reserved_bytes;
    bool ready, was_ready, closing;
    bool has_ended; /* a connection has, in the latest run of MHD */
};

/* Bytes of an answer and how to give them back (NULL: they are static). */
struct http_body {
    void *data;
    size_t n_bytes;
    void (*release)(void *data);
};

/* request.c: MHD's callbacks. */
void *http_request_begin(void *server, const char *uri,
                         struct MHD_Connection *mhd);
enum MHD_Result http_request_handle(void *server, struct MHD_Connection *mhd,
                                    const char *path, const char *method,
                                    const char *version, const char *upload,
                                    size_t *upload_bytes, void **request);
void http_request_completed(void *server, struct MHD_Connection *mhd,
                            void **request,
                            enum MHD_RequestTerminationCode why);
void http_connection_notify(void *server, struct MHD_Connection *mhd,
                            void **context,
                            enum MHD_ConnectionNotificationCode what);
/* Answers what waited too long, shuts down who is too slow. */
void http_sweep(struct http_server *s, uint64_t now_ns);
/* Answers 503 to all who wait. */
void http_request_cancel_all(struct http_server *s);

/* The route is open, or a token is there that is good; else r is answered. */
bool http_request_authorised(struct http_request *r);
/* Room for n_bytes more of bodies; given back with the request. One alone may
 * be as large as it likes. */
bool http_request_reserve(struct http_request *r, uint64_t n_bytes);

/* upload.c: the body of a PUT, of at most HTTP_MAX_UPLOAD_BYTES. */
#define HTTP_MAX_UPLOAD_BYTES (1u << 20)
/* After the headers of a request with a body: true when it is to be read, else
 * r is answered. */
bool http_upload_begin(struct http_request *r, const char *path,
                       const char *method);
void http_upload_take(struct http_request *r, const char *data, size_t n_bytes);

/* http.c: MHD runs in the loop's next turn. */
void http_server_wake(struct http_server *s);

/* respond.c: each makes the one answer of a request; the body is taken over
 * in every case. */
void http_answer(struct http_request *r, unsigned status, const char *media,
                 struct http_body body);
/* Static text. */
void http_answer_text(struct http_request *r, unsigned status,
                      const char *media, const char *text);
/* Takes json over; NULL (no memory) answers 500. With an entity tag of its
 * bytes, and 304 where the client has them. */
void http_answer_json(struct http_request *r, json_t *json);
/* The same with JSON that is text already. */
void http_answer_json_text(struct http_request *r, struct http_body body);
/* A HEAD without rendering: n_bytes is what GET would send, or
 * MHD_SIZE_UNKNOWN. */
void http_answer_head(struct http_request *r, const char *media,
                      uint64_t n_bytes);
/* problem+json (RFC 9457). */
void http_fail(struct http_request *r, enum error_code code, const char *format,
               ...) __attribute__((format(printf, 3, 4)));
void http_fail_fault(struct http_request *r, const struct fault *fault);
/* With a status and word of HTTP's own; extra (may be NULL) is taken over:
 * its members join the problem's. allow: of 405, else NULL. */
struct http_problem {
    unsigned status;
    const char *word, *title, *allow;
    json_t *extra;
};
void http_refuse(struct http_request *r, const struct http_problem *problem,
                 const char *detail);

/* Conditions; each returns false when it has answered the request. */
/* The stream that the first capture names, and the feedback table that the
 * query does: else 404, or 503 while loading. */
struct stream *http_request_stream(struct http_request *r);
/* fingerprint= agrees (then the answer is immutable) or is absent; else 409. */
bool http_request_pinned(struct http_request *r, const struct stream *stream);
/* Sets the tag; 304 when the client has it. */
bool http_request_stale(struct http_request *r, const struct stream *stream,
                        uint64_t first_position, uint32_t n_samples,
                        const char *form);
#define HTTP_FORM_BYTES 256
/* Forms for http_request_stale: `what` and all of the recipe's output that
 * decides its bytes, since the fingerprint does not name it. A PNG's names its
 * encoder too. */
void http_form_output(const char *what, const struct recipe *recipe,
                      uint8_t dtype, uint8_t layout, char out[HTTP_FORM_BYTES]);
void http_form_png(const char *what, const struct recipe *recipe,
                   char out[HTTP_FORM_BYTES]);
/* 304 when the client has r->etag. */
bool http_request_unheld(struct http_request *r);
/* Capture i as a number; else 400. */
bool http_request_number(struct http_request *r, uint32_t i, const char *what,
                         uint64_t *out);

#endif
