/* The adversarial steps of pasted_robust.h. Knows no handle, no batch and no
 * model.
 *
 * The images are walked in blocks of contiguous values, whatever the layout:
 * first the block's radii are written out, one for each value, then a plain
 * loop over the block does the arithmetic, which compilers vectorise.
 *
 * Threads: pure functions of their arguments, any thread.
 * Source: as pasted_robust.h; the generator of random starts is SplitMix64
 * (Steele, Lea & Flood 2014), of a counter. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "client/include/pasted.h"

/* Values of a block: whole pixels of 1, 2, 3 or 4 channels, in L1 with all
 * that goes with them. */
#define BLOCK 768

/* What 255 * radius may lack of a whole level after arithmetic in f32: some
 * 1e-5. */
#define LEVEL_SLACK (1.0f / 1024)

struct walk {
    const struct pasted_images *on;
    const uint8_t *mask;
    float context, object_less_context; /* epsilons */
    size_t n_plane;                     /* height * width */
    size_t n_values;                    /* of all images */
    size_t at, n;                       /* this block */
    float radius[BLOCK];                /* of 0..1 */
};

static bool is_fraction(double value)
{
    return value >= 0 && value <= 1; /* not NaN */
}

static bool images_are_usable(const struct pasted_images *on)
{
    return on != NULL && on->channels >= 1 && on->channels <= 4 &&
           (on->dtype == PASTED_U8 || on->dtype == PASTED_F32) &&
           (on->layout == PASTED_NHWC || on->layout == PASTED_NCHW);
}

/* As f32 they must fit in memory: each factor is compared with what is left
 * before it is taken. */
static bool count_values(const struct pasted_images *on, size_t *out_n)
{
    const size_t factors[] = {on->channels, on->n, on->height, on->width};
    size_t n = 1, most = PTRDIFF_MAX / sizeof(float);
    for (int i = 0; i < 4; i++) {
        if (factors[i] > 0 && n > most / factors[i])
            return false;
        n *= factors[i];
    }
    *out_n = n;
    return true;
}

static int walk_init(struct walk *w, const struct pasted_images *on,
                     const struct pasted_ball *ball)
{
    if (!images_are_usable(on) || ball == NULL ||
        !is_fraction(ball->epsilon_object) ||
        !is_fraction(ball->epsilon_context) || !count_values(on, &w->n_values))
        return PASTED_BAD_ARGUMENT;
    w->on = on;
    w->mask = ball->mask;
    w->context = (float)ball->epsilon_context;
    w->object_less_context =
        (float)(ball->epsilon_object - ball->epsilon_context);
    w->n_plane = (size_t)on->height * on->width;
    w->at = w->n = 0;
    for (size_t i = 0; i < BLOCK; i++)
        w->radius[i] = w->context;
    return PASTED_OK;
}

static float radius_of(const struct walk *w, uint8_t mask)
{
    return w->context + w->object_less_context * ((float)mask / 255.0f);
}

/* One channel of a plane: a value is a pixel. */
static void planar_block(struct walk *w)
{
    size_t n_image = w->n_plane * w->on->channels;
    size_t pixel = w->at % w->n_plane;
    const uint8_t *mask = w->mask + w->at / n_image * w->n_plane + pixel;
    if (w->n > w->n_plane - pixel)
        w->n = w->n_plane - pixel;
    for (size_t i = 0; i < w->n; i++)
        w->radius[i] = radius_of(w, mask[i]);
}

/* c radii side by side for each of n pixels; c is known where this is called,
 * so that the inner loop is none. */
static inline void spread(const float *radius, size_t n, size_t c, float *out)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c; k++)
            out[i * c + k] = radius[i];
}

/* Whole pixels, their channels side by side. */
static void interleaved_block(struct walk *w)
{
    size_t c = w->on->channels, n = w->n / c;
    const uint8_t *mask = w->mask + w->at / c;
    float radius[BLOCK];
    for (size_t i = 0; i < n; i++)
        radius[i] = radius_of(w, mask[i]);
    if (c == 1)
        spread(radius, n, 1, w->radius);
    else if (c == 2)
        spread(radius, n, 2, w->radius);
    else if (c == 3)
        spread(radius, n, 3, w->radius);
    else
        spread(radius, n, 4, w->radius);
}

/* The next block and its radii; false at the end. */
static bool next_block(struct walk *w)
{
    w->at += w->n;
    size_t left = w->n_values - w->at;
    w->n = left < BLOCK ? left : BLOCK;
    if (w->n == 0)
        return false;
    if (w->mask != NULL && w->on->layout == PASTED_NCHW)
        planar_block(w);
    else if (w->mask != NULL)
        interleaved_block(w);
    return true;
}

/* 0 for NaN. */
static float sign_of(float g)
{
    return (float)((g > 0) - (g < 0));
}

static float held(float x, float low, float high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* Of the range 0..255: whole levels within the radius. */
static float levels_of(float radius)
{
    return (float)(int32_t)(255.0f * radius + LEVEL_SLACK);
}

/* To the nearest, halves away from 0; |v| is below 2^31. */
static float nearest(float v)
{
    return (float)(int32_t)(v + (v < 0 ? -0.5f : 0.5f));
}

/* ---- one block of each function ---------------------------------------- */

static void fgsm_f32(const struct walk *w, const float *images, const float *g,
                     float *out)
{
    for (size_t i = 0; i < w->n; i++)
        out[i] = held(images[i] + w->radius[i] * sign_of(g[i]), 0, 1);
}

static void fgsm_u8(const struct walk *w, const uint8_t *images, const float *g,
                    uint8_t *out)
{
    for (size_t i = 0; i < w->n; i++)
        out[i] = (uint8_t)held(
            (float)images[i] + levels_of(w->radius[i]) * sign_of(g[i]), 0, 255);
}

/* Adds steps[i] of 0..1 and projects. */
static void move_f32(const struct walk *w, const float *images,
                     const float *steps, float *x)
{
    for (size_t i = 0; i < w->n; i++) {
        float y = held(x[i] + steps[i], images[i] - w->radius[i],
                       images[i] + w->radius[i]);
        x[i] = held(y, 0, 1);
    }
}

static void move_u8(const struct walk *w, const uint8_t *images,
                    const float *steps, uint8_t *x)
{
    for (size_t i = 0; i < w->n; i++) {
        float image = (float)images[i], radius = levels_of(w->radius[i]);
        float y = held((float)x[i] + nearest(255.0f * steps[i]), image - radius,
                       image + radius);
        x[i] = (uint8_t)held(y, 0, 255);
    }
}

/* Uniform in [0, 1), 24 bits, of the counter. */
static float draw(uint64_t seed, size_t index)
{
    uint64_t z = seed + ((uint64_t)index + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (float)(int32_t)((z ^ z >> 31) >> 40) * 0x1p-24f;
}

static void start_f32(const struct walk *w, const float *images, uint64_t seed,
                      float *out)
{
    for (size_t i = 0; i < w->n; i++)
        out[i] = held(
            images[i] + (2 * draw(seed, w->at + i) - 1) * w->radius[i], 0, 1);
}

static void start_u8(const struct walk *w, const uint8_t *images, uint64_t seed,
                     uint8_t *out)
{
    for (size_t i = 0; i < w->n; i++) {
        float radius = levels_of(w->radius[i]);
        float level =
            (float)(int32_t)(draw(seed, w->at + i) * (2 * radius + 1));
        out[i] = (uint8_t)held((float)images[i] - radius + level, 0, 255);
    }
}

/* ---- steps -------------------------------------------------------------- */

struct schedule {
    float share; /* size / steps */
    float of_sign, of_gradient;
    float steps;
    float largest; /* finite |gradient| of the call */
    bool is_sign;
};

/* Through the bits, whose order is that of the magnitudes: a maximum of
 * integers vectorises. */
static float largest_of(const float *g, size_t n)
{
    int32_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t bits;
        memcpy(&bits, &g[i], sizeof(bits));
        bits &= INT32_MAX;
        bits = bits < 0x7F800000 ? bits : 0; /* not infinite, not NaN */
        largest = bits > largest ? bits : largest;
    }
    float value;
    memcpy(&value, &largest, sizeof(value));
    return value > 1e-30f ? value : 1e-30f;
}

static int schedule_init(struct schedule *s, const struct pasted_step *step)
{
    if (step == NULL || step->t >= step->steps || !is_fraction(step->size) ||
        (step->schedule != PASTED_STEP_SIGN &&
         step->schedule != PASTED_STEP_PAPER))
        return PASTED_BAD_ARGUMENT;
    *s = (struct schedule){
        .share = (float)(step->size / step->steps),
        .of_sign = (float)(step->steps - step->t),
        .of_gradient = (float)step->t,
        .steps = (float)step->steps,
        .is_sign = step->schedule == PASTED_STEP_SIGN,
    };
    return PASTED_OK;
}

/* steps[i] of n gradients. */
static void write_steps(const struct schedule *s, const float *g, size_t n,
                        float *steps)
{
    if (s->is_sign) {
        for (size_t i = 0; i < n; i++)
            steps[i] = s->share * sign_of(g[i]);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        float part = held(g[i] == g[i] ? g[i] / s->largest : 0, -1, 1);
        float mixed = s->of_sign * sign_of(g[i]) + s->of_gradient * part;
        steps[i] = s->share * mixed / s->steps;
    }
}

/* ---- what is exported ---------------------------------------------------- */

int pasted_fgsm(const struct pasted_images *on, const struct pasted_ball *ball,
                const void *images, const float *gradient, void *out)
{
    struct walk w;
    int rc = walk_init(&w, on, ball);
    if (rc != PASTED_OK || images == NULL || gradient == NULL || out == NULL)
        return PASTED_BAD_ARGUMENT;
    while (next_block(&w)) {
        if (on->dtype == PASTED_F32)
            fgsm_f32(&w, (const float *)images + w.at, gradient + w.at,
                     (float *)out + w.at);
        else
            fgsm_u8(&w, (const uint8_t *)images + w.at, gradient + w.at,
                    (uint8_t *)out + w.at);
    }
    return PASTED_OK;
}

int pasted_pgd_start(const struct pasted_images *on,
                     const struct pasted_ball *ball, const void *images,
                     uint64_t seed, void *out)
{
    struct walk w;
    int rc = walk_init(&w, on, ball);
    if (rc != PASTED_OK || images == NULL || out == NULL)
        return PASTED_BAD_ARGUMENT;
    while (next_block(&w)) {
        if (on->dtype == PASTED_F32)
            start_f32(&w, (const float *)images + w.at, seed,
                      (float *)out + w.at);
        else
            start_u8(&w, (const uint8_t *)images + w.at, seed,
                     (uint8_t *)out + w.at);
    }
    return PASTED_OK;
}

int pasted_pgd_step(const struct pasted_images *on,
                    const struct pasted_ball *ball,
                    const struct pasted_step *step, const void *images,
                    const float *gradient, void *x)
{
    struct walk w;
    struct schedule s;
    float steps[BLOCK];
    if (walk_init(&w, on, ball) != PASTED_OK ||
        schedule_init(&s, step) != PASTED_OK || images == NULL ||
        gradient == NULL || x == NULL)
        return PASTED_BAD_ARGUMENT;
    if (!s.is_sign)
        s.largest = largest_of(gradient, w.n_values);
    while (next_block(&w)) {
        write_steps(&s, gradient + w.at, w.n, steps);
        if (on->dtype == PASTED_F32)
            move_f32(&w, (const float *)images + w.at, steps,
                     (float *)x + w.at);
        else
            move_u8(&w, (const uint8_t *)images + w.at, steps,
                    (uint8_t *)x + w.at);
    }
    return PASTED_OK;
}
