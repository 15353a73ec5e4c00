/* Bounded little-endian reading and writing, and the check of text.
 * No I/O, no allocation. Threads: each reader and writer is one owner's. */
#include "common/bytes.h"

#include <string.h>

void bytes_reader_init(struct bytes_reader *r, const void *data, size_t n_bytes)
{
    static const uint8_t nothing[1];
    r->at = n_bytes ? data : nothing;
    r->end = r->at + n_bytes;
    r->failed = false;
}

size_t bytes_left(const struct bytes_reader *r)
{
    return (size_t)(r->end - r->at);
}

const uint8_t *bytes_read_span(struct bytes_reader *r, size_t n_bytes)
{
    if (r->failed || n_bytes > bytes_left(r)) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *span = r->at;
    r->at += n_bytes;
    return span;
}

static uint64_t read_little(struct bytes_reader *r, size_t n_bytes)
{
    const uint8_t *p = bytes_read_span(r, n_bytes);
    uint64_t v = 0;
    for (size_t i = 0; p && i < n_bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint8_t bytes_read_u8(struct bytes_reader *r)
{
    return (uint8_t)read_little(r, 1);
}

uint16_t bytes_read_u16(struct bytes_reader *r)
{
    return (uint16_t)read_little(r, 2);
}

uint32_t bytes_read_u32(struct bytes_reader *r)
{
    return (uint32_t)read_little(r, 4);
}

uint64_t bytes_read_u64(struct bytes_reader *r)
{
    return read_little(r, 8);
}

void bytes_read_string(struct bytes_reader *r, char *out, size_t out_bytes)
{
    size_t n = bytes_read_u16(r);
    const char *text = (const char *)bytes_read_span(r, n);
    if (!text || n >= out_bytes || !bytes_text_valid(text, n)) {
        r->failed = true;
        if (out_bytes)
            out[0] = '\0';
        return;
    }
    memcpy(out, text, n);
    out[n] = '\0';
}

bool bytes_reader_done(const struct bytes_reader *r)
{
    return !r->failed && r->at == r->end;
}

void bytes_writer_init(struct bytes_writer *w, void *data, size_t n_bytes)
{
    w->start = data;
    w->at = data;
    w->end = w->start + n_bytes;
    w->failed = false;
}

size_t bytes_written(const struct bytes_writer *w)
{
    return (size_t)(w->at - w->start);
}

void bytes_write_span(struct bytes_writer *w, const void *data, size_t n_bytes)
{
    if (w->failed || n_bytes > (size_t)(w->end - w->at)) {
        w->failed = true;
        return;
    }
    if (n_bytes)
        memcpy(w->at, data, n_bytes);
    w->at += n_bytes;
}

static void write_little(struct bytes_writer *w, uint64_t v, size_t n_bytes)
{
    uint8_t little[8];
    for (size_t i = 0; i < n_bytes; i++)
        little[i] = (uint8_t)(v >> (8 * i));
    bytes_write_span(w, little, n_bytes);
}

void bytes_write_u8(struct bytes_writer *w, uint8_t v)
{
    write_little(w, v, 1);
}

void bytes_write_u16(struct bytes_writer *w, uint16_t v)
{
    write_little(w, v, 2);
}

void bytes_write_u32(struct bytes_writer *w, uint32_t v)
{
    write_little(w, v, 4);
}

void bytes_write_u64(struct bytes_writer *w, uint64_t v)
{
    write_little(w, v, 8);
}

void bytes_write_string(struct bytes_writer *w, const char *text)
{
    size_t n = strlen(text);
    /* Length and text together or not at all. */
    if (n > UINT16_MAX || n + 2 > (size_t)(w->end - w->at))
        w->failed = true;
    bytes_write_u16(w, (uint16_t)n);
    bytes_write_span(w, text, n);
}

/* Bytes of the character at p (at least one byte is there), or 0 when it is
 * malformed, cut short or a control character. The ranges of the second byte
 * are Unicode's table 3-7; for C2 it begins at A0 to leave out U+0080..009F. */
static size_t character_bytes(const uint8_t *p, size_t n_left)
{
    static const struct {
        uint8_t first_lo, first_hi, second_lo, second_hi, n;
    } forms[] = {
        {0x20, 0x7e, 0, 0, 1},       {0xc2, 0xc2, 0xa0, 0xbf, 2},
        {0xc3, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (p[0] < forms[i].first_lo || p[0] > forms[i].first_hi)
            continue;
        size_t n = forms[i].n;
        if (n > n_left)
            return 0;
        if (n > 1 && (p[1] < forms[i].second_lo || p[1] > forms[i].second_hi))
            return 0;
        for (size_t k = 2; k < n; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return n;
    }
    return 0;
}

bool bytes_text_valid(const char *text, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes;) {
        size_t n = character_bytes((const uint8_t *)text + i, n_bytes - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

void bytes_text_clean(char *text)
{
    size_t n_bytes = strlen(text);
    for (size_t i = 0; i < n_bytes;) {
        size_t n = character_bytes((const uint8_t *)text + i, n_bytes - i);
        if (n == 0) {
            text[i] = '?';
            n = 1;
        }
        i += n;
    }
}
