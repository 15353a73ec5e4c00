/* What a request's text may say: numbers, fingerprints, path patterns, query
 * keys. Pure parsing, knows no connection. */
#ifndef PASTED_HTTP_PARAMS_H
#define PASTED_HTTP_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/base/digest.h"
#include "server/plan/plan.h"

#define HTTP_MAX_POSITION INT64_MAX /* positions are i64 on every wire */

/* X(ID, query key, smallest, largest, what it says). FINGERPRINT and FEEDBACK
 * are 64 hexadecimal digits, DTYPE and LAYOUT words, the others decimal
 * numbers. Rank, world and batch reach as far as PROTOCOL.md's u32: how many
 * samples one slice may have is for stream_slice to say. */
#define HTTP_PARAMS(X)                                                         \
    X(RANK, "rank", 0, UINT32_MAX, "Rank whose slice of the step is meant.")   \
    X(WORLD, "world", 1, UINT32_MAX, "Number of ranks; divides the batch.")    \
    X(BATCH, "batch", 1, UINT32_MAX,                                           \
      "Global batch size; the recipe's where not given.")                      \
    X(DTYPE, "dtype", 0, 0, "Of image; the recipe's where not given.")         \
    X(LAYOUT, "layout", 0, 0, "Of image; the recipe's where not given.")       \
    X(CANDIDATES, "candidates", 1, PLAN_MAX_CANDIDATES,                        \
      "Poses of each sample, side by side; 1 where not given.")                \
    X(CANDIDATE, "candidate", 0, PLAN_MAX_CANDIDATES - 1,                      \
      "Which pose of the sample; 0, its own, where not given.")                \
    X(EPOCH, "epoch", 0, HTTP_MAX_POSITION, "Epoch; 0 where not given.")       \
    X(FROM, "from", 0, HTTP_MAX_POSITION, "First step to tell about; 0.")      \
    X(VERBOSE, "verbose", 0, 1, "Say what the answer rests on, a line each.")  \
    X(FEEDBACK, "feedback", 0, 0,                                              \
      "Feedback table that says which class lies under or beside an object; "  \
      "all others alike where not given.")                                     \
    X(FINGERPRINT, "fingerprint", 0, 0,                                        \
      "Expected fingerprint of the stream: another one is refused with 409, "  \
      "and the answer may be cached for ever.")

enum http_param {
#define X(id, key, lo, hi, help) HTTP_PARAM_##id,
    HTTP_PARAMS(X)
#undef X
        HTTP_PARAM_COUNT
};

#define HTTP_PARAM_BIT(id) (1u << HTTP_PARAM_##id)

struct http_params {
    uint32_t given; /* bit per enum http_param */
    uint64_t number[HTTP_PARAM_COUNT];
    struct digest fingerprint, feedback;
};

const char *http_param_key(enum http_param p);
const char *http_param_help(enum http_param p);
uint64_t http_param_min(enum http_param p);
uint64_t http_param_max(enum http_param p);
bool http_param_is_digest(enum http_param p);
/* The words that a parameter may be; NULL from the end on, and for all i of a
 * parameter that is no word. */
const char *http_param_word(enum http_param p, uint32_t i);

/* One key of a query. value may be NULL (no '='). allowed: bits of what the
 * route takes. -ERROR_BAD_ARGUMENT with a sentence: unknown, not allowed here,
 * twice, not a number, out of range. */
int http_params_add(struct http_params *params, uint32_t allowed,
                    const char *key, const char *value, struct fault *fault);
/* The number (of a word: of common/tensor.h), or otherwise where it was not
 * given. */
uint64_t http_params_number(const struct http_params *params, enum http_param p,
                            uint64_t otherwise);
/* Candidates of each sample, 1 where not given. */
uint32_t http_params_candidates(const struct http_params *params);

/* Decimal digits only (no sign, no leading zero but "0" itself), at most max.
 * 0 or -ERROR_BAD_ARGUMENT; *out is written on success only. */
int http_parse_number(const char *text, uint64_t max, uint64_t *out);

#define HTTP_MAX_CAPTURES  2
#define HTTP_CAPTURE_BYTES 80 /* with the NUL */

/* What the {names} of a pattern stand for, in order. */
struct http_captures {
    uint32_t n;
    char text[HTTP_MAX_CAPTURES][HTTP_CAPTURE_BYTES];
};

/* Matches a whole path against a pattern such as "/v1/streams/{stream}" or
 * "/a/{n}.png": a {name} takes one or more characters other than '/', up to
 * what follows it in its segment. *out is undefined when it does not match. */
bool http_path_match(const char *pattern, const char *path,
                     struct http_captures *out);

#endif
