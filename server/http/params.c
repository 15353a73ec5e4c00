/* Reads numbers, query keys and paths of a request, strictly. Knows no
 * connection and answers nothing: it returns, its callers refuse. */
#include "server/http/params.h"

#include <string.h>

#include "common/digits.h"

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

int http_params_add(struct http_params *params, uint32_t allowed,
                    const char *key, const char *value, struct fault *fault)
{
    int p = find_param(key);

    if (p < 0 || !(allowed & (1u << p)))
        return refuse_key(allowed, key, fault);
    if (params->given & (1u << p))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "parameter \"%s\" is given twice", key);
    if (!value)
        value = "";
    if (p == HTTP_PARAM_FINGERPRINT) {
        if (digest_from_hex(value, &params->fingerprint))
            return fault_set(fault, ERROR_BAD_ARGUMENT,
                             "fingerprint: 64 hexadecimal digits are wanted");
    } else if (http_parse_number(value, param_rows[p].max,
                                 &params->number[p]) ||
               params->number[p] < param_rows[p].min) {
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "%s: \"%.40s\" is not a decimal number from %llu to "
                         "%llu",
                         key, value, (unsigned long long)param_rows[p].min,
                         (unsigned long long)param_rows[p].max);
    }
    params->given |= 1u << p;
    return 0;
}

uint64_t http_params_number(const struct http_params *params, enum http_param p,
                            uint64_t otherwise)
{
    return params->given & (1u << p) ? params->number[p] : otherwise;
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
