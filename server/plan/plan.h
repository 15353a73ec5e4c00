/* The plan: every random decision of one sample, resolved to integers. Pure:
 * no pixels, no libm, no state. NUMERICS.md gives the equations. */
#ifndef PASTED_PLAN_PLAN_H
#define PASTED_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "server/graph/graph.h"
#include "server/pixel/kernels.h"
#include "server/pixel/smear.h"
#include "server/pixel/stroke.h"
#include "server/pixel/turn.h"
#include "server/pixel/warp.h"
#include "server/pool/catalog.h"
#include "server/recipe/recipe.h"

#define PLAN_MAX_EDGE_RADIUS 16
#define PLAN_POSE_ATTEMPTS   20
#define PLAN_MAX_CANDIDATES  32

/* NUMERICS.md lists the parameters of each; the rest are 0. */
struct plan_operation {
    enum operation_id id;
    int32_t p[OPERATION_MAX_PARAMETERS];
};

struct plan_operations {
    uint32_t n;
    struct plan_operation list[RECIPE_MAX_OPERATIONS]; /* undefined from n on */
};

enum plan_context {
    CONTEXT_BACKGROUND,
    CONTEXT_NOISE,
    CONTEXT_SOLID,
    CONTEXT_GAUSSIAN_NOISE,
    CONTEXT_GRADIENT,
    CONTEXT_TEXTURE,
    CONTEXT_GIVEN, /* pixels from outside the plan: never drawn */
    CONTEXT_N,
};

/* Why a sample is pasted on what it is. */
enum plan_link {
    LINK_NONE,   /* the recipe has no chain, or nobody asked */
    LINK_PARENT, /* on the sample that many slots before */
    LINK_FIRST,  /* a chain begins: no sample lies that far before */
    LINK_LENGTH, /* the last one ends here */
    LINK_RESET,  /* drawn */
    LINK_LABEL,  /* the sample before shows the same class */
    LINK_N,
};

struct plan {
    uint64_t position;
    uint64_t scene; /* whose draws these are: position, but for `every` */
    uint32_t candidate;
    uint32_t object, background, class_id;
    int32_t width, height; /* frame, px */

    enum plan_link link; /* by chain_to_plan (chain.h), else LINK_NONE */
    uint32_t chain_slots;
    enum plan_context context;
    /* CONTEXT_BACKGROUND: output pixel (x, y) samples texel coordinates
     * u = crop_u + x * crop_du, v = crop_v + y * crop_dv (16.16; an integer is
     * a texel centre of background level `crop_level`), clamped to the edge.
     * A flip is a negative crop_du. Turned, or seen beyond the background's
     * border, it is sampled along turn instead, and these four are 0. */
    uint32_t crop_level;
    int32_t crop_u, crop_v, crop_du, crop_dv;
    bool has_turn;
    struct pixel_turn turn;
    /* CONTEXT_NOISE: each byte uniform in noise_lo..noise_hi */
    uint64_t noise_key; /* of CONTEXT_GAUSSIAN_NOISE too */
    uint8_t noise_lo, noise_hi;
    bool noise_is_grey;      /* of either noise: pixel x is byte x of its row */
    uint8_t solid[3];        /* CONTEXT_SOLID */
    int32_t noise_amplitude; /* CONTEXT_GAUSSIAN_NOISE */
    struct pixel_gradient gradient; /* CONTEXT_GRADIENT */
    struct pixel_texture texture;   /* CONTEXT_TEXTURE */

    /* Object: output pixel (x, y) samples
     *   u = m[0] * x + m[1] * y + m[2],  v = m[3] * x + m[4] * y + m[5]
     * (16.16, texel centres at integers, of object level `object_level`;
     * transparent outside). 64-bit so that no pose overflows. */
    uint32_t object_level;
    int64_t m[6];
    /* Perspective or elastic: sampled along warp, and m is 0. */
    bool has_warp;
    struct pixel_warp warp;
    /* reach > 0: what is sampled is the object's outline, and this makes the
     * shape of it. */
    struct pixel_stroke stroke;
    enum recipe_edge edge;
    enum recipe_blend blend;
    uint32_t edge_radius; /* rows and columns around that the edge needs;
                             EDGE_FEATHER: taps -radius..radius */
    uint32_t edge_weight[PLAN_MAX_EDGE_RADIUS + 1]; /* [0] centre; Q16; centre +
                                             2 * the others = 65536 exactly */
    struct pixel_smear motion;                      /* EDGE_MOTION */
    /* After edge and colour: strength of the match to the context, 0 none. */
    uint32_t match_q16;
    enum match_mode match_mode;

    /* out[i] = clamp((colour[i][0..2] . rgb + colour[i][3] + 2048) >> 12) */
    bool has_colour;
    int32_t colour[3][4]; /* Q12 */
    /* The same of the photograph before the paste (CONTEXT_BACKGROUND), and of
     * the object after its edge, where the offset counts by alpha. */
    bool has_background_colour, has_object_colour;
    int32_t background_colour[3][4], object_colour[3][4];

    uint32_t
        visible_q16;     /* of the object's alpha inside the frame; 65536 all */
    uint32_t n_attempts; /* poses drawn, 1..; of a candidate, of its own */

    /* The same decisions in units for people; decide no byte. */
    struct {
        double scale, rotate_deg, shear_deg, x, y; /* as in the recipe */
        double shear_y_deg, stretch, perspective, elastic_px, stroke_px;
        enum recipe_edge edge; /* as drawn; a box is a feather in the plan */
        bool flip;
        double crop_x, crop_y, crop_w, crop_h; /* px of background level 0,
                                                  before it is turned */
        double crop_rotate_deg;
        bool crop_flip;
        struct plan_told_colour {
            double brightness, contrast, saturation, hue;
        } colour, background_colour, object_colour;
    } told;

    /* What is done, in this order, to the context before the paste, to the
     * object after its colour (its alpha stays), to the image after its own.
     * Last: a plan is cleared up to here, since clearing these would take
     * longer than drawing most plans. */
    struct plan_operations background_operations, object_operations;
    struct plan_operations operations;
};

/* Never fails for a checked recipe and an edge of the catalog. Uses only sizes,
 * alpha boxes and coverage of the catalog, no pixels. */
void plan_make(const struct recipe *recipe, const struct catalog *catalog,
               uint64_t position, struct graph_edge edge, struct plan *out);

/* The same of a candidate of the sample, < PLAN_MAX_CANDIDATES: another pose of
 * the object about the sample's, all else alike. Candidate 0 is the sample. */
void plan_make_candidate(const struct recipe *recipe,
                         const struct catalog *catalog, uint64_t position,
                         struct graph_edge edge, uint32_t candidate,
                         struct plan *out);

/* The sample is pasted on a frame of pixels that whoever composes it brings
 * along (render_init): CONTEXT_GIVEN, without what the recipe does to a context
 * of its own. All else stays. */
void plan_give_context(struct plan *plan);

/* Every field as JSON (object), with names of object, class and background,
 * and under "distractor" those of the second object (distractor.h; NULL: none).
 * NUL-terminated, mem_free; NULL when memory is short. */
char *plan_to_json(const struct plan *plan, const struct plan *distractor,
                   const struct catalog *catalog);

#endif
