/* A recipe: JSON that says how an edge becomes a sample. Parsed, checked,
 * canonical. Knows no pixels and no pool. RECIPE.md tells users. */
#ifndef PASTED_RECIPE_RECIPE_H
#define PASTED_RECIPE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/base/digest.h"
#include "server/graph/graph.h"
#include "server/pixel/match.h"
#include "server/pixel/operation/operation.h"
#include "server/pixel/turn.h"

#define RECIPE_MAX_BYTES   (1u << 20) /* of the JSON text */
#define RECIPE_MAX_CHOICES 16
#define RECIPE_MAX_BATCH   65536
#define RECIPE_MAX_MOTION  31 /* px; half of it fits the edge's ring of rows */

#define RECIPE_MAX_OPERATIONS   16 /* alternatives of a choice counted too */
#define RECIPE_OPERATION_VALUES 4

#define RECIPE_MAX_CHAIN_LENGTH 1024
/* What one request may have to paste again before its first sample, slots *
 * max_length * h * w: two seconds of one core at 10^9 pixels a second, which
 * plain recipes reach (server/ARCHITECTURE.md). Of one slot, and so of one
 * part of a worker's work, a 32nd of it. */
#define RECIPE_MAX_CHAIN_PX (UINT64_C(1) << 31)
#define RECIPE_MAX_SLOT_PX  (UINT64_C(1) << 26)

/* A number that may be drawn for each sample. */
enum value_kind {
    VALUE_CONSTANT,    /* 3            a */
    VALUE_UNIFORM,     /* [a, b]       uniform in [a, b) */
    VALUE_LOG_UNIFORM, /* {"log_uniform": [a, b]}, a > 0 */
    VALUE_NORMAL, /* {"normal": [mean, sd]}: clamped to the field's limits */
    VALUE_CHOICE, /* {"choice": [c0, c1, ...]} */
};

struct value {
    enum value_kind kind;
    uint32_t n_choices;
    double a, b;
    /* A curriculum, where over[1] > 0: a and b until position over[0], on a
     * straight line between, to_a and to_b from over[1] on. */
    double to_a, to_b;
    uint64_t over[2];
    double min, max; /* the field's limits: every draw lies within */
    double choices[RECIPE_MAX_CHOICES];
};

/* The value at a position, which moves no more. Of a log-uniform one the
 * logarithms of the bounds go the straight line. */
struct value recipe_value_at(const struct value *v, uint64_t position);
/* The same of a constant, as a number. */
double recipe_number_at(const struct value *v, uint64_t position);

/* One operation of a list of them; value[] is in the order of the table
 * (operation.h). */
struct recipe_operation {
    enum operation_id id;
    struct value weight; /* among the alternatives of its entry; moves */
    struct value value[RECIPE_OPERATION_VALUES];
};

/* An entry of the list: operation[first .. first + n - 1], of which one is
 * chosen by weight where there are more. */
struct recipe_entry {
    struct value probability; /* moves */
    uint32_t first, n;
};

struct recipe_operations {
    uint32_t n_entries, n_operations;
    struct recipe_entry entry[RECIPE_MAX_OPERATIONS];
    struct recipe_operation operation[RECIPE_MAX_OPERATIONS];
};

/* One matrix of colour: of the image, an object or a background. */
struct recipe_colour {
    struct value brightness; /* factor, 1 = as is */
    struct value contrast;   /* factor about 128 */
    struct value saturation; /* factor, 0 = grey */
    struct value hue;        /* turns, -0.5..0.5 */
};

enum recipe_edge {
    EDGE_HARD,
    EDGE_ALPHA,
    EDGE_FEATHER,
    EDGE_BOX,
    EDGE_ERODED,
    EDGE_MOTION,
    EDGE_N,
};

/* Words by their numbers: one of which is drawn for each sample, or every one
 * in its turn, an epoch each, as listed. */
#define RECIPE_MAX_EVERY 8
struct words {
    uint32_t bits;
    uint32_t n_every; /* 0: one of bits is drawn */
    uint8_t every[RECIPE_MAX_EVERY];
};

/* What a chain's next sample is pasted on: a sample before its image section,
 * or after it. */
enum recipe_handed_on { HANDED_ON_COMPOSITE, HANDED_ON_IMAGE };

enum recipe_perspective { PERSPECTIVE_OF_OBJECT, PERSPECTIVE_OF_FRAME };

enum recipe_blend { BLEND_OVER, BLEND_TWO_THIRDS, BLEND_TWO_THIRDS_FRAME };

struct recipe {
    int32_t height, width; /* size [h, w], px, 1..FRAME_MAX_SIDE */
    uint32_t batch;        /* default global batch; not in the fingerprint */
    uint64_t seed;

    struct {
        uint32_t objects_per_background;
        enum graph_balance balance;
        enum graph_order order;
        enum graph_pairing pairing;
        bool strict;
    } graph;

    struct {
        struct value scale;  /* side of the crop as a fraction of the largest
                                window of the frame's aspect */
        struct value aspect; /* of the crop over the frame's */
        bool random_crop;    /* "crop": "random" | "center" */
        struct value flip;   /* probability; moves */
        struct value rotate; /* degrees, counter-clockwise as seen */
        enum pixel_padding padding;
        struct value padding_colour[3];      /* 0..255 */
        struct recipe_colour colour;         /* of the photograph alone */
        struct recipe_operations operations; /* of the context, whatever kind */
        bool random_order;                   /* as the image's */
    } background;

    struct {
        struct value scale;   /* longest side of the alpha box as a fraction of
                                 the frame's shorter side */
        struct value rotate;  /* degrees, counter-clockwise as seen */
        struct value shear;   /* degrees, along x */
        struct value shear_y; /* degrees, along y */
        struct value stretch; /* x over y; the area stays */
        struct value perspective; /* each corner's most inset, of half sides */
        enum recipe_perspective perspective_of;
        struct value elastic;    /* sigma of control points, px */
        uint32_t elastic_points; /* control points a side */
        struct value x, y;       /* "translate": centre of the alpha box as a
                                    fraction of the frame, 0.5 = middle */
        struct value flip; /* probability of a left-right mirror image; moves */
        struct value min_visible; /* 0..1, of the object's alpha inside the
                                     frame; moves */
        struct words edges;       /* of enum recipe_edge */
        enum recipe_blend blend;
        struct value stroke; /* px: grows the shape, shrinks it below 0 */
        struct value match;  /* 0..1, strength of */
        enum match_mode match_mode;
        struct value feather;    /* sigma, px, of edge "feather" */
        uint32_t feather_radius; /* its taps on each side; 0: three sigma */
        struct value motion_length, motion_angle; /* px, degrees */
        struct recipe_colour colour;              /* of the object alone */
        struct recipe_operations operations;      /* of it, after its colour */
        bool random_order;                        /* as the image's */
    } object;

    /* A second object, of another class, pasted on the context first; the rest
     * of its look is the object's. */
    struct {
        struct value probability; /* moves */
        struct value scale, x, y; /* as the object's */
    } distractor;

    /* How a candidate's pose differs from that of its sample. */
    struct {
        struct value translate; /* px, along x and along y */
        struct value rotate;    /* degrees */
    } candidates;

    struct {
        struct value brightness;             /* factor, 1 = as is */
        struct value contrast;               /* factor about 128 */
        struct value saturation;             /* factor, 0 = grey */
        struct value hue;                    /* turns, -0.5..0.5 */
        struct recipe_operations operations; /* after the colours */
        bool random_order; /* "operation_order": "random" | "given" */
    } image;

    struct {
        struct value background, noise, solid; /* weights, which move; their
                                                  sum > 0 at any position */
        struct value gaussian_noise, gradient, texture;
        int32_t noise_lo, noise_hi; /* 0..255, inclusive */
        bool noise_is_grey;         /* "noise_channels": "rgb" | "grey" */
        struct value noise_sigma;   /* level, of gaussian_noise; moves */
        struct value solid_red, solid_green, solid_blue; /* 0..255 */
        struct value gradient_colour[2][3];              /* 0..255 */
        struct value gradient_angle;                     /* degrees */
        struct words texture_kinds; /* of enum pixel_texture_kind; no every */
        uint32_t texture_octaves;
        struct value texture_scale, texture_angle; /* px a cell, degrees */
        struct value texture_colour[2][3];         /* 0..255 */
    } context;

    struct {
        uint32_t slots;      /* 0: no chain */
        struct value reset;  /* rate of all beginnings; moves */
        uint32_t max_length; /* samples of a chain, at most */
        enum recipe_handed_on handed_on;
    } chain;

    struct {
        uint32_t tensors; /* bit per enum recipe_tensor; image always */
    } labels;

    struct {
        uint8_t dtype;         /* TENSOR_U8, F16, BF16 or F32, of image */
        uint8_t layout;        /* enum tensor_layout */
        uint8_t channels;      /* enum tensor_channels */
        uint8_t normalize;     /* enum normalize_mode */
        double region;         /* of mean-std: fraction of each side */
        float mean[3], std[3]; /* floats only: (v / 255 - mean) / std, of red,
                                  green, blue; the first of grey */
    } output;
};

/* The tensors of a batch in payload order; image stands last. */
enum recipe_tensor {
    TENSOR_LABEL,      /* [n] i64 */
    TENSOR_OBJECT,     /* [n] i32 */
    TENSOR_BACKGROUND, /* [n] i32 */
    TENSOR_POSITION,   /* [n] i64 */
    TENSOR_BOX,        /* [n, 4] f32: x0, y0, x1, y1 px */
    TENSOR_VISIBLE,    /* [n] f32 */
    TENSOR_DISTRACTOR, /* [n] i32: its class, -1 where there is none */
    TENSOR_CANDIDATE,  /* [n] i32 */
    TENSOR_KEYPOINTS,  /* [n, the catalog's n_keypoints, 3] f32: x, y px, v */
    TENSOR_MASK,       /* [n, h, w] u8: the plane's alpha */
    TENSOR_PLANE,      /* [n, h, w, 4] u8: the object, premultiplied RGBA */
    TENSOR_CONTEXT,    /* [n, h, w, 3] u8: what it is pasted on */
    TENSOR_IMAGE,      /* [n, h, w, 3] or [n, 3, h, w] */
    TENSOR_N,
};

/* What a recipe that names none asks for. */
#define TENSORS_INITIAL                                                        \
    (1u << TENSOR_LABEL | 1u << TENSOR_OBJECT | 1u << TENSOR_BACKGROUND |      \
     1u << TENSOR_POSITION | 1u << TENSOR_BOX | 1u << TENSOR_VISIBLE |         \
     1u << TENSOR_IMAGE)

void recipe_default(struct recipe *out);
/* Does some sample need the objects' outlines (pool_config.strokes)? */
bool recipe_wants_strokes(const struct recipe *r);
/* Has some sample a distractor? */
bool recipe_wants_distractor(const struct recipe *r);

/* Strict: unknown keys, wrong types, duplicate keys, NaN, impossible ranges
 * are -ERROR_BAD_RECIPE with "<JSON pointer>: sentence". What the text does
 * not name keeps its default, or the preset's where "preset" names one. */
int recipe_parse(const char *text, size_t n_bytes, struct recipe *out,
                 struct fault *fault);

/* Presets by name. */
uint32_t recipe_preset_count(void);
const char *recipe_preset_name(uint32_t i);
const char *recipe_preset_source(uint32_t i); /* one sentence on the source */
/* 0 or -ERROR_NOT_FOUND with the names in the text. */
int recipe_preset(const char *name, struct recipe *out, struct fault *fault);

/* Canonical JSON of every field (sorted keys, no spaces, shortest decimal that
 * reads back as the same double). NUL-terminated, freed with mem_free; NULL
 * when memory is short. With everything=false only what decides bytes: without
 * batch and output. */
char *recipe_canonical(const struct recipe *r, bool everything);

/* Documentation of every key from the table that the parser uses: Markdown, a
 * row for each key (pointer, type, unit, range, default, meaning). mem_free. */
char *recipe_describe(void);
/* The same of the image operations: a row for each value of each. */
char *recipe_describe_operations(void);

#endif
