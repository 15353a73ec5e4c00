/* What a caller can choose, by key, checked as it is set. Opens nothing: a
 * token file is read when a connection needs the token. */
#ifndef PASTED_CLIENT_LIB_OPTIONS_H
#define PASTED_CLIENT_LIB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "client/lib/servers.h"
#include "common/error.h"
#include "common/wire.h"

#define OPTIONS_PATH_BYTES   4096
#define OPTIONS_MAX_PREFETCH 1024
#define OPTIONS_MEMBER_BYTES 65 /* names of groups and members, with NUL */

struct options {
    struct servers servers;
    char stream[WIRE_MAX_NAME_BYTES];
    uint32_t batch, rank, world;
    uint64_t position;
    uint32_t dtype, layout;  /* 0: the stream's */
    uint32_t checksum_kinds; /* bits, as in HELLO; 0: by the way there */
    char token[WIRE_MAX_TOKEN_BYTES];
    char token_file[OPTIONS_PATH_BYTES];
    bool has_fingerprint;
    uint8_t fingerprint[WIRE_FINGERPRINT_BYTES];
    uint32_t prefetch;
    uint64_t max_batch_bytes;
    uint32_t connect_timeout_ms, timeout_ms, reconnect_timeout_ms;
    uint32_t keepalive_ms;
    uint32_t ring; /* read batches in the server's memory where it offers it */
    char name[WIRE_MAX_NAME_BYTES];
    char group[OPTIONS_MEMBER_BYTES]; /* "": none */
    char member[OPTIONS_MEMBER_BYTES];
    uint64_t steps; /* of the group; 0: by epochs */
    uint32_t epochs, lease_ms;
    bool has_feedback; /* a table's digest is known */
    uint8_t feedback[FEEDBACK_DIGEST_BYTES];
    const uint8_t *table; /* its weights as they travel, the client's; NULL */
    uint32_t table_classes;
    uint32_t replay;     /* steps to go round in; 0: none */
    uint32_t candidates; /* of each sample, 1.. */
};

void options_init(struct options *o);

/* -ERROR_BAD_ARGUMENT with a sentence that names the key and what it takes;
 * *o is unchanged then. */
int options_set(struct options *o, const char *key, const char *value,
                struct fault *fault);

/* The cursor of the step after the one at `cursor`, G being global_batch and
 * `from` where a replay's round begins. */
uint64_t options_step(const struct options *o, uint64_t from, uint64_t cursor,
                      uint32_t global_batch);

/* The kinds of checksum to offer: those chosen, else xxh3 over TCP and none to
 * a server of the same host, where bytes do not travel. */
uint32_t options_kinds(const struct options *o, bool is_unix);

/* Whether the key may be set while the client is open. */
bool options_key_is_live(const char *key);

/* What no single key can show: rank < world, world divides batch.
 * -ERROR_BAD_ARGUMENT. */
int options_check(const struct options *o, struct fault *fault);

/* The token to send: `token`, else the first line of `token_file`, else "".
 * out holds WIRE_MAX_TOKEN_BYTES. -ERROR_IO, -ERROR_NOT_FOUND,
 * -ERROR_BAD_ARGUMENT (empty or too long). */
int options_token(const struct options *o, char *out, struct fault *fault);

#endif
