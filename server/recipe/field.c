/* The table of keys. Looks nothing up (field_find.c) and neither reads nor
 * writes JSON. */
#include "server/recipe/field.h"

#include "common/tensor.h"
#include "server/pixel/image.h"
#include "server/pixel/kernels.h"
#include "server/pixel/operation/normalize.h"

static const struct field_word balance_words[] = {
    {"class", GRAPH_BY_CLASS}, {"object", GRAPH_BY_OBJECT}, {0}};
static const struct field_word order_words[] = {{"dealt", GRAPH_DEALT},
                                                {"mixed", GRAPH_MIXED},
                                                {"shuffled", GRAPH_SHUFFLED},
                                                {0}};
static const struct field_word pairing_words[] = {
    {"balanced", GRAPH_BALANCED},
    {"independent", GRAPH_INDEPENDENT},
    {"correlated", GRAPH_CORRELATED},
    {0}};
static const struct field_word crop_words[] = {
    {"random", true}, {"center", false}, {0}};
static const struct field_word padding_words[] = {
    {"fit", PADDING_FIT},         {"edge", PADDING_EDGE},
    {"reflect", PADDING_REFLECT}, {"wrap", PADDING_WRAP},
    {"colour", PADDING_COLOUR},   {0}};
static const struct field_word edge_words[] = {{"hard", EDGE_HARD},
                                               {"alpha", EDGE_ALPHA},
                                               {"feather", EDGE_FEATHER},
                                               {"box", EDGE_BOX},
                                               {"eroded", EDGE_ERODED},
                                               {"motion", EDGE_MOTION},
                                               {0}};
static const struct field_word perspective_words[] = {
    {"object", PERSPECTIVE_OF_OBJECT}, {"frame", PERSPECTIVE_OF_FRAME}, {0}};
static const struct field_word blend_words[] = {
    {"over", BLEND_OVER},
    {"two_thirds", BLEND_TWO_THIRDS},
    {"two_thirds_frame", BLEND_TWO_THIRDS_FRAME},
    {0}};
static const struct field_word handed_on_words[] = {
    {"composite", HANDED_ON_COMPOSITE}, {"image", HANDED_ON_IMAGE}, {0}};
static const struct field_word noise_words[] = {
    {"rgb", false}, {"grey", true}, {0}};
static const struct field_word texture_words[] = {{"noise", TEXTURE_NOISE},
                                                  {"stripes", TEXTURE_STRIPES},
                                                  {"checker", TEXTURE_CHECKER},
                                                  {0}};
static const struct field_word match_words[] = {{"mean", MATCH_MEAN},
                                                {"mean_std", MATCH_MEAN_STD},
                                                {"luma", MATCH_LUMA},
                                                {0}};
static const struct field_word operation_order_words[] = {
    {"given", false}, {"random", true}, {0}};
static const struct field_word dtype_words[] = {{"u8", TENSOR_U8},
                                                {"f16", TENSOR_F16},
                                                {"bf16", TENSOR_BF16},
                                                {"f32", TENSOR_F32},
                                                {0}};
static const struct field_word layout_words[] = {
    {"nhwc", TENSOR_NHWC}, {"nchw", TENSOR_NCHW}, {0}};
static const struct field_word channel_words[] = {
    {"rgb", TENSOR_RGB}, {"bgr", TENSOR_BGR}, {"grey", TENSOR_GREY}, {0}};
static const struct field_word normalize_words[] = {
    {"none", NORMALIZE_NONE},
    {"min-max", NORMALIZE_MIN_MAX},
    {"mean-std", NORMALIZE_MEAN_STD},
    {"equalize", NORMALIZE_EQUALIZE},
    {0}};

#define AT(member)                                                             \
    .offset = offsetof(struct recipe, member),                                 \
    .bytes = sizeof(((struct recipe *)0)->member)

/* Why these limits: every plan made within them fits its fixed point. A scale
 * of 0.01..4, a stretch of 0.1..10 (its root 3.2) and shears of 60 degrees (tan
 * 1.73) keep the inverse pose of a 16384 px object in a 2048 px frame below
 * 2^48 in 16.16; the centre may lie a frame outside; feather's taps end at
 * PLAN_MAX_EDGE_RADIUS = 16 = 2 sigma. */
const struct field_rule field_table[] = {
    {"/size", FIELD_SIZE, AT(height), "px", 1, FRAME_MAX_SIDE,
     .initial = {64, 64},
     .text = "Height and width of the image; one integer makes a square."},
    {"/batch", FIELD_INTEGER, AT(batch), "samples", 1, RECIPE_MAX_BATCH,
     .initial = {64}, .only_slices = true,
     .text = "Global batch of a client that names none."},
    {"/seed", FIELD_SEED, AT(seed), "", 0, 18446744073709551615.0,
     .initial = {0},
     .text = "Key of every random draw; above 2^63-1 as a decimal string."},

    {"/graph/objects_per_background", FIELD_INTEGER,
     AT(graph.objects_per_background), "objects", 1, GRAPH_MAX_EDGES,
     .initial = {4},
     .text = "Different objects that each background meets in an epoch, at "
             "least: it is filled up to a multiple of the number of classes."},
    {"/graph/balance", FIELD_WORD, AT(graph.balance), "", 0, 0, balance_words,
     .initial = {GRAPH_BY_CLASS},
     .text = "What is seen equally often: every class, or every object."},
    {"/graph/order", FIELD_WORD, AT(graph.order), "", 0, 0, order_words,
     .initial = {GRAPH_DEALT},
     .text = "A background's samples together, spread over the epoch with "
             "classes still dealt, or all shuffled."},
    {"/graph/pairing", FIELD_WORD, AT(graph.pairing), "", 0, 0, pairing_words,
     .initial = {GRAPH_BALANCED},
     .text = "The biregular graph, or independent draws, or a few backgrounds "
             "of its own for each class, both for comparison."},
    {"/graph/strict", FIELD_BOOL, AT(graph.strict), "", 0, 0,
     .initial = {false},
     .text = "Refuse pools whose degrees cannot be exactly equal."},

    {"/background/scale", FIELD_VALUE, AT(background.scale), "window side",
     0.01, 10, .initial = {0.5, 1},
     .text = "Side of the crop as a fraction of the largest window of the "
             "frame's aspect; above 1 it needs a `padding` other than `fit`."},
    {"/background/aspect", FIELD_VALUE, AT(background.aspect), "frame aspect",
     0.1, 10, .initial = {1},
     .text = "Width over height of the crop, as a multiple of the frame's; the "
             "crop is resampled to the frame."},
    {"/background/crop", FIELD_WORD, AT(background.random_crop), "", 0, 0,
     crop_words, .initial = {true},
     .text = "Where the crop lies in the background."},
    {"/background/flip", FIELD_MOVING, AT(background.flip), "probability", 0, 1,
     .initial = {0.5},
     .text = "Of a left-right mirror image of the background."},
    {"/background/rotate", FIELD_VALUE, AT(background.rotate), "degrees", -360,
     360, .initial = {0},
     .text =
         "Rotation of what the crop shows, counter-clockwise as seen, after "
         "its mirror image."},
    {"/background/padding", FIELD_WORD, AT(background.padding), "", 0, 0,
     padding_words, .initial = {PADDING_FIT},
     .text = "What lies beyond the background's border: nothing, because a "
             "turned crop is made small enough to lie inside; its last pixels; "
             "its mirror image; itself again; or one colour."},
    {"/background/padding_colour", FIELD_COLOUR, AT(background.padding_colour),
     "level", 0, 255, .initial = {105},
     .text = "Red, green and blue of padding `colour`, each drawn by itself "
             "and rounded."},
    {"/background/brightness", FIELD_VALUE, AT(background.colour.brightness),
     "factor", 0, 4, .initial = {1},
     .text = "Multiplies every channel of the photograph; 1 leaves it."},
    {"/background/contrast", FIELD_VALUE, AT(background.colour.contrast),
     "factor", 0, 4, .initial = {1},
     .text = "Stretches the photograph about the level 128; 1 leaves it."},
    {"/background/saturation", FIELD_VALUE, AT(background.colour.saturation),
     "factor", 0, 4, .initial = {1},
     .text =
         "Stretches the photograph about its luma; 0 is grey, 1 leaves it."},
    {"/background/hue", FIELD_VALUE, AT(background.colour.hue), "turns", -0.5,
     0.5, .initial = {0},
     .text = "Rotation of the photograph in the YIQ plane; positive goes from "
             "red to yellow."},
    {"/background/operations", FIELD_OPERATIONS, AT(background.operations), "",
     0, 0, .initial = {0},
     .text =
         "What is done to the context, whatever its kind, before the object "
         "is pasted: up to 16 of the operations below."},
    {"/background/operation_order", FIELD_WORD, AT(background.random_order), "",
     0, 0, operation_order_words, .initial = {false},
     .text = "As listed, or drawn afresh for every sample."},

    {"/object/scale", FIELD_VALUE, AT(object.scale), "frame side", 0.01, 4,
     .initial = {0.4, 0.7},
     .text = "Longest side of the object's alpha box as a fraction of the "
             "frame's shorter side."},
    {"/object/rotate", FIELD_VALUE, AT(object.rotate), "degrees", -360, 360,
     .initial = {-15, 15}, .text = "Rotation, counter-clockwise as seen."},
    {"/object/shear", FIELD_VALUE, AT(object.shear), "degrees", -60, 60,
     .initial = {-5, 5},
     .text = "Shear along x before the rotation; positive moves the lower "
             "part to the right."},
    {"/object/shear_y", FIELD_VALUE, AT(object.shear_y), "degrees", -60, 60,
     .initial = {0},
     .text = "Shear along y before that along x; positive moves the right part "
             "down."},
    {"/object/stretch", FIELD_VALUE, AT(object.stretch), "x over y", 0.1, 10,
     .initial = {1},
     .text = "Stretches the width by its root and the height by the inverse, "
             "before any shear; 1 leaves them."},
    {"/object/perspective", FIELD_VALUE, AT(object.perspective), "half sides",
     0, 0.6, .initial = {0},
     .text =
         "Each corner of the alpha box, or of the frame, moves inwards, in x "
         "and in y, by uniformly up to so much of its half sides."},
    {"/object/perspective_of", FIELD_WORD, AT(object.perspective_of), "", 0, 0,
     perspective_words, .initial = {PERSPECTIVE_OF_OBJECT},
     .text = "Whose corners: those of the alpha box before every other change, "
             "or those of the frame with the posed object in it, after."},
    {"/object/elastic", FIELD_VALUE, AT(object.elastic), "px", 0, 64,
     .initial = {0},
     .text = "Deviation of the control points of an elastic grid over the "
             "alpha box, in output pixels, cut off at three deviations."},
    {"/object/elastic_points", FIELD_INTEGER, AT(object.elastic_points),
     "points", 3, 5, .initial = {4},
     .text = "Control points of that grid along each side."},
    {"/object/translate/x", FIELD_VALUE, AT(object.x), "frame width", -1, 2,
     .initial = {0.35, 0.65},
     .text = "Centre of the alpha box; 0 is the left edge, 0.5 the middle."},
    {"/object/translate/y", FIELD_VALUE, AT(object.y), "frame height", -1, 2,
     .initial = {0.35, 0.65},
     .text = "Centre of the alpha box; 0 is the upper edge, 0.5 the middle."},
    {"/object/flip", FIELD_MOVING, AT(object.flip), "probability", 0, 1,
     .initial = {0}, .text = "Of a left-right mirror image of the object."},
    {"/object/min_visible", FIELD_MOVING, AT(object.min_visible), "fraction", 0,
     1, .initial = {0.5},
     .text = "Of the object's alpha that must lie inside the frame; a pose "
             "with less is drawn again, 20 times at most."},
    {"/object/edge", FIELD_WORDS, AT(object.edges), "", 0, 0, edge_words,
     .initial = {1 << EDGE_ALPHA},
     .text =
         "How the object meets its context: a hard cut at alpha 128, its "
         "own alpha, alpha blurred by `feather` or by a 3 x 3 box, the mean "
         "of one, two and three erosions by a pixel, or the object smeared "
         "along a line."},
    {"/object/feather", FIELD_VALUE, AT(object.feather), "px", 0.1, 8,
     .initial = {1},
     .text = "Sigma of the Gaussian of edge `feather`, in output pixels."},
    {"/object/feather_radius", FIELD_INTEGER, AT(object.feather_radius), "px",
     0, 16, .initial = {0},
     .text = "Where that Gaussian ends; 0 is three sigma, 2 the classic 5 x 5 "
             "kernel."},
    {"/object/motion_length", FIELD_VALUE, AT(object.motion_length), "px", 1,
     RECIPE_MAX_MOTION, .initial = {5},
     .text = "Pixels that edge `motion` is the mean of, to the nearest whole "
             "number."},
    {"/object/motion_angle", FIELD_VALUE, AT(object.motion_angle), "degrees",
     -360, 360, .initial = {-90, 90},
     .text = "Direction of edge `motion`, counter-clockwise as seen from the "
             "right."},
    {"/object/blend", FIELD_WORD, AT(object.blend), "", 0, 0, blend_words,
     .initial = {BLEND_OVER},
     .text = "The object over its context, or (2 * object + context) / 3 where "
             "it covers, or everywhere, black where it is not."},
    {"/object/stroke", FIELD_VALUE, AT(object.stroke), "px", -16, 16,
     .initial = {0},
     .text = "Grows the object's shape by so many output pixels all around, or "
             "shrinks it below 0; to within an eighth of its longer side and "
             "64 texels. 0 leaves it."},
    {"/object/match", FIELD_VALUE, AT(object.match), "strength", 0, 1,
     .initial = {0},
     .text = "How far the object's colour goes towards that of the context "
             "under its box; 0 leaves it."},
    {"/object/match_mode", FIELD_WORD, AT(object.match_mode), "", 0, 0,
     match_words, .initial = {MATCH_MEAN},
     .text = "What is brought there: the mean of each channel, its deviation "
             "too (by a gain of 1/2 to 2), or all channels together by the "
             "context's luma less 170."},
    {"/object/brightness", FIELD_VALUE, AT(object.colour.brightness), "factor",
     0, 4, .initial = {1},
     .text = "Multiplies every channel of the object; 1 leaves it."},
    {"/object/contrast", FIELD_VALUE, AT(object.colour.contrast), "factor", 0,
     4, .initial = {1},
     .text = "Stretches the object about the level 128; 1 leaves it."},
    {"/object/saturation", FIELD_VALUE, AT(object.colour.saturation), "factor",
     0, 4, .initial = {1},
     .text = "Stretches the object about its luma; 0 is grey, 1 leaves it."},
    {"/object/hue", FIELD_VALUE, AT(object.colour.hue), "turns", -0.5, 0.5,
     .initial = {0},
     .text = "Rotation of the object in the YIQ plane; positive goes from red "
             "to yellow."},
    {"/object/operations", FIELD_OPERATIONS, AT(object.operations), "", 0, 0,
     .initial = {0},
     .text = "What is done to the posed object alone, after its colours; its "
             "alpha stays: up to 16 of the operations below."},
    {"/object/operation_order", FIELD_WORD, AT(object.random_order), "", 0, 0,
     operation_order_words, .initial = {false},
     .text = "As listed, or drawn afresh for every sample."},

    {"/distractor/probability", FIELD_MOVING, AT(distractor.probability),
     "probability", 0, 1, .initial = {0},
     .text = "Of a second object, of another class, that is pasted on the "
             "context before the object; a feedback table says how often which "
             "class, else all others alike. Its look is the object's but for "
             "the keys here."},
    {"/distractor/scale", FIELD_VALUE, AT(distractor.scale), "frame side", 0.01,
     4, .initial = {0.4, 0.7},
     .text = "Longest side of its alpha box as a fraction of the frame's "
             "shorter side."},
    {"/distractor/translate/x", FIELD_VALUE, AT(distractor.x), "frame width",
     -1, 2, .initial = {0, 1},
     .text = "Centre of its alpha box; 0 is the left edge, 0.5 the middle."},
    {"/distractor/translate/y", FIELD_VALUE, AT(distractor.y), "frame height",
     -1, 2, .initial = {0, 1},
     .text = "Centre of its alpha box; 0 is the upper edge, 0.5 the middle."},

    {"/candidates/translate", FIELD_VALUE, AT(candidates.translate), "px", -64,
     64, .initial = {-3, 3},
     .text = "How far a candidate's object lies from its sample's, along x and "
             "along y, each drawn by itself; candidate 0 is the sample."},
    {"/candidates/rotate", FIELD_VALUE, AT(candidates.rotate), "degrees", -360,
     360, .initial = {-30, 30},
     .text = "By how much more it is rotated, counter-clockwise as seen."},

    {"/image/brightness", FIELD_VALUE, AT(image.brightness), "factor", 0, 4,
     .initial = {0.8, 1.2}, .text = "Multiplies every channel; 1 leaves it."},
    {"/image/contrast", FIELD_VALUE, AT(image.contrast), "factor", 0, 4,
     .initial = {0.8, 1.2},
     .text = "Stretches about the level 128; 1 leaves it."},
    {"/image/saturation", FIELD_VALUE, AT(image.saturation), "factor", 0, 4,
     .initial = {0.8, 1.2},
     .text = "Stretches about the luma; 0 is grey, 1 leaves it."},
    {"/image/hue", FIELD_VALUE, AT(image.hue), "turns", -0.5, 0.5,
     .initial = {-0.03, 0.03},
     .text = "Rotation in the YIQ plane; positive goes from red to yellow."},
    {"/image/operations", FIELD_OPERATIONS, AT(image.operations), "", 0, 0,
     .initial = {0},
     .text = "What is done to the finished image, after the colours: up to 16 "
             "of the operations below."},
    {"/image/operation_order", FIELD_WORD, AT(image.random_order), "", 0, 0,
     operation_order_words, .initial = {false},
     .text = "As listed, or drawn afresh for every sample."},

    {"/context/background", FIELD_MOVING, AT(context.background), "weight", 0,
     1e6, .initial = {1},
     .text = "Share of samples pasted on the edge's background."},
    {"/context/noise", FIELD_MOVING, AT(context.noise), "weight", 0, 1e6,
     .initial = {0}, .text = "Share of samples pasted on noise."},
    {"/context/solid", FIELD_MOVING, AT(context.solid), "weight", 0, 1e6,
     .initial = {0}, .text = "Share of samples pasted on one colour."},
    {"/context/gaussian_noise", FIELD_MOVING, AT(context.gaussian_noise),
     "weight", 0, 1e6, .initial = {0},
     .text = "Share of samples pasted on normal noise that wraps around."},
    {"/context/gradient", FIELD_MOVING, AT(context.gradient), "weight", 0, 1e6,
     .initial = {0}, .text = "Share of samples pasted on a linear gradient."},
    {"/context/texture", FIELD_MOVING, AT(context.texture), "weight", 0, 1e6,
     .initial = {0},
     .text = "Share of samples pasted on a texture of two colours."},
    {"/context/noise_range", FIELD_RANGE, AT(context.noise_lo), "level", 0, 255,
     .initial = {0, 255},
     .text = "Every byte of the noise is uniform in it, ends included."},
    {"/context/noise_channels", FIELD_WORD, AT(context.noise_is_grey), "", 0, 0,
     noise_words, .initial = {false},
     .text = "Each byte of either noise by itself, or the three of a pixel "
             "alike."},
    {"/context/noise_sigma", FIELD_MOVING, AT(context.noise_sigma), "level", 0,
     1000, .initial = {255},
     .text = "Deviation of the normal noise about 0, every byte modulo 256."},
    {"/context/solid_colour", FIELD_COLOUR, AT(context.solid_red), "level", 0,
     255, .initial = {0, 255},
     .text = "Red, green and blue, each drawn by itself and rounded."},
    {"/context/gradient_from", FIELD_COLOUR, AT(context.gradient_colour[0]),
     "level", 0, 255, .initial = {0, 255},
     .text = "Red, green and blue where the gradient begins."},
    {"/context/gradient_to", FIELD_COLOUR, AT(context.gradient_colour[1]),
     "level", 0, 255, .initial = {0, 255},
     .text = "Red, green and blue where it ends."},
    {"/context/gradient_angle", FIELD_VALUE, AT(context.gradient_angle),
     "degrees", -360, 360, .initial = {-180, 180},
     .text = "Whither it runs, counter-clockwise as seen from the right; from "
             "corner to corner of the frame."},

    {"/context/texture_kind", FIELD_WORDS, AT(context.texture_kinds), "", 0, 0,
     texture_words, .initial = {(1 << TEXTURE_N) - 1},
     .text = "Smooth noise of several octaves, stripes, or a checkerboard; "
             "not `every`."},
    {"/context/texture_scale", FIELD_VALUE, AT(context.texture_scale), "px", 1,
     1024, .initial = {4, 64},
     .text = "Side of a cell: of the coarsest octave, a stripe, a square."},
    {"/context/texture_octaves", FIELD_INTEGER, AT(context.texture_octaves), "",
     1, 6, .initial = {4},
     .text = "Of the noise, each of half the scale and weight of the last."},
    {"/context/texture_angle", FIELD_VALUE, AT(context.texture_angle),
     "degrees", -360, 360, .initial = {-180, 180},
     .text = "Across the stripes and along the squares, counter-clockwise as "
             "seen from the right."},
    {"/context/texture_from", FIELD_COLOUR, AT(context.texture_colour[0]),
     "level", 0, 255, .initial = {0, 255},
     .text = "Red, green and blue of the one colour."},
    {"/context/texture_to", FIELD_COLOUR, AT(context.texture_colour[1]),
     "level", 0, 255, .initial = {0, 255},
     .text = "Red, green and blue of the other."},

    {"/chain/slots", FIELD_INTEGER, AT(chain.slots), "samples", 0,
     RECIPE_MAX_BATCH, .initial = {0},
     .text = "How many samples before lies the one that a sample is pasted on, "
             "as its context; 0: there are no chains."},
    {"/chain/reset", FIELD_MOVING, AT(chain.reset), "probability", 0, 1,
     .initial = {0.171},
     .text = "Share of samples that begin a chain, on a context of their own, "
             "whatever makes them begin it."},
    {"/chain/max_length", FIELD_INTEGER, AT(chain.max_length), "samples", 2,
     RECIPE_MAX_CHAIN_LENGTH, .initial = {32},
     .text = "The longest chain, and so the most pastes that one sample asked "
             "for by itself can cost."},
    {"/chain/handed_on", FIELD_WORD, AT(chain.handed_on), "", 0, 0,
     handed_on_words, .initial = {HANDED_ON_COMPOSITE},
     .text = "What the next sample is pasted on: the composite as it is before "
             "the `image` section, or the image after it."},

    {"/labels/tensors", FIELD_TENSORS, AT(labels.tensors), "", 0, 0,
     .initial = {TENSORS_INITIAL}, .only_slices = true,
     .text = "What a batch carries; image is always there."},

    {"/output/dtype", FIELD_WORD, AT(output.dtype), "", 0, 0, dtype_words,
     .initial = {TENSOR_U8}, .only_slices = true,
     .text = "Of image, for a client that asks for none."},
    {"/output/layout", FIELD_WORD, AT(output.layout), "", 0, 0, layout_words,
     .initial = {TENSOR_NHWC}, .only_slices = true,
     .text = "Of image, for a client that asks for none."},
    {"/output/channels", FIELD_WORD, AT(output.channels), "", 0, 0,
     channel_words, .initial = {TENSOR_RGB}, .only_slices = true,
     .text = "Of image, in order; grey is one channel, the luma."},
    {"/output/normalize", FIELD_WORD, AT(output.normalize), "", 0, 0,
     normalize_words, .initial = {NORMALIZE_NONE}, .only_slices = true,
     .text = "Of each image by its own levels: over its range, about the mean "
             "of its middle, or autocontrast and equalize."},
    {"/output/normalize_region", FIELD_NUMBER, AT(output.region), "frame side",
     0.01, 1, .initial = {0.625}, .only_slices = true,
     .text = "The middle that `mean-std` takes its statistics from."},
    {"/output/mean", FIELD_TRIPLE, AT(output.mean), "", -1000, 1000,
     .initial = {0, 0, 0}, .only_slices = true,
     .text = "Floats only, (v / 255 - mean) / std, of red, green and blue "
             "whatever their order; grey takes the first."},
    {"/output/std", FIELD_TRIPLE, AT(output.std), "", 1e-6, 1000,
     .initial = {1, 1, 1}, .only_slices = true, .text = "As mean."},
};

const uint32_t field_count = sizeof(field_table) / sizeof(field_table[0]);

/* Kinds that cover several members rely on their lying side by side. */
_Static_assert(offsetof(struct recipe, width) ==
                   offsetof(struct recipe, height) + sizeof(int32_t),
               "size is [h, w]");
_Static_assert(offsetof(struct recipe, context.noise_hi) ==
                   offsetof(struct recipe, context.noise_lo) + sizeof(int32_t),
               "noise_range is [lo, hi]");
_Static_assert(offsetof(struct recipe, context.solid_blue) ==
                   offsetof(struct recipe, context.solid_red) +
                       2 * sizeof(struct value),
               "solid_colour is [red, green, blue]");
