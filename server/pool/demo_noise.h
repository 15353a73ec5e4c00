/* Noise and colour ramps for the demo backgrounds, in integers: coordinates are
 * 1/256 of a cell, values 0..65535. Draws no picture.
 * Threads: pure functions. */
#ifndef PASTED_POOL_DEMO_NOISE_H
#define PASTED_POOL_DEMO_NOISE_H

#include <stdint.h>

/* Well-mixed bits of a lattice point. */
uint32_t demo_hash(uint32_t seed, int32_t x, int32_t y);

/* Smooth value noise at (x, y) / 256. */
int32_t demo_noise(uint32_t seed, int32_t x, int32_t y);

/* Sum of octaves of noise, each of half the size and weight; 1..8. */
int32_t demo_fbm(uint32_t seed, int32_t x, int32_t y, int n_octaves);

/* Distance to the nearest scattered point (one in each cell), and to the border
 * with the next one's cell: 256 is a cell's side. id names the point. */
struct demo_cell {
    int32_t nearest, border;
    uint32_t id;
};
struct demo_cell demo_voronoi(uint32_t seed, int32_t x, int32_t y);

/* 65536 * sin of at / 65536 turns, from a table of fixmath's. */
int32_t demo_sin(int32_t at);

int32_t demo_root(int64_t n); /* floor of the square root; 0 <= n < 2^52 */

/* at 0..65535 on a ramp of n colours, evenly spaced; beyond is clamped. */
uint32_t demo_ramp(const uint32_t *colours, int32_t n, int32_t at);

/* Towards black down to -256, towards white up to 256; beyond is clamped. */
uint32_t demo_shade(uint32_t colour, int32_t amount);

int32_t demo_clamp(int32_t value); /* to 0..65535 */

#endif
