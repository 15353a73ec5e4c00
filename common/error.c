/* The words, sentences and statuses of the error codes, and the fault.
 * Does not log and knows no transport. Threads: pure functions. */
#include "common/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct row {
    int code;
    const char *word;
    int http_status;
    bool retryable;
    const char *sentence;
};

static const struct row rows[] = {
#define X(name, number, word, status, retry, sentence)                         \
    {number, word, status, retry, sentence},
    ERROR_TABLE(X)
#undef X
};

static const struct row ok_row = {0, "ok", 200, false, "no error"};
static const struct row unknown_row = {-1, "unknown", 500, false,
                                       "an error this version does not know"};

static const struct row *find(int code)
{
    if (code == 0)
        return &ok_row;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code || rows[i].code == -code)
            return &rows[i];
    return &unknown_row;
}

const char *error_word(int code)
{
    return find(code)->word;
}

const char *error_sentence(int code)
{
    return find(code)->sentence;
}

int error_http_status(int code)
{
    return find(code)->http_status;
}

bool error_is_retryable(int code)
{
    return find(code)->retryable;
}

int fault_set(struct fault *fault, enum error_code code, const char *format,
              ...)
{
    if (fault) {
        /* Format aside first: an argument may be the old text itself. */
        char text[sizeof fault->text] = "";
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        memcpy(fault->text, text, sizeof text);
        fault->code = (int)code;
    }
    return -(int)code;
}

/* What does not fit is cut off. */
static void append(char *text, size_t text_bytes, const char *more)
{
    size_t n = strlen(text);
    size_t n_more = strnlen(more, text_bytes - 1 - n);
    memcpy(text + n, more, n_more);
    text[n + n_more] = '\0';
}

int fault_prefix(struct fault *fault, const char *format, ...)
{
    if (!fault)
        return -ERROR_INTERNAL;
    char text[sizeof fault->text] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append(text, sizeof text, ": ");
    append(text, sizeof text, fault->text);
    memcpy(fault->text, text, sizeof text);
    return -fault->code;
}
