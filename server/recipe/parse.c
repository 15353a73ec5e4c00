/* A recipe's text -> a checked recipe: walks the document against the table of
 * keys and checks what concerns several keys. Reads no single field. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "server/recipe/field.h"
#include "server/recipe/read.h"

#define MAX_SECTIONS 16 /* objects in the document: each at most once */

/* The objects that are still to be walked; a list instead of recursion. */
struct walk {
    uint32_t n_sections;
    struct {
        const json_t *json;
        char pointer[READ_POINTER_BYTES];
    } section[MAX_SECTIONS];
};

/* The keys of one section, for the sentence about an unknown one. */
static void list_keys(const char *section, char *out, size_t out_bytes)
{
    size_t n_section = strlen(section), n = 0;
    char last[64] = "";
    out[0] = '\0';
    for (uint32_t i = 0; i < field_count; i++) {
        const char *pointer = field_table[i].pointer;
        if (strncmp(pointer, section, n_section) != 0 ||
            pointer[n_section] != '/') {
            continue;
        }
        const char *key = pointer + n_section + 1;
        int length = (int)strcspn(key, "/");
        char name[64];
        snprintf(name, sizeof(name), "%.*s", length, key);
        if (strcmp(name, last) != 0 && n < out_bytes) {
            n += (size_t)snprintf(out + n, out_bytes - n, "%s%s",
                                  n > 0 ? ", " : "", name);
            memcpy(last, name, sizeof(last));
        }
    }
}

static int refuse_unknown(const struct read_place *p, const char *section)
{
    char known[320];
    list_keys(section, known, sizeof(known));
    return read_refuse(p, "unknown key; known here: %s%s",
                       section[0] == '\0' ? "preset, " : "", known);
}

static int walk_key(struct walk *w, const char *section, const char *key,
                    const json_t *json, struct recipe *r, struct fault *fault)
{
    struct read_place above = {.fault = fault};
    snprintf(above.pointer, sizeof(above.pointer), "%s", section);
    const struct read_place p = read_down_key(&above, key);
    if (strcmp(p.pointer, "/preset") == 0) {
        return 0; /* parse_preset has read it */
    }
    const struct field_rule *rule = field_find(p.pointer);
    if (rule != NULL) {
        return read_field(&p, rule, json, r);
    }
    if (!field_is_section(p.pointer) || w->n_sections == MAX_SECTIONS) {
        return refuse_unknown(&p, section);
    }
    if (!json_is_object(json)) {
        return read_refuse(&p, "must be an object, not %s",
                           read_type_name(json));
    }
    w->section[w->n_sections].json = json;
    memcpy(w->section[w->n_sections].pointer, p.pointer, sizeof(p.pointer));
    w->n_sections++;
    return 0;
}

static int walk_document(json_t *root, struct recipe *r, struct fault *fault)
{
    struct walk w = {.n_sections = 1};
    w.section[0].json = root;
    for (uint32_t i = 0; i < w.n_sections; i++) {
        const char *key;
        json_t *json;
        json_object_foreach((json_t *)w.section[i].json, key, json)
        {
            int rc = walk_key(&w, w.section[i].pointer, key, json, r, fault);
            if (rc != 0) {
                return rc;
            }
        }
    }
    return 0;
}

static int parse_preset(const json_t *root, struct recipe *out,
                        struct fault *fault)
{
    const json_t *json = json_object_get(root, "preset");
    if (json == NULL) {
        recipe_default(out);
        return 0;
    }
    struct read_place p = {.pointer = "/preset", .fault = fault};
    if (!json_is_string(json)) {
        return read_refuse(&p, "must be the name of a preset, not %s",
                           read_type_name(json));
    }
    struct fault inner = {0};
    int rc = recipe_preset(json_string_value(json), out, &inner);
    if (rc == -ERROR_NOT_FOUND) {
        return read_refuse(&p, "%s", inner.text);
    }
    return rc == 0 ? 0 : fault_set(fault, -rc, "%s", inner.text);
}

/* A normal draw of 53 bits lies within so many deviations. */
#define NORMAL_REACH 8.6

static double top_of(enum value_kind kind, double a, double b)
{
    return kind == VALUE_CONSTANT ? a
           : kind == VALUE_NORMAL ? a + NORMAL_REACH * b
                                  : b;
}

/* The highest number that it says, at any position. */
static double highest(const struct value *v)
{
    double top = top_of(v->kind, v->a, v->b);
    if (v->over[1] > 0) {
        const double to = top_of(v->kind, v->to_a, v->to_b);
        top = to > top ? to : top;
    }
    top = v->kind == VALUE_CHOICE ? v->choices[0] : top;
    for (uint32_t i = 1; v->kind == VALUE_CHOICE && i < v->n_choices; i++) {
        top = v->choices[i] > top ? v->choices[i] : top;
    }
    return top < v->max ? top : v->max;
}

/* Of a normal one the plan takes care. */
static bool asks_above(const struct value *v, double most)
{
    return v->kind != VALUE_NORMAL && highest(v) > most;
}

/* The largest coefficient of the matrix of these three, before its hue. */
static int check_colour(const char *pointer, const struct value *brightness,
                        const struct value *contrast,
                        const struct value *saturation, struct fault *fault)
{
    const double least_luma = 0.114, s = highest(saturation);
    const double most = highest(brightness) * highest(contrast) *
                        (s > 1 ? least_luma + s * (1 - least_luma) : 1);
    struct read_place p = {.fault = fault};
    snprintf(p.pointer, sizeof p.pointer, "%s", pointer);
    if (most >= 8) {
        return read_refuse(&p,
                           "brightness, contrast and saturation together "
                           "multiply by up to %.3g; the fixed-point range of "
                           "the matrix of colour ends below 8 (operations "
                           "one after the other have no such limit)",
                           most);
    }
    return 0;
}

static int check_part(const char *pointer, const struct recipe_colour *c,
                      struct fault *fault)
{
    return check_colour(pointer, &c->brightness, &c->contrast, &c->saturation,
                        fault);
}

static int check_colours(const struct recipe *r, struct fault *fault)
{
    int rc = check_colour("/image", &r->image.brightness, &r->image.contrast,
                          &r->image.saturation, fault);
    if (rc == 0) {
        rc = check_part("/object", &r->object.colour, fault);
    }
    if (rc == 0) {
        rc = check_part("/background", &r->background.colour, fault);
    }
    return rc;
}

static int check_background(const struct recipe *r, struct fault *fault)
{
    struct read_place scale = {.pointer = "/background/scale", .fault = fault};
    if (r->background.padding == PADDING_FIT &&
        asks_above(&r->background.scale, 1)) {
        return read_refuse(&scale,
                           "above 1 the window is larger than the background; "
                           "say with /background/padding what lies beyond it "
                           "(edge, reflect, wrap or colour)");
    }
    return 0;
}

/* What a request may cost before its first sample is bounded here. */
static int check_chain(const struct recipe *r, struct fault *fault)
{
    struct read_place slots = {.pointer = "/chain/slots", .fault = fault};
    struct read_place length = {.pointer = "/chain/max_length", .fault = fault};
    const uint64_t frame_px = (uint64_t)r->height * (uint64_t)r->width;
    const uint64_t slot_px = r->chain.max_length * frame_px;
    if (r->chain.slots == 0) {
        return 0;
    }
    if (r->object.edges.n_every > 0) {
        return read_refuse(&slots, "a chain shows every scene on another "
                                   "context, so object/edge cannot be every");
    }
    if (slot_px > RECIPE_MAX_SLOT_PX) {
        return read_refuse(&length,
                           "%u frames of %d x %d px are more than one sample "
                           "may cost; at most %u",
                           r->chain.max_length, r->height, r->width,
                           (unsigned)(RECIPE_MAX_SLOT_PX / frame_px));
    }
    if (r->chain.slots > RECIPE_MAX_CHAIN_PX / slot_px) {
        return read_refuse(&slots,
                           "%u slots of %u frames of %d x %d px are more than "
                           "one request may cost; at most %u of this "
                           "max_length",
                           r->chain.slots, r->chain.max_length, r->height,
                           r->width, (unsigned)(RECIPE_MAX_CHAIN_PX / slot_px));
    }
    return 0;
}

/* What no single key can say. */
static int check_whole(const struct recipe *r, struct fault *fault)
{
    int rc = check_background(r, fault);
    if (rc == 0) {
        rc = check_colours(r, fault);
    }
    if (rc == 0) {
        rc = check_chain(r, fault);
    }
    if (rc != 0) {
        return rc;
    }
    struct read_place context = {.pointer = "/context", .fault = fault};
    struct read_place every = {.pointer = "/context/texture_kind/every",
                               .fault = fault};
    if (r->context.texture_kinds.n_every > 0) {
        return read_refuse(&every, "only object/edge has every");
    }
    const struct value *const weight[] = {
        &r->context.background,     &r->context.noise,    &r->context.solid,
        &r->context.gaussian_noise, &r->context.gradient, &r->context.texture};
    return read_weights(&context,
                        "the weights of background, noise, solid, "
                        "gaussian_noise, gradient and texture",
                        weight, sizeof(weight) / sizeof(weight[0]));
}

static json_t *load(const char *text, size_t n_bytes, struct fault *fault)
{
    if (n_bytes > RECIPE_MAX_BYTES) {
        fault_set(fault, ERROR_BAD_RECIPE,
                  "the recipe is %zu bytes long; at most %u are allowed",
                  n_bytes, RECIPE_MAX_BYTES);
        return NULL;
    }
    json_error_t error;
    json_t *root = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        fault_set(fault,
                  json_error_code(&error) == json_error_out_of_memory
                      ? ERROR_NO_MEMORY
                      : ERROR_BAD_RECIPE,
                  "line %d, column %d: %s", error.line, error.column,
                  error.text);
    } else if (!json_is_object(root)) {
        fault_set(fault, ERROR_BAD_RECIPE, "/: must be an object, not %s",
                  read_type_name(root));
        json_decref(root);
        root = NULL;
    }
    return root;
}

int recipe_parse(const char *text, size_t n_bytes, struct recipe *out,
                 struct fault *fault)
{
    struct fault inner = {0};
    json_t *root = load(text, n_bytes, &inner);
    if (root == NULL) {
        return fault_set(fault, inner.code, "%s", inner.text);
    }
    struct recipe r;
    int rc = parse_preset(root, &r, fault);
    if (rc == 0) {
        rc = walk_document(root, &r, fault);
    }
    if (rc == 0) {
        rc = check_whole(&r, fault);
    }
    json_decref(root);
    if (rc == 0) {
        *out = r;
    }
    return rc;
}
