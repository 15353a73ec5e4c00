/* The JSON manifest to a list of entries, strictly. Opens no image.
 *
 * Errors: every message is "FILE:POINTER: sentence", the pointer as RFC 6901
 * writes it, so that an editor can be sent to the place. */
#include "server/pool/manifest.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/pool/decode.h"
#include "server/pool/scan.h"

#define MAX_PATH_BYTES 4096

struct parser {
    const char *file;
    int folder_bytes; /* of file, with the last '/' */
    enum pool_matte matte;
    const struct pool_limits *limits;
    struct pool_entries *list;
    size_t index; /* of the object at hand */
    struct fault *fault;
};

static int refuse_key(const struct parser *p, const char *place,
                      const char *key, const char *known)
{
    return fault_set(p->fault, ERROR_BAD_FILE,
                     "%s:%s: unknown key \"%.64s\"; known are %s", p->file,
                     place, key, known);
}

static int refuse(const struct parser *p, const char *key, const char *sentence)
{
    return fault_set(p->fault, ERROR_BAD_FILE, "%s:/objects/%zu%s%s: %s",
                     p->file, p->index, *key ? "/" : "", key, sentence);
}

/* NULL when the path may be used, else why not. */
static const char *path_problem(const char *path)
{
    if (!*path)
        return "an empty path";
    if (*path == '/')
        return "must be relative to the manifest's folder";
    if (strlen(path) >= MAX_PATH_BYTES / 2)
        return "a path of more than 2047 bytes";
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (!strncmp(part, "..", 2) && (part[2] == '/' || !part[2]))
            return "must not leave the manifest's folder (\"..\")";
    }
    return NULL;
}

/* A relative path of the manifest as one that can be opened. */
static int resolve(const struct parser *p, const char *key, const char *path,
                   char out[MAX_PATH_BYTES])
{
    const char *problem = path_problem(path);

    if (!problem && snprintf(out, MAX_PATH_BYTES, "%.*s%s", p->folder_bytes,
                             p->file, path) >= MAX_PATH_BYTES)
        problem = "a path of more than 4095 bytes";
    return problem ? refuse(p, key, problem) : 0;
}

static int check_keys(const struct parser *p, const json_t *object)
{
    static const char *const KEYS[] = {"path", "class",     "matte",
                                       "mask", "keypoints", "size_mm"};
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;

        while (i < sizeof(KEYS) / sizeof(KEYS[0]) && strcmp(key, KEYS[i]) != 0)
            i++;
        if (i < sizeof(KEYS) / sizeof(KEYS[0]))
            continue;
        char place[40];

        snprintf(place, sizeof(place), "/objects/%zu", p->index);
        return refuse_key(p, place, key,
                          "path, class, matte, mask, keypoints and size_mm");
    }
    return 0;
}

static int read_class(const struct parser *p, const json_t *object,
                      struct pool_entry *e)
{
    const char *name = json_string_value(json_object_get(object, "class"));

    if (!name || !*name || strlen(name) > MANIFEST_MAX_CLASS_BYTES)
        return refuse(p, "class", "must be a text of 1 to 255 bytes");
    return pool_entry_set(&e->class_name, name, p->fault);
}

static int read_matte(const struct parser *p, const json_t *object,
                      struct pool_entry *e)
{
    const json_t *matte = json_object_get(object, "matte");
    const json_t *mask = json_object_get(object, "mask");
    const char *name = json_string_value(matte);
    char path[MAX_PATH_BYTES];
    int code;

    e->matte = p->matte;
    if (matte) {
        const int kind = name ? pool_matte_from_name(name) : -1;

        if (kind < 0)
            return refuse(p, "matte",
                          "must be alpha, corners, mask or mask-inverted");
        e->matte = (enum pool_matte)kind;
    } else if (mask && e->matte != POOL_MATTE_MASK_INVERTED) {
        e->matte = POOL_MATTE_MASK;
    }
    if (!mask)
        return 0;
    if (e->matte != POOL_MATTE_MASK && e->matte != POOL_MATTE_MASK_INVERTED)
        return refuse(p, "mask", "contradicts the matte, which uses no mask");
    if (!json_is_string(mask))
        return refuse(p, "mask", "must be a path");
    code = resolve(p, "mask", json_string_value(mask), path);
    return code ? code : pool_entry_set(&e->mask_path, path, p->fault);
}

static bool read_point(const json_t *pair, struct pool_keypoint *out)
{
    const json_t *x = json_array_get(pair, 0), *y = json_array_get(pair, 1);

    if (json_array_size(pair) != 2 || !json_is_number(x) || !json_is_number(y))
        return false;
    out->x = json_number_value(x) + 0.0; /* -0 becomes 0 */
    out->y = json_number_value(y) + 0.0;
    return out->x >= -1e6 && out->x <= 1e6 && out->y >= -1e6 && out->y <= 1e6;
}

static int read_keypoints(const struct parser *p, const json_t *object,
                          struct pool_entry *e)
{
    const json_t *points = json_object_get(object, "keypoints");
    const size_t n = json_array_size(points);

    if (!points)
        return 0;
    if (!json_is_array(points) || n > MANIFEST_MAX_KEYPOINTS)
        return refuse(p, "keypoints", "must be a list of at most 256 points");
    if (n == 0)
        return 0;
    e->keypoints = mem_calloc(n, sizeof(*e->keypoints));
    if (!e->keypoints)
        return fault_set(p->fault, ERROR_NO_MEMORY,
                         "no memory to read a manifest");
    e->n_keypoints = (uint32_t)n;
    for (size_t i = 0; i < n; i++)
        if (!read_point(json_array_get(points, i), &e->keypoints[i]))
            return refuse(p, "keypoints",
                          "every point must be [x, y] in pixels");
    return 0;
}

static int read_size(const struct parser *p, const json_t *object,
                     struct pool_entry *e)
{
    const json_t *size = json_object_get(object, "size_mm");

    if (!size)
        return 0;
    e->size_mm = json_number_value(size);
    if (!(e->size_mm > 0 && e->size_mm <= 1e9))
        return refuse(p, "size_mm", "must be a number above 0, up to 1e9");
    return 0;
}

static int read_object(const struct parser *p, const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "path"));
    char path[MAX_PATH_BYTES];
    struct pool_entry *e;
    int code;

    if (!json_is_object(object))
        return refuse(p, "", "must be an object");
    if ((code = check_keys(p, object)))
        return code;
    if (!name)
        return refuse(p, "path", "must be a path");
    if ((code = resolve(p, "path", name, path)))
        return code;
    code = pool_entries_add(p->list, name, path, p->limits->max_files, &e,
                            p->fault);
    if (code)
        return code;
    e->order = (uint32_t)p->index;
    if ((code = read_class(p, object, e)) ||
        (code = read_matte(p, object, e)) ||
        (code = read_keypoints(p, object, e)))
        return code;
    return read_size(p, object, e);
}

void manifest_classes_fini(struct manifest_classes *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        mem_free(c->names[i]);
    mem_free(c->names);
    memset(c, 0, sizeof(*c));
}

static int read_classes(const struct parser *p, const json_t *root,
                        struct manifest_classes *out)
{
    const json_t *list = json_object_get(root, "classes");
    const size_t n = json_array_size(list);

    if (!list)
        return 0;
    if (n == 0 || n > UINT32_MAX)
        return fault_set(p->fault, ERROR_BAD_FILE,
                         "%s:/classes: must be a list of class names", p->file);
    out->names = mem_calloc(n, sizeof(*out->names));
    for (size_t i = 0; out->names && i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (!name || !*name || strlen(name) > MANIFEST_MAX_CLASS_BYTES)
            return fault_set(
                p->fault, ERROR_BAD_FILE,
                "%s:/classes/%zu: must be a text of 1 to 255 bytes", p->file,
                i);
        out->names[i] = mem_strdup(name);
        if (!out->names[i])
            break;
        out->n++;
    }
    return out->n == n ? 0
                       : fault_set(p->fault, ERROR_NO_MEMORY,
                                   "no memory to read a manifest");
}

static int read_root(struct parser *p, const json_t *root,
                     struct manifest_classes *classes)
{
    const json_t *objects = json_object_get(root, "objects");
    const char *key;
    json_t *value;
    int code;

    if (!json_is_object(root) || !json_is_array(objects))
        return fault_set(p->fault, ERROR_BAD_FILE,
                         "%s:/objects: must be a list of objects", p->file);
    json_object_foreach((json_t *)root, key, value)
    {
        if (strcmp(key, "objects") != 0 && strcmp(key, "classes") != 0)
            return refuse_key(p, "/", key, "objects and classes");
    }
    if ((code = read_classes(p, root, classes)))
        return code;
    for (; p->index < json_array_size(objects); p->index++)
        if ((code = read_object(p, json_array_get(objects, p->index))))
            return code;
    return 0;
}

int manifest_parse(const void *json, size_t n_bytes, const char *file,
                   const struct pool_config *config, struct pool_entries *list,
                   struct manifest_classes *classes, struct fault *fault)
{
    const char *slash = strrchr(file, '/');
    struct parser p = {.file = file,
                       .folder_bytes = slash ? (int)(slash - file) + 1 : 0,
                       .matte = config->matte,
                       .limits = &config->limits,
                       .list = list,
                       .fault = fault};
    json_error_t error;
    json_t *root = json_loadb(json, n_bytes, JSON_REJECT_DUPLICATES, &error);
    int code;

    if (!root)
        return fault_set(fault, ERROR_BAD_FILE, "%s: line %d, column %d: %s",
                         file, error.line, error.column, error.text);
    code = read_root(&p, root, classes);
    json_decref(root);
    return code;
}

int manifest_load(const char *file, const struct pool_config *config,
                  struct pool_entries *list, struct manifest_classes *classes,
                  struct fault *fault)
{
    struct pool_file f;
    int code =
        pool_file_read(file, config->limits.max_file_bytes, false, &f, fault);

    if (code)
        return fault_prefix(fault, "%s", file);
    code =
        manifest_parse(f.bytes, f.n_bytes, file, config, list, classes, fault);
    pool_file_fini(&f);
    for (uint32_t i = 0; !code && i < list->n; i++) {
        struct pool_entry *e = &list->at[i];

        if ((e->matte == POOL_MATTE_MASK ||
             e->matte == POOL_MATTE_MASK_INVERTED) &&
            !e->mask_path)
            code = scan_find_mask(e, fault);
    }
    if (!code)
        pool_entries_sort(list);
    return code;
}
