/* Little-endian readers and writers over a bounded span, with a sticky
 * failure: decode everything, check once. No I/O, no allocation. */
#ifndef PASTED_COMMON_BYTES_H
#define PASTED_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads from [at, end). After the first read past the end `failed` stays true
 * and every read gives zero (or NULL). */
struct bytes_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

void bytes_reader_init(struct bytes_reader *r, const void *data,
                       size_t n_bytes);
size_t bytes_left(const struct bytes_reader *r);
uint8_t bytes_read_u8(struct bytes_reader *r);
uint16_t bytes_read_u16(struct bytes_reader *r);
uint32_t bytes_read_u32(struct bytes_reader *r);
uint64_t bytes_read_u64(struct bytes_reader *r);
/* n_bytes in place, owned by the span; NULL (and failed) when fewer remain. */
const uint8_t *bytes_read_span(struct bytes_reader *r, size_t n_bytes);
/* u16 length and that many bytes, copied NUL-terminated into out; fails when
 * it does not fit in out_bytes or is not bytes_text_valid. */
void bytes_read_string(struct bytes_reader *r, char *out, size_t out_bytes);
/* Whole span consumed and nothing failed. */
bool bytes_reader_done(const struct bytes_reader *r);

/* Valid UTF-8 (no overlong form, no surrogate) without control characters
 * (U+0000..001F, U+007F..009F): the only text that travels. */
bool bytes_text_valid(const char *text, size_t n_bytes);
/* Makes NUL-terminated text valid: every byte that does not belong is '?'. */
void bytes_text_clean(char *text);

/* Writes to [at, end); overflow sets `failed` and writes nothing more. */
struct bytes_writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed;
};

void bytes_writer_init(struct bytes_writer *w, void *data, size_t n_bytes);
size_t bytes_written(const struct bytes_writer *w);
void bytes_write_u8(struct bytes_writer *w, uint8_t v);
void bytes_write_u16(struct bytes_writer *w, uint16_t v);
void bytes_write_u32(struct bytes_writer *w, uint32_t v);
void bytes_write_u64(struct bytes_writer *w, uint64_t v);
void bytes_write_span(struct bytes_writer *w, const void *data, size_t n_bytes);
void bytes_write_string(struct bytes_writer *w, const char *text); /* u16 len */

#endif
