/* Bearer tokens: a file read into fixed slots, compared in constant time. Does
 * not watch the file. Threads: immutable after tokens_load. */
#include "server/base/tokens.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"

#define MAX_TOKENS      64
#define MIN_TOKEN_CHARS 16
#define SLOT_BYTES      1024 /* 1023 characters and a NUL */
/* A token, blanks around it and the newline. */
#define LINE_BYTES (SLOT_BYTES + 64)

struct tokens {
    uint32_t n_tokens;
    char slot[MAX_TOKENS][SLOT_BYTES]; /* zero-padded */
};

/* Where a problem is; the token itself never gets into a message. */
struct place {
    const char *path;
    uint32_t line;
    struct fault *fault;
};

static int bad_line(const struct place *at, const char *what)
{
    return fault_set(at->fault, ERROR_BAD_CONFIG, "%s:%u: %s", at->path,
                     (unsigned)at->line, what);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Blank and comment lines add nothing. */
static int add_line(struct tokens *t, char *line, const struct place *at)
{
    size_t n_chars = strlen(line);

    while (n_chars > 0 && is_blank(line[n_chars - 1]))
        line[--n_chars] = '\0';
    while (is_blank(*line)) {
        line++;
        n_chars--;
    }
    if (n_chars == 0 || *line == '#')
        return 0;
    if (n_chars < MIN_TOKEN_CHARS)
        return bad_line(at, "a token needs at least 16 characters");
    if (n_chars >= SLOT_BYTES)
        return bad_line(at, "a token has at most 1023 characters");
    for (size_t i = 0; i < n_chars; i++) {
        if (line[i] < 0x21 || line[i] > 0x7e)
            return bad_line(at, "a token is printable ASCII without blanks");
    }
    if (t->n_tokens == MAX_TOKENS)
        return bad_line(at, "more than 64 tokens");
    memcpy(t->slot[t->n_tokens++], line, n_chars);
    return 0;
}

static int read_tokens(FILE *file, struct tokens *t, struct place *at)
{
    char line[LINE_BYTES];
    int rc = 0;

    while (rc == 0 && fgets(line, sizeof(line), file)) {
        at->line++;
        if (!strchr(line, '\n') && !feof(file)) {
            rc = bad_line(at, "the line is too long or holds a NUL");
            break;
        }
        rc = add_line(t, line, at);
    }
    explicit_bzero(line, sizeof(line));
    if (rc == 0 && ferror(file))
        return fault_set(at->fault, ERROR_IO, "%s: %s", at->path,
                         strerror(errno));
    if (rc == 0 && t->n_tokens == 0)
        return fault_set(at->fault, ERROR_BAD_CONFIG, "%s: holds no token",
                         at->path);
    return rc;
}

int tokens_load(const char *path, struct tokens **out_tokens,
                struct fault *fault)
{
    struct place at = {.path = path, .fault = fault};
    struct tokens *t;
    FILE *file;
    int rc;

    file = fopen(path, "re");
    if (!file)
        return fault_set(fault, ERROR_NOT_FOUND, "%s: %s", path,
                         strerror(errno));
    t = mem_calloc(1, sizeof(*t));
    if (!t) {
        fclose(file);
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for tokens");
    }
    rc = read_tokens(file, t, &at);
    fclose(file);
    if (rc < 0) {
        tokens_destroy(t);
        return rc;
    }
    *out_tokens = t;
    return 0;
}

void tokens_destroy(struct tokens *t)
{
    if (!t)
        return;
    explicit_bzero(t, sizeof(*t));
    mem_free(t);
}

/* Every byte of both slots is looked at, whatever they hold. */
static bool slots_equal(const char *a, const char *b)
{
    volatile uint8_t difference = 0;

    for (size_t i = 0; i < SLOT_BYTES; i++)
        difference |= (uint8_t)(a[i] ^ b[i]);
    return difference == 0;
}

bool tokens_accept(const struct tokens *t, const char *text)
{
    char slot[SLOT_BYTES] = {0};
    bool accepted = false;
    size_t n_chars;

    if (!t)
        return true;
    if (!text)
        return false;
    n_chars = strnlen(text, SLOT_BYTES);
    if (n_chars < MIN_TOKEN_CHARS || n_chars == SLOT_BYTES)
        return false;
    memcpy(slot, text, n_chars);
    for (uint32_t i = 0; i < t->n_tokens; i++)
        accepted |= slots_equal(slot, t->slot[i]);
    explicit_bzero(slot, sizeof(slot));
    return accepted;
}
