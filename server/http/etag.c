/* Makes entity tags from the contract's arguments and compares them. Renders
 * nothing. Source: RFC 9110 sections 8.8.3 and 13.1.2. */
#include "server/http/etag.h"

#include <string.h>

static void tag_of_digest(struct digest_state *s, char out[HTTP_ETAG_BYTES])
{
    char hex[DIGEST_HEX_BYTES];
    struct digest d = digest_final(s);

    digest_hex(&d, hex);
    out[0] = '"';
    memcpy(out + 1, hex, 32);
    memcpy(out + 33, "\"", 2);
}

void http_etag_make(const struct digest *fingerprint, uint64_t output,
                    uint64_t first_position, uint32_t n_samples,
                    const char *form, char out[HTTP_ETAG_BYTES])
{
    struct digest_state s;

    digest_init(&s);
    digest_update(&s, fingerprint->bytes, sizeof(fingerprint->bytes));
    digest_update_u64(&s, output);
    digest_update_u64(&s, first_position);
    digest_update_u32(&s, n_samples);
    digest_update_string(&s, form);
    tag_of_digest(&s, out);
}

void http_etag_of_bytes(const void *data, size_t n_bytes,
                        char out[HTTP_ETAG_BYTES])
{
    struct digest_state s;

    digest_init(&s);
    digest_update(&s, data, n_bytes);
    tag_of_digest(&s, out);
}

bool http_etag_matches(const char *header, const char *etag)
{
    if (!header)
        return false;
    header += strspn(header, " \t");
    if (header[0] == '*')
        return header[1 + strspn(header + 1, " \t")] == '\0';
    size_t n_etag = strlen(etag);
    while (*header) {
        header += strspn(header, " \t,");
        if (strncmp(header, "W/", 2) == 0)
            header += 2;
        if (*header != '"')
            return false;
        const char *end = strchr(header + 1, '"');
        if (!end)
            return false;
        size_t n = (size_t)(end - header) + 1;
        if (n == n_etag && memcmp(header, etag, n) == 0)
            return true;
        header += n;
        header += strspn(header, " \t");
        if (*header && *header != ',')
            return false;
    }
    return false;
}
