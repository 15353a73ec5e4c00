/* How an object's edge meets its context, and the Gaussian that feathers it.
 * Knows no object. */
#ifndef PASTED_PLAN_EDGE_H
#define PASTED_PLAN_EDGE_H

#include <stdint.h>

#include "server/plan/draws.h"
#include "server/plan/plan.h"

/* Taps of exp(-i^2 / (2 sigma^2)), i = -radius..radius; radius 0 stands for
 * min(PLAN_MAX_EDGE_RADIUS, ceil(3 sigma)). Every outer tap is rounded to Q16
 * and the centre takes what is left of 65536. sigma > 0. Returns the radius;
 * weights beyond it are 0. (The classic 5 x 5 kernel of sigma 2 has radius 2;
 * three sigma keep the tails, so that the same sigma looks softer.) */
uint32_t edge_weights(double sigma, uint32_t radius,
                      uint32_t out[PLAN_MAX_EDGE_RADIUS + 1]);

/* Draws the edge and writes it, its radius, weights and motion, and what is
 * told of it. turn: which of `every` (scene.h). */
void edge_to_plan(const struct draws *d, const struct recipe *recipe,
                  uint32_t turn, struct plan *out);

/* Writes how the object is laid over its context, and draws how far its colour
 * goes towards it. */
void blend_to_plan(const struct draws *d, const struct recipe *recipe,
                   struct plan *out);

#endif
