/* The text of a checkpoint: {"stream":"...","fingerprint":"...","position":N},
 * with "feedback":"..." where a table decides the distractors. Compares it with
 * nothing. */
#ifndef PASTED_CLIENT_LIB_STATE_H
#define PASTED_CLIENT_LIB_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/wire.h"

struct state {
    char stream[WIRE_MAX_NAME_BYTES];
    uint8_t fingerprint[WIRE_FINGERPRINT_BYTES];
    uint64_t position;
    bool has_feedback;
    uint8_t feedback[FEEDBACK_DIGEST_BYTES]; /* zeros where there is none */
};

/* -ERROR_TOO_LARGE when it does not fit. */
int state_format(const struct state *s, char *out, size_t out_bytes);

/* One JSON object with exactly these keys, in any order, white space
 * allowed. -ERROR_BAD_ARGUMENT with a sentence. */
int state_parse(const char *text, struct state *out, struct fault *fault);

#endif
