/* The table of options and their checks. Makes no connection; the only file
 * it reads is the token's. */
#include "client/lib/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/checksum.h"
#include "common/digits.h"

enum kind { NUMBER, TEXT, WORD, SERVERS, DIGEST };

struct word {
    const char *word;
    uint32_t value;
};

static const struct word dtypes[] = {
    {"default", 0},        {"u8", TENSOR_U8},   {"f16", TENSOR_F16},
    {"bf16", TENSOR_BF16}, {"f32", TENSOR_F32}, {NULL, 0},
};

static const struct word layouts[] = {
    {"default", 0},
    {"nhwc", TENSOR_NHWC},
    {"nchw", TENSOR_NCHW},
    {NULL, 0},
};

#define KIND(k) (1u << CHECKSUM_##k)
static const struct word checksums[] = {
    {"default", 0},
    {"none", KIND(NONE)},
    {"crc32", KIND(CRC32)},
    {"xxh3", KIND(XXH3)},
    {"auto", KIND(NONE) | KIND(CRC32) | KIND(XXH3)},
    {NULL, 0},
};

static const struct word switches[] = {{"off", 0}, {"on", 1}, {NULL, 0}};

struct option {
    const char *key;
    enum kind kind;
    bool live; /* may change while the client is open */
    size_t offset, n_bytes;
    uint64_t min, max;        /* NUMBER */
    const struct word *words; /* WORD */
};

#define FIELD(name)                                                            \
    offsetof(struct options, name), sizeof(((struct options *)0)->name)
#define DAY_MS (24u * 3600u * 1000u)

static const struct option table[] = {
    {"servers", SERVERS, false, 0, 0, 0, 0, NULL},
    {"stream", TEXT, false, FIELD(stream), 0, 0, NULL},
    {"batch", NUMBER, false, FIELD(batch), 0, UINT32_MAX, NULL},
    {"rank", NUMBER, false, FIELD(rank), 0, UINT32_MAX, NULL},
    {"world", NUMBER, false, FIELD(world), 1, UINT32_MAX, NULL},
    {"position", NUMBER, false, FIELD(position), 0, WIRE_MAX_POSITION - 1,
     NULL},
    {"dtype", WORD, false, FIELD(dtype), 0, 0, dtypes},
    {"layout", WORD, false, FIELD(layout), 0, 0, layouts},
    {"checksum", WORD, false, FIELD(checksum_kinds), 0, 0, checksums},
    {"token", TEXT, false, FIELD(token), 0, 0, NULL},
    {"token_file", TEXT, false, FIELD(token_file), 0, 0, NULL},
    {"fingerprint", DIGEST, false, FIELD(fingerprint), 0, 0, NULL},
    {"feedback", DIGEST, false, FIELD(feedback), 0, 0, NULL},
    {"prefetch", NUMBER, false, FIELD(prefetch), 0, OPTIONS_MAX_PREFETCH, NULL},
    {"max_batch_bytes", NUMBER, false, FIELD(max_batch_bytes), 1,
     WIRE_MAX_BATCH_BYTES, NULL},
    {"connect_timeout_ms", NUMBER, false, FIELD(connect_timeout_ms), 1, DAY_MS,
     NULL},
    {"timeout_ms", NUMBER, true, FIELD(timeout_ms), 0, DAY_MS, NULL},
    {"reconnect_timeout_ms", NUMBER, false, FIELD(reconnect_timeout_ms), 0,
     UINT32_MAX, NULL},
    {"keepalive_ms", NUMBER, false, FIELD(keepalive_ms), 10, DAY_MS, NULL},
    {"ring", WORD, false, FIELD(ring), 0, 0, switches},
    {"name", TEXT, false, FIELD(name), 0, 0, NULL},
    {"group", TEXT, false, FIELD(group), 0, 0, NULL},
    {"member", TEXT, false, FIELD(member), 0, 0, NULL},
    {"steps", NUMBER, false, FIELD(steps), 0, WIRE_MAX_POSITION - 1, NULL},
    {"epochs", NUMBER, false, FIELD(epochs), 0, UINT32_MAX, NULL},
    {"replay", NUMBER, false, FIELD(replay), 0, UINT32_MAX, NULL},
    {"candidates", NUMBER, false, FIELD(candidates), 1, WIRE_MAX_CANDIDATES,
     NULL},
    {"lease_ms", NUMBER, false, FIELD(lease_ms), 0, DAY_MS, NULL},
};
#define N_OPTIONS (sizeof table / sizeof table[0])

static const struct option *find(const char *key)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (strcmp(table[i].key, key) == 0)
            return &table[i];
    return NULL;
}

static int unknown_key(const char *key, struct fault *fault)
{
    char keys[384] = "";
    for (size_t i = 0; i < N_OPTIONS; i++) {
        size_t used = strlen(keys);
        snprintf(keys + used, sizeof keys - used, "%s%s", i > 0 ? ", " : "",
                 table[i].key);
    }
    return fault_set(fault, ERROR_BAD_ARGUMENT,
                     "no option '%.40s'; there are %s", key, keys);
}

static int set_number(struct options *o, const struct option *option,
                      const char *value, struct fault *fault)
{
    uint64_t number;
    if (!digits_read(value, &number) || number < option->min ||
        number > option->max)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "option %s takes a whole number from %llu to %llu, "
                         "not '%.40s'",
                         option->key, (unsigned long long)option->min,
                         (unsigned long long)option->max, value);
    char *field = (char *)o + option->offset;
    if (option->n_bytes == sizeof(uint64_t))
        memcpy(field, &number, sizeof number);
    else
        memcpy(field, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
    return 0;
}

static int set_text(struct options *o, const struct option *option,
                    const char *value, struct fault *fault)
{
    size_t n = strlen(value);
    if (n >= option->n_bytes)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "option %s takes at most %zu bytes, not %zu",
                         option->key, option->n_bytes - 1, n);
    if (!bytes_text_valid(value, n))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "option %s takes UTF-8 without control characters",
                         option->key);
    memcpy((char *)o + option->offset, value, n + 1);
    return 0;
}

static int set_word(struct options *o, const struct option *option,
                    const char *value, struct fault *fault)
{
    char words[128] = "";
    for (const struct word *w = option->words; w->word != NULL; w++) {
        if (strcmp(w->word, value) == 0) {
            memcpy((char *)o + option->offset, &w->value, sizeof w->value);
            return 0;
        }
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s",
                 used > 0 ? ", " : "", w->word);
    }
    return fault_set(fault, ERROR_BAD_ARGUMENT,
                     "option %s takes one of %s, not '%.40s'", option->key,
                     words, value);
}

/* Of a fingerprint or a feedback table. */
static int set_digest(struct options *o, const struct option *option,
                      const char *value, struct fault *fault)
{
    const bool is_feedback = strcmp(option->key, "feedback") == 0;
    bool *has = is_feedback ? &o->has_feedback : &o->has_fingerprint;
    uint8_t digest[WIRE_FINGERPRINT_BYTES] = {0};
    if (*value != '\0' && !digits_read_hex(value, digest, sizeof digest))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "option %s takes 64 hexadecimal digits", option->key);
    memcpy((char *)o + option->offset, digest, sizeof digest);
    *has = *value != '\0';
    return 0;
}

void options_init(struct options *o)
{
    *o = (struct options){
        .servers = {1, {{"127.0.0.1", SERVERS_DEFAULT_PORT}}},
        .world = 1,
        .candidates = 1,
        .ring = 1,
        .prefetch = 3, /* one on its way, one to be sent, one in work */
        .max_batch_bytes = 1ull << 30,
        .connect_timeout_ms = 5000,
        .timeout_ms = 30000,
        .reconnect_timeout_ms = 60000,
        .keepalive_ms = 10000,
        .name = "libpasted",
    };
}

int options_set(struct options *o, const char *key, const char *value,
                struct fault *fault)
{
    const struct option *option = find(key);
    if (option == NULL)
        return unknown_key(key, fault);
    switch (option->kind) {
    case NUMBER:
        return set_number(o, option, value, fault);
    case TEXT:
        return set_text(o, option, value, fault);
    case WORD:
        return set_word(o, option, value, fault);
    case SERVERS:
        return servers_parse(value, strlen(value), &o->servers, fault);
    case DIGEST:
        return set_digest(o, option, value, fault);
    }
    return fault_set(fault, ERROR_INTERNAL, "option %s has no kind", key);
}

uint64_t options_step(const struct options *o, uint64_t from, uint64_t cursor,
                      uint32_t global_batch)
{
    uint64_t next = cursor + global_batch;
    bool round =
        o->replay > 0 && next - from == (uint64_t)o->replay * global_batch;
    return round ? from : next;
}

uint32_t options_kinds(const struct options *o, bool is_unix)
{
    if (o->checksum_kinds != 0)
        return o->checksum_kinds;
    return is_unix ? KIND(NONE) : KIND(XXH3);
}

bool options_key_is_live(const char *key)
{
    const struct option *option = find(key);
    return option == NULL || option->live;
}

int options_check(const struct options *o, struct fault *fault)
{
    if (o->rank >= o->world)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "rank %u is not below world %u", o->rank, o->world);
    if (o->batch % o->world != 0)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "world %u does not divide batch %u", o->world,
                         o->batch);
    if (o->replay > 0 && o->group[0] != '\0')
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "a group's steps are not replayed");
    if (o->steps > 0 && o->epochs > 0)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "a group's end is steps or epochs, not both");
    return 0;
}

int options_token(const struct options *o, char *out, struct fault *fault)
{
    out[0] = '\0';
    if (o->token[0] != '\0' || o->token_file[0] == '\0') {
        memcpy(out, o->token, WIRE_MAX_TOKEN_BYTES);
        return 0;
    }
    FILE *file = fopen(o->token_file, "re");
    if (file == NULL)
        return fault_set(fault, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO,
                         "token file %.200s: %s", o->token_file,
                         strerror(errno));
    char *line = fgets(out, WIRE_MAX_TOKEN_BYTES, file);
    bool whole = line != NULL && (strchr(out, '\n') != NULL || feof(file));
    fclose(file);
    if (line != NULL)
        out[strcspn(out, " \t\r\n")] = '\0';
    if (!whole || out[0] == '\0' || !bytes_text_valid(out, strlen(out))) {
        out[0] = '\0';
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "token file %.200s: its first line is no token of 1 "
                         "to %d bytes",
                         o->token_file, WIRE_MAX_TOKEN_BYTES - 2);
    }
    return 0;
}
