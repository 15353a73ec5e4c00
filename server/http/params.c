/* Reads numbers, query keys and paths of a request, strictly. Knows no
 * connection and answers nothing: it returns, its callers refuse. */
#include "server/http/params.h"

#include <string.h>

#include "common/digits.h"
#include "common/tensor.h"

struct param_row {
    const char *key;
    uint64_t min, max;
    const char *help;
};

static const struct param_row param_rows[HTTP_PARAM_COUNT] = {
#define X(id, key, lo, hi, help) {key, lo, hi, help},
    HTTP_PARAMS(X)
#undef X
};

struct param_word {
    const char *word;
    uint8_t number;
};

static const struct param_word dtype_words[] = {{"u8", TENSOR_U8},
                                                {"f16", TENSOR_F16},
                                                {"bf16", TENSOR_BF16},
                                                {"f32", TENSOR_F32},
                                                {NULL, 0}};
static const struct param_word layout_words[] = {
    {"nhwc", TENSOR_NHWC}, {"nchw", TENSOR_NCHW}, {NULL, 0}};

static const struct param_word *words_of(enum http_param p)
{
    if (p == HTTP_PARAM_DTYPE)
        return dtype_words;
    return p == HTTP_PARAM_LAYOUT ? layout_words : NULL;
}

const char *http_param_key(enum http_param p)
{
    return param_rows[p].key;
}

const char *http_param_help(enum http_param p)
{
    return param_rows[p].help;
}

uint64_t http_param_min(enum http_param p)
{
    return param_rows[p].min;
}

uint64_t http_param_max(enum http_param p)
{
    return param_rows[p].max;
}

bool http_param_is_digest(enum http_param p)
{
    return p == HTTP_PARAM_FINGERPRINT || p == HTTP_PARAM_FEEDBACK;
}

const char *http_param_word(enum http_param p, uint32_t i)
{
    const struct param_word *w = words_of(p);

    while (w && w->word && i > 0) {
        w++;
        i--;
    }
    return w ? w->word : NULL;
}

int http_parse_number(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t value;

    if ((text[0] == '0' && text[1] != '\0') || !digits_read(text, &value) ||
        value > max)
        return -ERROR_BAD_ARGUMENT;
    *out = value;
    return 0;
}

static int find_param(const char *key)
{
    for (int p = 0; p < HTTP_PARAM_COUNT; p++)
        if (strcmp(param_rows[p].key, key) == 0)
            return p;
    return -1;
}

static int refuse_key(uint32_t allowed, const char *key, struct fault *fault)
{
    char known[128] = "";

    for (int p = 0; p < HTTP_PARAM_COUNT; p++) {
        if (!(allowed & (1u << p)))
            continue;
        if (known[0])
            strcat(known, ", ");
        strcat(known, param_rows[p].key);
    }
    if (!known[0])
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "unknown parameter \"%.60s\": this takes none", key);
    return fault_set(fault, ERROR_BAD_ARGUMENT,
                     "unknown parameter \"%.60s\": this takes %s", key, known);
}

static int take_word(enum http_param p, const char *value, uint64_t *out,
                     struct fault *fault)
{
    char known[64] = "";

    for (const struct param_word *w = words_of(p); w->word; w++) {
        if (strcmp(w->word, value) == 0) {
            *out = w->number;
            return 0;
        }
        if (known[0])
            strcat(known, ", ");
        strcat(known, w->word);
    }
    return fault_set(fault, ERROR_BAD_ARGUMENT, "%s: \"%.40s\" is none of %s",
                     param_rows[p].key, value, known);
}

static int take_number(enum http_param p, const char *value, uint64_t *out,
                       struct fault *fault)
{
    const struct param_row *row = &param_rows[p];

    if (p == HTTP_PARAM_VERBOSE && value[0] == '\0')
        value = "1"; /* a switch: ?verbose */
    if (http_parse_number(value, row->max, out) == 0 && *out >= row->min)
        return 0;
    return fault_set(fault, ERROR_BAD_ARGUMENT,
                     "%s: \"%.40s\" is not a decimal number from %llu to %llu",
                     row->key, value, (unsigned long long)row->min,
                     (unsigned long long)row->max);
}

static int take_digest(enum http_param p, const char *value, struct digest *out,
                       struct fault *fault)
{
    if (digest_from_hex(value, out) == 0)
        return 0;
    return fault_set(fault, ERROR_BAD_ARGUMENT,
                     "%s: 64 hexadecimal digits are wanted", param_rows[p].key);
}

int http_params_add(struct http_params *params, uint32_t allowed,
                    const char *key, const char *value, struct fault *fault)
{
    int p = find_param(key), rc;

    if (p < 0 || !(allowed & (1u << p)))
        return refuse_key(allowed, key, fault);
    if (params->given & (1u << p))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "parameter \"%s\" is given twice", key);
    if (!value)
        value = "";
    if (http_param_is_digest((enum http_param)p))
        rc = take_digest((enum http_param)p, value,
                         p == HTTP_PARAM_FEEDBACK ? &params->feedback
                                                  : &params->fingerprint,
                         fault);
    else if (words_of((enum http_param)p))
        rc = take_word((enum http_param)p, value, &params->number[p], fault);
    else
        rc = take_number((enum http_param)p, value, &params->number[p], fault);
    if (rc)
        return rc;
    params->given |= 1u << p;
    return 0;
}

uint64_t http_params_number(const struct http_params *params, enum http_param p,
                            uint64_t otherwise)
{
    return params->given & (1u << p) ? params->number[p] : otherwise;
}

uint32_t http_params_candidates(const struct http_params *params)
{
    return (uint32_t)http_params_number(params, HTTP_PARAM_CANDIDATES, 1);
}

/* Takes what a {name} stands for: all of the segment but the n_tail characters
 * at its end, which must equal tail. Returns its length, 0 for no match. */
static size_t take_capture(const char *path, const char *tail, size_t n_tail,
                           struct http_captures *out)
{
    size_t n = strcspn(path, "/");

    if (n <= n_tail || n - n_tail >= HTTP_CAPTURE_BYTES ||
        out->n == HTTP_MAX_CAPTURES ||
        memcmp(path + n - n_tail, tail, n_tail) != 0)
        return 0;
    n -= n_tail;
    memcpy(out->text[out->n], path, n);
    out->text[out->n++][n] = '\0';
    return n;
}

bool http_path_match(const char *pattern, const char *path,
                     struct http_captures *out)
{
    out->n = 0;
    while (*pattern && *path) {
        if (*pattern == '{') {
            const char *tail = pattern + strcspn(pattern, "}") + 1;
            size_t n = take_capture(path, tail, strcspn(tail, "/"), out);
            if (n == 0)
                return false;
            path += n;
            pattern = tail;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *pattern == '\0' && *path == '\0';
}
