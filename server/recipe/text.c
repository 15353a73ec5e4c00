/* The growing text and the shortest decimals. Parses nothing. */
#include "server/recipe/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"

static bool make_room(struct text *t, size_t n_more)
{
    if (t->failed) {
        return false;
    }
    if (t->n_room - t->n_bytes > n_more) {
        return true;
    }
    size_t room = (t->n_bytes + n_more + 1) * 2;
    char *bytes = mem_realloc(t->bytes, room);
    if (bytes == NULL) {
        t->failed = true;
        return false;
    }
    t->bytes = bytes;
    t->n_room = room;
    return true;
}

void text_put(struct text *t, const char *string)
{
    size_t n = strlen(string);
    if (make_room(t, n)) {
        memcpy(t->bytes + t->n_bytes, string, n + 1);
        t->n_bytes += n;
    }
}

void text_printf(struct text *t, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int n = vsnprintf(NULL, 0, format, list);
    if (n < 0) {
        t->failed = true;
    } else if (make_room(t, (size_t)n)) {
        vsnprintf(t->bytes + t->n_bytes, (size_t)n + 1, format, again);
        t->n_bytes += (size_t)n;
    }
    va_end(again);
    va_end(list);
}

void text_put_number(struct text *t, double x)
{
    char number[TEXT_NUMBER_BYTES];
    text_number(x, number);
    text_put(t, number);
}

char *text_take(struct text *t)
{
    char *bytes = t->bytes;
    if (t->failed) {
        mem_free(bytes);
        bytes = NULL;
    }
    *t = (struct text){0};
    return bytes;
}

/* Whole numbers that a double counts exactly read better without exponent. */
static bool is_plain_integer(double x)
{
    return x > -1e15 && x < 1e15 && (double)(int64_t)x == x;
}

void text_number(double x, char out[TEXT_NUMBER_BYTES])
{
    if (is_plain_integer(x)) {
        snprintf(out, TEXT_NUMBER_BYTES, "%" PRId64, (int64_t)x);
        return;
    }
    /* 17 significant digits always read back (IEEE 754). */
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, TEXT_NUMBER_BYTES, "%.*g", digits, x);
        if (strtod(out, NULL) == x) {
            return;
        }
    }
}

void text_float(float x, char out[TEXT_NUMBER_BYTES])
{
    if (is_plain_integer((double)x)) {
        text_number((double)x, out);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, TEXT_NUMBER_BYTES, "%.*g", digits, (double)x);
        if ((float)strtod(out, NULL) == x) {
            return;
        }
    }
}
