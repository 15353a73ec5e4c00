/* Error codes that both ends of the wire share, and the fault that carries a
 * sentence for people. Knows no transport; libc only.
 *
 * Functions that can fail return 0 or a negated code (-ERROR_...). */
#ifndef PASTED_COMMON_ERROR_H
#define PASTED_COMMON_ERROR_H

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, number, word, HTTP status, retry helps, sentence)
 * Numbers are on the wire and in pasted.h: never reuse or renumber. */
#define ERROR_TABLE(X)                                                         \
    X(INTERNAL, 1, "internal", 500, false, "a mistake of ours")                \
    X(NO_MEMORY, 2, "no_memory", 503, true, "out of memory")                   \
    X(BAD_ARGUMENT, 3, "bad_argument", 400, false, "an argument is invalid")   \
    X(BAD_FRAME, 4, "bad_frame", 400, false, "a frame is malformed")           \
    X(TOO_LARGE, 5, "too_large", 413, false, "beyond a limit")                 \
    X(NOT_FOUND, 6, "not_found", 404, false, "no such thing")                  \
    X(FINGERPRINT, 7, "fingerprint_mismatch", 409, false,                      \
      "the stream is not the expected one")                                    \
    X(UNAUTHORIZED, 8, "unauthorized", 401, false, "token missing or wrong")   \
    X(UNSUPPORTED, 9, "unsupported", 400, false, "not supported here")         \
    X(OVERLOADED, 10, "overloaded", 503, true, "too busy, try again")          \
    X(DRAINING, 11, "draining", 503, true, "the server is stopping")           \
    X(TIMEOUT, 12, "timeout", 504, true, "a deadline passed")                  \
    X(CLOSED, 13, "closed", 503, true, "the connection is closed")             \
    X(IO, 14, "io", 500, true, "input or output failed")                       \
    X(BAD_STATE, 15, "bad_state", 409, false, "not allowed in this state")     \
    X(CORRUPT, 16, "corrupt", 500, true, "a checksum does not match")          \
    X(BAD_FILE, 17, "bad_file", 422, false, "a file is malformed")             \
    X(BAD_CONFIG, 18, "bad_config", 422, false, "the configuration is wrong")  \
    X(BAD_RECIPE, 19, "bad_recipe", 422, false, "the recipe is wrong")         \
    X(FORKED, 20, "forked", 409, false, "a handle was used after fork()")      \
    X(CANCELLED, 21, "cancelled", 503, true, "the request was cancelled")      \
    X(LEASE_LOST, 22, "lease_lost", 409, false,                                \
      "the step is no longer leased to this member")                           \
    X(ENDED, 23, "ended", 409, false, "all steps of the group are done")       \
    X(GROUP, 24, "group_mismatch", 409, false,                                 \
      "the group is not as this member wants it")                              \
    X(UNKNOWN_FEEDBACK, 25, "unknown_feedback", 404, false,                    \
      "no feedback table of this digest is here")

enum error_code {
    ERROR_OK = 0,
#define X(name, number, word, status, retry, sentence) ERROR_##name = number,
    ERROR_TABLE(X)
#undef X
};

/* The functions take a code with either sign. Unknown codes read as
 * "unknown", status 500, no retry. */
const char *error_word(int code);
const char *error_sentence(int code);
int error_http_status(int code);
bool error_is_retryable(int code);

/* What went wrong, for a person: where, what, and what to do. Plain data;
 * zero-initialise. The first fault set wins nothing: each set overwrites. */
struct fault {
    int code; /* an error_code, positive; 0 while unset */
    char text[512];
};

/* Writes code and text (truncated to fit) and returns -code, so that a caller
 * can `return fault_set(fault, ERROR_BAD_FILE, "...")`. fault may be NULL. */
int fault_set(struct fault *fault, enum error_code code, const char *format,
              ...) __attribute__((format(printf, 3, 4)));

/* Puts "<prefix>: " before the text that is there; returns -code. */
int fault_prefix(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
