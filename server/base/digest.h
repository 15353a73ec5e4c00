/* SHA-256 (nettle) for what names things: catalogs, recipes, fingerprints. */
#ifndef PASTED_BASE_DIGEST_H
#define PASTED_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>

#define DIGEST_BYTES     32
#define DIGEST_HEX_BYTES 65 /* with the NUL */

struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

struct digest_state {
    struct sha256_ctx sha256;
};

void digest_init(struct digest_state *s);
void digest_update(struct digest_state *s, const void *data, size_t n_bytes);
void digest_update_u32(struct digest_state *s, uint32_t v); /* little-endian */
void digest_update_u64(struct digest_state *s, uint64_t v);
/* u32 length, then the bytes: no two lists of strings collide. */
void digest_update_string(struct digest_state *s, const char *text);
struct digest digest_final(struct digest_state *s);

void digest_hex(const struct digest *d, char out[DIGEST_HEX_BYTES]);
/* 64 hex digits of either case; 0 or -ERROR_BAD_ARGUMENT. */
int digest_from_hex(const char *hex, struct digest *out);

#endif
