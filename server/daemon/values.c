/* Text -> the value of an option, by type. Knows neither the command line nor
 * JSON. Errors: a sentence on what is wanted, without the option's name. */
#include <stdio.h>
#include <string.h>

#include "common/digits.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/daemon/options.h"
#include "server/http/listen.h"

int option_parse_size(const char *text, uint64_t *out)
{
    static const char suffixes[] = "KMGT";
    char digits[24];
    size_t n = strspn(text, "0123456789");
    int shift = 0;
    uint64_t value;

    if (n == 0 || n >= sizeof(digits))
        return -ERROR_BAD_ARGUMENT;
    memcpy(digits, text, n);
    digits[n] = '\0';
    if (text[n]) {
        const char *suffix = strchr(suffixes, text[n]);
        if (!suffix || text[n + 1])
            return -ERROR_BAD_ARGUMENT;
        shift = 10 * (int)(suffix - suffixes + 1);
    }
    if (!digits_read(digits, &value) || value > UINT64_MAX >> shift)
        return -ERROR_BAD_ARGUMENT;
    *out = value << shift;
    return 0;
}

int option_parse_endpoint(const char *text, struct config_endpoint *out)
{
    struct config_endpoint e = {0};
    const char *colon = strrchr(text, ':');
    uint64_t port;

    if (!colon || !digits_read(colon + 1, &port) || port > UINT16_MAX)
        return -ERROR_BAD_ARGUMENT;
    size_t n = (size_t)(colon - text);
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    } else if (memchr(text, ':', n)) {
        return -ERROR_BAD_ARGUMENT; /* IPv6 without brackets */
    }
    if (n == 0 || n >= sizeof(e.address))
        return -ERROR_BAD_ARGUMENT;
    memcpy(e.address, text, n);
    if (strcmp(e.address, "localhost") == 0)
        strcpy(e.address, "127.0.0.1");
    if (!listen_is_address(e.address))
        return -ERROR_BAD_ARGUMENT;
    e.port = (uint16_t)port;
    *out = e;
    return 0;
}

static int refuse(struct fault *fault, const char *text, const char *wanted)
{
    return fault_set(fault, ERROR_BAD_ARGUMENT, "\"%.100s\" is not %s", text,
                     wanted);
}

static int set_text(char **target, const char *text, const char *folder,
                    struct fault *fault)
{
    bool relative = folder && folder[0] && text[0] != '/';
    size_t n = strlen(text) + (relative ? strlen(folder) + 1 : 0) + 1;

    if (text[0] == '\0')
        return fault_set(fault, ERROR_BAD_ARGUMENT, "is empty");
    char *copy = mem_calloc(1, n);
    if (!copy)
        return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    snprintf(copy, n, "%s%s%s", relative ? folder : "", relative ? "/" : "",
             text);
    mem_free(*target);
    *target = copy;
    return 0;
}

static int set_number(const struct option_row *row, uint64_t *target,
                      const char *text, struct fault *fault)
{
    uint64_t value;
    bool read = row->type == OPTION_SIZE ? option_parse_size(text, &value) == 0
                                         : digits_read(text, &value);

    if (!read)
        return refuse(fault, text,
                      row->type == OPTION_SIZE
                          ? "a size: digits and perhaps K, M, G or T"
                          : "a whole number");
    if (value < row->min || value > row->max)
        return fault_set(
            fault, ERROR_BAD_ARGUMENT, "%.40s is not between %llu and %llu",
            text, (unsigned long long)row->min, (unsigned long long)row->max);
    *target = value;
    return 0;
}

/* One of the words that a module names. */
static int set_word(const struct option_row *row, int64_t *target,
                    const char *text, struct fault *fault)
{
    int value;

    switch (row->type) {
    case OPTION_LEVEL:
        value = log_level_from_name(text);
        break;
    case OPTION_MATTE:
        value = pool_matte_from_name(text);
        break;
    default:
        value = pool_split_from_name(text);
    }
    if (value < 0)
        return refuse(fault, text, row->argument);
    *target = value;
    return 0;
}

static int set_seed(struct config_stream *stream, const char *text,
                    struct fault *fault)
{
    if (!digits_read(text, &stream->seed))
        return refuse(fault, text, "a whole number below 2^64");
    stream->has_seed = true;
    return 0;
}

int option_set(const struct option_row *row, void *target, const char *text,
               const char *folder, struct fault *fault)
{
    void *place = (char *)target + row->offset;

    switch (row->type) {
    case OPTION_FLAG:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return refuse(fault, text, "true or false");
        *(bool *)place = text[0] == 't';
        return 0;
    case OPTION_TEXT:
    case OPTION_RECIPE:
        return set_text(place, text, NULL, fault);
    case OPTION_PATH:
    case OPTION_CLASSES:
        return set_text(place, text, folder, fault);
    case OPTION_ENDPOINT:
        if (option_parse_endpoint(text, place))
            return refuse(fault, text,
                          "ADDRESS:PORT with a numeric address, such as "
                          "127.0.0.1:7780 or [::1]:0");
        return 0;
    case OPTION_NUMBER:
    case OPTION_SIZE:
        return set_number(row, place, text, fault);
    case OPTION_LEVEL:
    case OPTION_MATTE:
    case OPTION_SPLIT:
        return set_word(row, place, text, fault);
    case OPTION_SEED:
        return set_seed(target, text, fault);
    }
    return fault_set(fault, ERROR_INTERNAL, "option of an unknown type");
}
