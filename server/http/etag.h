/* Strong entity tags that need no rendering, and If-None-Match. Pure. */
#ifndef PASTED_HTTP_ETAG_H
#define PASTED_HTTP_ETAG_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/digest.h"

#define HTTP_ETAG_BYTES 35 /* '"', 32 hex digits, '"', NUL */

/* The tag of n samples from first_position of the stream with this
 * fingerprint and output (serve/stream.h), as `form` writes them: format,
 * options and, where an encoder is involved, its name and version. Equal
 * inputs, equal tag, in every replica. */
void http_etag_make(const struct digest *fingerprint, uint64_t output,
                    uint64_t first_position, uint32_t n_samples,
                    const char *form, char out[HTTP_ETAG_BYTES]);
/* The tag of these bytes. */
void http_etag_of_bytes(const void *data, size_t n_bytes,
                        char out[HTTP_ETAG_BYTES]);
/* Whether If-None-Match (RFC 9110 section 13.1.2: a list or "*", compared
 * weakly) names the tag. NULL header: false. Malformed lists match nothing. */
bool http_etag_matches(const char *header, const char *etag);

#endif
