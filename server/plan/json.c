/* A plan as JSON for people and for independent readers: every member of
 * struct plan under its own name. Decides nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "server/base/mem.h"
#include "server/plan/keypoint.h"
#include "server/plan/plan.h"
#include "server/recipe/operation.h"

static json_t *list_i32(const int32_t *x, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, json_integer(x[i]));
    }
    return list;
}

static json_t *list_i64(const int64_t *x, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, json_integer(x[i]));
    }
    return list;
}

static json_t *list_u32(const uint32_t *x, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, json_integer(x[i]));
    }
    return list;
}

/* Names are bytes from a file system: null for what is not UTF-8. */
static json_t *name_or_null(const char *name)
{
    json_t *json = json_string(name);
    return json != NULL ? json : json_null();
}

static json_t *who_json(const struct plan *p, const struct catalog *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:o, s:I, s:o, s:I, s:o, s:i, s:i}",
                     "position", (json_int_t)p->position, "scene",
                     (json_int_t)p->scene, "candidate",
                     (json_int_t)p->candidate, "object", (json_int_t)p->object,
                     "object_name", name_or_null(c->objects[p->object].name),
                     "class_id", (json_int_t)p->class_id, "class_name",
                     name_or_null(c->classes[p->class_id]), "background",
                     (json_int_t)p->background, "background_name",
                     name_or_null(c->backgrounds[p->background].name), "width",
                     p->width, "height", p->height);
}

static json_t *gradient_json(const struct pixel_gradient *g)
{
    return json_pack("{s:[i, i, i], s:[i, i, i], s:i, s:i, s:i}", "from",
                     g->from[0], g->from[1], g->from[2], "to", g->to[0],
                     g->to[1], g->to[2], "at", g->at, "dx", g->dx, "dy", g->dy);
}

static json_t *turn_json(const struct plan *p)
{
    static const char *const paddings[] = {[PADDING_FIT] = "fit",
                                           [PADDING_EDGE] = "edge",
                                           [PADDING_REFLECT] = "reflect",
                                           [PADDING_WRAP] = "wrap",
                                           [PADDING_COLOUR] = "colour"};
    _Static_assert(sizeof(paddings) / sizeof(paddings[0]) == PADDING_N,
                   "every padding has a word");
    const struct pixel_turn *t = &p->turn;
    if (!p->has_turn) {
        return json_null();
    }
    return json_pack("{s:o, s:s, s:[i, i, i]}", "m", list_i64(t->m, 6),
                     "padding", paddings[t->padding], "colour", t->colour[0],
                     t->colour[1], t->colour[2]);
}

static json_t *texture_json(const struct pixel_texture *t)
{
    static const char *const kinds[TEXTURE_N] = {
        [TEXTURE_NOISE] = "noise",
        [TEXTURE_STRIPES] = "stripes",
        [TEXTURE_CHECKER] = "checker",
    };
    char key[24];
    snprintf(key, sizeof(key), "%" PRIu64, t->key);
    return json_pack("{s:s, s:i, s:s, s:[I, I], s:i, s:i, s:i, s:[i, i, i], "
                     "s:[i, i, i]}",
                     "kind", kinds[t->kind], "n_octaves", t->n_octaves, "key",
                     key, "at", (json_int_t)t->at[0], (json_int_t)t->at[1],
                     "dx", t->dx, "dy", t->dy, "sharp", t->sharp, "from",
                     t->from[0], t->from[1], t->from[2], "to", t->to[0],
                     t->to[1], t->to[2]);
}

static json_t *context_json(const struct plan *p)
{
    static const char *const kinds[] = {[CONTEXT_BACKGROUND] = "background",
                                        [CONTEXT_NOISE] = "noise",
                                        [CONTEXT_SOLID] = "solid",
                                        [CONTEXT_GAUSSIAN_NOISE] =
                                            "gaussian_noise",
                                        [CONTEXT_GRADIENT] = "gradient",
                                        [CONTEXT_TEXTURE] = "texture",
                                        [CONTEXT_GIVEN] = "given"};
    _Static_assert(sizeof(kinds) / sizeof(kinds[0]) == CONTEXT_N,
                   "every kind of context has a word");
    char key[24]; /* a string: few readers keep 64 bits of a number */
    snprintf(key, sizeof(key), "%" PRIu64, p->noise_key);
    return json_pack(
        "{s:s, s:o, s:o, s:I, s:i, s:i, s:i, s:i, s:i, s:s, s:b, s:i, s:i, "
        "s:[i, i, i], s:o}",
        "context", kinds[p->context], "gradient", gradient_json(&p->gradient),
        "texture", texture_json(&p->texture), "crop_level",
        (json_int_t)p->crop_level, "crop_u", p->crop_u, "crop_v", p->crop_v,
        "crop_du", p->crop_du, "crop_dv", p->crop_dv, "noise_amplitude",
        p->noise_amplitude, "noise_key", key, "noise_is_grey", p->noise_is_grey,
        "noise_lo", p->noise_lo, "noise_hi", p->noise_hi, "solid", p->solid[0],
        p->solid[1], p->solid[2], "turn", turn_json(p));
}

/* Null where there is no chain. */
static json_t *chain_json(const struct plan *p)
{
    static const char *const words[LINK_N] = {
        [LINK_FIRST] = "first",
        [LINK_LENGTH] = "max_length",
        [LINK_RESET] = "reset",
        [LINK_LABEL] = "same_label",
    };
    if (p->link == LINK_NONE)
        return json_pack("{s:n}", "chain");
    const uint64_t slot = p->position % p->chain_slots;
    const uint64_t round = p->position / p->chain_slots;
    if (p->link == LINK_PARENT)
        return json_pack("{s:{s:I, s:I, s:I, s:n}}", "chain", "slot",
                         (json_int_t)slot, "round", (json_int_t)round, "parent",
                         (json_int_t)(p->position - p->chain_slots), "begins");
    return json_pack("{s:{s:I, s:I, s:n, s:s}}", "chain", "slot",
                     (json_int_t)slot, "round", (json_int_t)round, "parent",
                     "begins", words[p->link]);
}

static const char *const edges[EDGE_N] = {
    [EDGE_HARD] = "hard", [EDGE_ALPHA] = "alpha",   [EDGE_FEATHER] = "feather",
    [EDGE_BOX] = "box",   [EDGE_ERODED] = "eroded", [EDGE_MOTION] = "motion",
};

static json_t *grid_json(const struct pixel_warp *w, int axis)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; i < w->n_points; i++) {
        json_array_append_new(rows,
                              list_i32(w->displace[axis][i], w->n_points));
    }
    return rows;
}

static json_t *clips_json(const struct pixel_warp *w)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < w->n_clips; i++) {
        json_array_append_new(list, list_i64(w->clip[i], 3));
    }
    return list;
}

static json_t *warp_json(const struct plan *p)
{
    const struct pixel_warp *w = &p->warp;
    if (!p->has_warp) {
        return json_null();
    }
    return json_pack("{s:o, s:o, s:[i, i, i, i], s:o, s:o, s:o, s:[o, o]}",
                     "clip", clips_json(w), "m", list_i64(w->m, 9), "box",
                     w->box.x0, w->box.y0, w->box.x1, w->box.y1, "first",
                     list_i32(w->first, 2), "span", list_i32(w->span, 2),
                     "per_span", list_i64(w->per_span, 2), "displace",
                     grid_json(w, 0), grid_json(w, 1));
}

static json_t *stroke_json(const struct pixel_stroke *s)
{
    if (s->reach == 0) {
        return json_null();
    }
    return json_pack("{s:i, s:i, s:i}", "reach", s->reach, "gain", s->gain,
                     "offset", s->offset);
}

static json_t *object_json(const struct plan *p)
{
    static const char *const modes[] = {[MATCH_MEAN] = "mean",
                                        [MATCH_MEAN_STD] = "mean_std",
                                        [MATCH_LUMA] = "luma"};
    static const char *const blends[] = {[BLEND_OVER] = "over",
                                         [BLEND_TWO_THIRDS] = "two_thirds",
                                         [BLEND_TWO_THIRDS_FRAME] =
                                             "two_thirds_frame"};
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:s, s:s, s:I, s:o, s:[i, i, i], s:I, s:s, s:I, "
        "s:I}",
        "object_level", (json_int_t)p->object_level, "stroke",
        stroke_json(&p->stroke), "warp", warp_json(p), "m", list_i64(p->m, 6),
        "edge", edges[p->edge], "blend", blends[p->blend], "edge_radius",
        (json_int_t)p->edge_radius, "edge_weight",
        list_u32(p->edge_weight, p->edge_radius + 1), "motion", p->motion.n,
        p->motion.cosine, p->motion.sine, "match_q16", (json_int_t)p->match_q16,
        "match_mode", modes[p->match_mode], "visible_q16",
        (json_int_t)p->visible_q16, "n_attempts", (json_int_t)p->n_attempts);
}

/* Where each point of the object is seen, [x, y] px, or null: nowhere. */
static json_t *keypoints_json(const struct plan *p, const struct catalog *c)
{
    const struct pool_object *o = &c->objects[p->object];
    json_t *list = json_array();
    for (uint32_t i = 0; i < o->n_keypoints; i++) {
        float at[2];
        const bool is_seen = keypoint_seen(p, &o->keypoints[i], at);
        json_array_append_new(
            list, is_seen ? json_pack("[f, f]", (double)at[0], (double)at[1])
                          : json_null());
    }
    return json_pack("{s:o}", "keypoints", list);
}

static json_t *matrix_json(const int32_t m[3][4])
{
    return json_pack("[o, o, o]", list_i32(m[0], 4), list_i32(m[1], 4),
                     list_i32(m[2], 4));
}

static json_t *colour_json(const struct plan *p)
{
    return json_pack("{s:b, s:o, s:b, s:o, s:b, s:o}", "has_colour",
                     p->has_colour, "colour", matrix_json(p->colour),
                     "has_background_colour", p->has_background_colour,
                     "background_colour", matrix_json(p->background_colour),
                     "has_object_colour", p->has_object_colour, "object_colour",
                     matrix_json(p->object_colour));
}

static json_t *told_colour_json(const struct plan_told_colour *c)
{
    return json_pack("{s:f, s:f, s:f, s:f}", "brightness", c->brightness,
                     "contrast", c->contrast, "saturation", c->saturation,
                     "hue", c->hue);
}

/* [{"op": "box_blur", "p": [3, 5]}, ...], trailing zeros left out. */
static json_t *list_json(const struct plan_operations *operations)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < operations->n; i++) {
        const struct plan_operation *o = &operations->list[i];
        size_t n = OPERATION_MAX_PARAMETERS;
        while (n > 0 && o->p[n - 1] == 0) {
            n--;
        }
        json_array_append_new(list, json_pack("{s:s, s:o}", "op",
                                              operation_table[o->id].name, "p",
                                              list_i32(o->p, n)));
    }
    return list;
}

static json_t *operations_json(const struct plan *p)
{
    return json_pack("{s:o, s:o, s:o}", "background_operations",
                     list_json(&p->background_operations), "object_operations",
                     list_json(&p->object_operations), "operations",
                     list_json(&p->operations));
}

static json_t *told_json(const struct plan *p)
{
    return json_pack(
        "{s:{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:b, s:f, "
        "s:f, s:f, s:f, s:b, s:f, s:o, s:o, s:o, s:f}}",
        "told", "edge", edges[p->told.edge], "shear_y_deg", p->told.shear_y_deg,
        "stretch", p->told.stretch, "perspective", p->told.perspective,
        "elastic_px", p->told.elastic_px, "scale", p->told.scale, "rotate_deg",
        p->told.rotate_deg, "shear_deg", p->told.shear_deg, "x", p->told.x, "y",
        p->told.y, "flip", p->told.flip, "crop_x", p->told.crop_x, "crop_y",
        p->told.crop_y, "crop_w", p->told.crop_w, "crop_h", p->told.crop_h,
        "crop_flip", p->told.crop_flip, "crop_rotate_deg",
        p->told.crop_rotate_deg, "colour", told_colour_json(&p->told.colour),
        "background_colour", told_colour_json(&p->told.background_colour),
        "object_colour", told_colour_json(&p->told.object_colour), "stroke_px",
        p->told.stroke_px);
}

/* What is the second object's own: its context is that of the sample. */
static json_t *distractor_json(const struct plan *d, const struct catalog *c)
{
    if (d == NULL) {
        return json_pack("{s:n}", "distractor");
    }
    json_t *of = json_pack(
        "{s:I, s:o, s:I, s:o, s:b, s:o, s:o}", "object", (json_int_t)d->object,
        "object_name", name_or_null(c->objects[d->object].name), "class_id",
        (json_int_t)d->class_id, "class_name",
        name_or_null(c->classes[d->class_id]), "has_object_colour",
        d->has_object_colour, "object_colour", matrix_json(d->object_colour),
        "object_operations", list_json(&d->object_operations));
    json_t *object = object_json(d);
    const int rc = json_object_update(of, object);
    json_decref(object);
    if (rc != 0) {
        json_decref(of);
        return NULL;
    }
    return json_pack("{s:o}", "distractor", of);
}

static json_t *whole_json(const struct plan *p, const struct plan *distractor,
                          const struct catalog *c)
{
    json_t *part[] = {
        who_json(p, c), chain_json(p),        context_json(p),
        object_json(p), colour_json(p),       operations_json(p),
        told_json(p),   keypoints_json(p, c), distractor_json(distractor, c)};
    json_t *whole = json_object();
    int rc = whole == NULL;
    for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
        rc |= json_object_update(whole, part[i]); /* -1 for a NULL part */
        json_decref(part[i]);
    }
    if (rc != 0) {
        json_decref(whole);
        whole = NULL;
    }
    return whole;
}

char *plan_to_json(const struct plan *plan, const struct plan *distractor,
                   const struct catalog *catalog)
{
    json_t *json = whole_json(plan, distractor, catalog);
    /* 15 digits are enough for what decides no byte. */
    char *text =
        json == NULL
            ? NULL
            : json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    json_decref(json);
    char *owned = text == NULL ? NULL : mem_strdup(text);
    free(text);
    return owned;
}
