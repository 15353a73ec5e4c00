/* "/": a page for people, without scripts: web/index.html with one section a
 * stream in the place of its marker. Everything on it comes from here, as its
 * Content-Security-Policy says. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/route.h"

#define MARKER        "<!--streams-->"
#define PREVIEW_BATCH 48
#define PREVIEW_PX    (1 << 22) /* of all samples together: a few MB of PNG */
#define CLASSES_SHOWN 60

extern const char http_page_html[]; /* made of web/index.html by the build */

/* Where the client reached us, for curl lines: its Host header when it is
 * nothing but a host and a port. */
static void read_host(const struct http_request *r, char out[128])
{
    const char *host = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_HOST);

    if (host && *host && strlen(host) < 128 &&
        host[strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                          "0123456789.-:[]_")] == '\0')
        snprintf(out, 128, "%s", host);
    else
        snprintf(out, 128, "127.0.0.1:%u", r->server->port);
}

static void write_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

static void write_facts(FILE *out, const struct stream *s)
{
    const struct catalog *c = s->catalog;

    fprintf(out,
            "<dl><dt>fingerprint</dt><dd><code>%s</code></dd>"
            "<dt>size</dt><dd>%d x %d px</dd><dt>batch</dt><dd>%u</dd>"
            "<dt>pools</dt><dd>%u objects of %u classes, %u backgrounds, %u "
            "objects or more on each</dd><dt>epoch</dt><dd>%llu samples</dd>"
            "<dt>classes</dt><dd>",
            s->fingerprint_hex, (int)s->recipe.width, (int)s->recipe.height,
            (unsigned)s->recipe.batch, (unsigned)c->n_objects,
            (unsigned)c->n_classes, (unsigned)c->n_backgrounds,
            (unsigned)s->recipe.graph.objects_per_background,
            (unsigned long long)s->edges_per_epoch);
    for (uint32_t i = 0; i < c->n_classes && i < CLASSES_SHOWN; i++) {
        fputs(i ? ", " : "", out);
        write_escaped(out, c->classes[i]);
    }
    fputs(c->n_classes > CLASSES_SHOWN ? ", ...</dd></dl>\n" : "</dd></dl>\n",
          out);
}

/* How many samples the preview shows: fewer where they are large, which would
 * take seconds or more than the batch budget. */
static int preview_batch(const struct stream *s)
{
    int32_t fitting = PREVIEW_PX / (s->recipe.width * s->recipe.height);

    if (fitting < 1)
        return 1;
    return fitting < PREVIEW_BATCH ? (int)fitting : PREVIEW_BATCH;
}

static void write_stream(FILE *out, const struct stream *s, const char *host)
{
    int n_samples = preview_batch(s);

    fprintf(out, "<h2>%s</h2>\n", s->name);
    write_facts(out, s);
    fprintf(out,
            "<p><a href=\"/v1/streams/%s/batches/0.png\"><img alt=\"samples "
            "0 to %d\" src=\"/v1/streams/%s/batches/0.png?batch=%d&amp;"
            "fingerprint=%s\"></a></p>\n<pre><code>",
            s->name, n_samples - 1, s->name, n_samples, s->fingerprint_hex);
    static const char *const paths[] = {"", "/graph", "/samples/0.json",
                                        "/samples/0.png -o sample.png",
                                        "/batches/0.npz -o batch.npz"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        fprintf(out, "curl http://%s/v1/streams/%s%s\n", host, s->name,
                paths[i]);
    fputs("</code></pre>\n", out);
}

static void write_page(FILE *out, const struct http_request *r)
{
    const struct stream_set *set = r->server->streams;
    const char *marker = strstr(http_page_html, MARKER);
    char host[128];

    read_host(r, host);
    fwrite(http_page_html, 1, (size_t)(marker - http_page_html), out);
    if (set->n_streams == 0)
        fputs("<p>The pools are being loaded.</p>\n", out);
    for (uint32_t i = 0; i < set->n_streams; i++)
        write_stream(out, set->stream[i], host);
    fputs(marker + strlen(MARKER), out);
}

/* Base64 of the SHA-256 of what stands between the style tags. */
static void style_hash(char out[48])
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *style = strstr(http_page_html, "<style>") + 7;
    const char *end = strstr(style, "</style>");
    struct digest_state state;

    digest_init(&state);
    digest_update(&state, style, (size_t)(end - style));
    struct digest d = digest_final(&state);
    for (int i = 0; i < DIGEST_BYTES; i += 3) { /* 32 = 10 * 3 + 2 */
        uint32_t b1 = i + 1 < DIGEST_BYTES ? d.bytes[i + 1] : 0;
        uint32_t b2 = i + 2 < DIGEST_BYTES ? d.bytes[i + 2] : 0;
        uint32_t bits = (uint32_t)d.bytes[i] << 16 | b1 << 8 | b2;
        for (int j = 0; j < 4; j++)
            *out++ = digits[bits >> (18 - 6 * j) & 63];
    }
    out[-1] = '=';
    out[0] = '\0';
}

void http_get_page(struct http_request *r)
{
    char *text = NULL, hash[48];
    size_t n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);

    if (!out) {
        http_fail(r, ERROR_NO_MEMORY, "no memory for the page");
        return;
    }
    write_page(out, r);
    bool failed = ferror(out) != 0;
    if (fclose(out) || failed) {
        free(text);
        http_fail(r, ERROR_NO_MEMORY, "no memory for the page");
        return;
    }
    style_hash(hash);
    snprintf(r->policy, sizeof(r->policy),
             "default-src 'none'; img-src 'self'; style-src 'sha256-%s'; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
             hash);
    http_answer(r, MHD_HTTP_OK, r->route->media,
                (struct http_body){text, n_bytes, free});
}
