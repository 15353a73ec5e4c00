/* Adversarial steps on batches of images, for trainers in C: FGSM, and
 * projected gradient ascent with one epsilon on the object and another on the
 * context. Part of pasted.h, which includes it. Knows no model: the caller
 * brings the gradient of its loss.
 *
 *   struct pasted_images on = {n, h, w, 3, PASTED_F32, PASTED_NCHW};
 *   struct pasted_ball ball = {mask, 4 / 255.0, 16 / 255.0};
 *   pasted_pgd_start(&on, &ball, image, seed, x);       or a copy of image
 *   for (uint32_t t = 0; t < 8; t++) {
 *       gradient_of_my_loss(x, label, gradient);
 *       struct pasted_step step = {t, 8, 16 / 255.0, PASTED_STEP_PAPER};
 *       pasted_pgd_step(&on, &ball, &step, image, gradient, x);
 *   }
 *
 * UNITS. f32 images lie in 0..1, u8 images in levels 0..255; epsilons and step
 * sizes are fractions of the whole range for both (16 / 255.0 is 16 levels).
 * Images that output/mean and output/std have moved are perturbed before that,
 * or not by these functions.
 *
 * THE BALL. Where the mask is 255 a result stays within epsilon_object of the
 * image, where it is 0 within epsilon_context, between linearly; and always
 * within 0..1. Without a mask epsilon_context holds everywhere. epsilon_object
 * 0 freezes the object. u8 images have a radius in whole levels, rounded down
 * (255 * epsilon that is whole but for 1/1024 counts as whole), and steps are
 * rounded to the nearest level, halves away from 0: a step below half a level
 * does nothing, so that many small steps want f32.
 *
 * GRADIENTS are f32, shaped and laid out as the images; only their sign and
 * their proportions count. One that is NaN moves nothing; an infinite one
 * counts as the largest.
 *
 * EXACTNESS. f32 results, random starts too, equal those of client/python's
 * pasted.robust_numpy for finite gradients and a mask of u8 / 255 (in f32):
 * both round after each operation. No result depends on the machine.
 *
 * MEMORY is the caller's, of any alignment a float or a byte may have; nothing
 * is allocated or kept. `out` and `x` may not overlap another array, but
 * pasted_fgsm and pasted_pgd_start may write to the images themselves. Any
 * thread, no handle; nothing is written when an error is returned.
 *
 * ERRORS. PASTED_BAD_ARGUMENT: a null pointer, channels not 1..4, a dtype but
 * u8 and f32, an unknown layout or schedule, an epsilon or size that is not
 * within 0..1, t not below steps. No images at all (n 0) are fine.
 *
 * Source: Goodfellow, Shlens & Szegedy 2015 (FGSM); Madry et al. 2018 (PGD,
 * random start); Jin & Rinard, arXiv 2005.14707, and its released code (two
 * epsilons, the schedule from sign to gradient). */
#ifndef PASTED_ROBUST_H
#define PASTED_ROBUST_H

#include "pasted.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Shape of the images: [n][height][width][channels], or [n][channels][height]
 * [width]; contiguous. */
struct pasted_images {
    uint32_t n, height, width;
    uint32_t channels; /* 1..4 */
    uint32_t dtype;    /* PASTED_U8 or PASTED_F32 */
    uint32_t layout;   /* PASTED_NHWC or PASTED_NCHW */
};

/* How far a result may lie from its image. */
struct pasted_ball {
    const uint8_t *mask; /* [n][height][width], the tensor "mask"; or NULL */
    double epsilon_object, epsilon_context; /* 0..1 */
};

/* SIGN: size / steps * sign(g). PAPER: the sign gives way to the gradient,
 * scaled by the largest of this call,
 *   size / steps * ((steps - t) * sign(g) + t * g / max|g|) / steps */
enum pasted_schedule { PASTED_STEP_SIGN = 1, PASTED_STEP_PAPER = 2 };

struct pasted_step {
    uint32_t t, steps;
    double size; /* 0..1; the paper's is epsilon_context */
    uint32_t schedule;
};

/* out = images + radius * sign(gradient): one step to the ball's border.
 * out: as images. */
PASTED_NODISCARD PASTED_API int pasted_fgsm(const struct pasted_images *on,
                                            const struct pasted_ball *ball,
                                            const void *images,
                                            const float *gradient, void *out);

/* out = a place in the ball around each value, uniformly drawn (u8: of its
 * levels). The same seed and shape give the same places. out: as images. */
PASTED_NODISCARD PASTED_API int pasted_pgd_start(const struct pasted_images *on,
                                                 const struct pasted_ball *ball,
                                                 const void *images,
                                                 uint64_t seed, void *out);

/* x += the step, then back into the ball around the images. gradient: at x.
 * x: as images, in place. */
PASTED_NODISCARD PASTED_API int pasted_pgd_step(const struct pasted_images *on,
                                                const struct pasted_ball *ball,
                                                const struct pasted_step *step,
                                                const void *images,
                                                const float *gradient, void *x);

#ifdef __cplusplus
}
#endif

#endif
