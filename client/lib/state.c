/* Writes and reads a checkpoint's text: a flat JSON object of two strings and
 * a number. No JSON parser for anything else. */
#include "client/lib/state.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "client/lib/options.h"
#include "common/digits.h"

int state_format(const struct state *s, char *out, size_t out_bytes)
{
    /* Every byte of a name escaped at worst by one more; names on the wire
     * hold no control characters. */
    char stream[2 * WIRE_MAX_NAME_BYTES];
    char *to = stream;
    for (const char *from = s->stream; *from != '\0'; from++) {
        if (*from == '"' || *from == '\\')
            *to++ = '\\';
        *to++ = *from;
    }
    *to = '\0';
    char hex[2 * WIRE_FINGERPRINT_BYTES + 1];
    digits_write_hex(s->fingerprint, sizeof s->fingerprint, hex);
    char table[2 * FEEDBACK_DIGEST_BYTES + 1] = "";
    if (s->has_feedback)
        digits_write_hex(s->feedback, sizeof s->feedback, table);
    char text[sizeof stream + sizeof hex + sizeof table + 112];
    int n = snprintf(
        text, sizeof text,
        "{\"stream\":\"%s\",\"fingerprint\":\"%s\",\"position\":%llu%s%s%s}",
        stream, hex, (unsigned long long)s->position,
        s->has_feedback ? ",\"feedback\":\"" : "", table,
        s->has_feedback ? "\"" : "");
    if (n < 0 || (size_t)n >= sizeof text || (size_t)n >= out_bytes)
        return -ERROR_TOO_LARGE;
    memcpy(out, text, (size_t)n + 1);
    return 0;
}

/* A cursor with a sticky failure, as in bytes.h. */
struct scanner {
    const char *at;
    bool failed;
};

static void skip_space(struct scanner *s)
{
    s->at += strspn(s->at, " \t\r\n");
}

static bool take(struct scanner *s, char c)
{
    skip_space(s);
    if (s->failed || *s->at != c)
        return false;
    s->at++;
    return true;
}

static void expect(struct scanner *s, char c)
{
    if (!take(s, c))
        s->failed = true;
}

/* A JSON string; of the escapes those that state_format writes, and \/. */
static void read_string(struct scanner *s, char *out, size_t out_bytes)
{
    size_t used = 0;
    out[0] = '\0';
    expect(s, '"');
    while (!s->failed && *s->at != '"') {
        bool escaped = *s->at == '\\';
        if (escaped)
            s->at++;
        if ((unsigned char)*s->at < 0x20 || used + 1 >= out_bytes ||
            (escaped && strchr("\"\\/", *s->at) == NULL)) {
            s->failed = true;
            return;
        }
        out[used++] = *s->at++;
    }
    out[used] = '\0';
    expect(s, '"');
}

static uint64_t read_number(struct scanner *s)
{
    uint64_t value = 0;
    skip_space(s);
    if (*s->at < '0' || *s->at > '9')
        s->failed = true;
    while (!s->failed && *s->at >= '0' && *s->at <= '9') {
        uint64_t digit = (uint64_t)(*s->at - '0');
        if (value > (WIRE_MAX_POSITION - 1 - digit) / 10)
            s->failed = true;
        value = value * 10 + digit;
        s->at++;
    }
    return value;
}

/* Bits of the keys that were read. */
enum {
    HAS_STREAM = 1,
    HAS_FINGERPRINT = 2,
    HAS_POSITION = 4,
    HAS_ALL = 7,
    HAS_FEEDBACK = 8,
};

static void read_digest(struct scanner *s, uint8_t *out, size_t n_bytes)
{
    char hex[2 * WIRE_FINGERPRINT_BYTES + 1];
    read_string(s, hex, sizeof hex);
    if (!digits_read_hex(hex, out, n_bytes))
        s->failed = true;
}

static int read_pair(struct scanner *s, struct state *out)
{
    char key[16];
    read_string(s, key, sizeof key);
    expect(s, ':');
    if (strcmp(key, "stream") == 0) {
        read_string(s, out->stream, sizeof out->stream);
        return HAS_STREAM;
    }
    if (strcmp(key, "fingerprint") == 0) {
        read_digest(s, out->fingerprint, sizeof out->fingerprint);
        return HAS_FINGERPRINT;
    }
    if (strcmp(key, "position") == 0) {
        out->position = read_number(s);
        return HAS_POSITION;
    }
    if (strcmp(key, "feedback") == 0) {
        read_digest(s, out->feedback, sizeof out->feedback);
        out->has_feedback = true;
        return HAS_FEEDBACK;
    }
    s->failed = true;
    return 0;
}

int state_parse(const char *text, struct state *out, struct fault *fault)
{
    struct scanner s = {.at = text};
    struct state parsed = {0};
    int seen = 0;
    expect(&s, '{');
    do {
        int bit = read_pair(&s, &parsed);
        if ((seen & bit) != 0)
            s.failed = true;
        seen |= bit;
    } while (!s.failed && take(&s, ','));
    expect(&s, '}');
    skip_space(&s);
    if (s.failed || *s.at != '\0' || (seen & HAS_ALL) != HAS_ALL)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "not a saved state: one JSON object with \"stream\", "
                         "\"fingerprint\" (64 hex digits) and \"position\" is "
                         "expected");
    *out = parsed;
    return 0;
}
