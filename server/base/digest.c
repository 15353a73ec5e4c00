/* SHA-256 over typed pieces, and its hexadecimal form. Decides nothing about
 * what is digested. Threads: any, one state each. */
#include "server/base/digest.h"

#include <string.h>

#include "common/digits.h"
#include "common/error.h"

void digest_init(struct digest_state *s)
{
    sha256_init(&s->sha256);
}

void digest_update(struct digest_state *s, const void *data, size_t n_bytes)
{
    if (n_bytes > 0)
        sha256_update(&s->sha256, n_bytes, data);
}

void digest_update_u32(struct digest_state *s, uint32_t v)
{
    const uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
                              (uint8_t)(v >> 24)};

    digest_update(s, bytes, sizeof(bytes));
}

void digest_update_u64(struct digest_state *s, uint64_t v)
{
    digest_update_u32(s, (uint32_t)v);
    digest_update_u32(s, (uint32_t)(v >> 32));
}

void digest_update_string(struct digest_state *s, const char *text)
{
    size_t n_bytes = strlen(text);

    digest_update_u32(s, (uint32_t)n_bytes);
    digest_update(s, text, n_bytes);
}

struct digest digest_final(struct digest_state *s)
{
    struct digest d;

    sha256_digest(&s->sha256, sizeof(d.bytes), d.bytes);
    return d;
}

void digest_hex(const struct digest *d, char out[DIGEST_HEX_BYTES])
{
    digits_write_hex(d->bytes, DIGEST_BYTES, out);
}

int digest_from_hex(const char *hex, struct digest *out)
{
    struct digest d;

    if (!digits_read_hex(hex, d.bytes, DIGEST_BYTES))
        return -ERROR_BAD_ARGUMENT;
    *out = d;
    return 0;
}
