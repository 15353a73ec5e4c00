/* Whole numbers and bytes as digits, read strictly: nothing but digits, all of
 * the text, no overflow. Knows no signs, spaces, units or locales. */
#ifndef PASTED_COMMON_DIGITS_H
#define PASTED_COMMON_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits, one at least. *out is written on success only. */
bool digits_read(const char *text, uint64_t *out);

/* The value of a hexadecimal digit of either case; -1 for anything else. */
int digits_hex_value(char c);
/* Exactly 2 * n_bytes hexadecimal digits. out holds n_bytes, undefined on
 * failure. */
bool digits_read_hex(const char *text, uint8_t *out, size_t n_bytes);
/* Lower case; out holds 2 * n_bytes + 1, NUL-terminated. */
void digits_write_hex(const uint8_t *bytes, size_t n_bytes, char *out);

#endif
