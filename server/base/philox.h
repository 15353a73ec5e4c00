/* Philox4x32-10: random bits as a pure function of (key, counter). No state.
 * Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3"
 * (Random123); byte-equal to its known-answer vectors. */
#ifndef PASTED_BASE_PHILOX_H
#define PASTED_BASE_PHILOX_H

#include <assert.h>
#include <stdint.h>

struct philox_block {
    uint32_t word[4];
};

struct philox_block philox4x32_10(const uint32_t key[2],
                                  const uint32_t counter[4]);

/* One enumerated purpose for each decision: numbers are part of the byte
 * contract; append, never renumber or reuse. Purposes below 64 are the graph's
 * (counter = epoch), the others the plan's (counter = position). */
enum philox_purpose {
    PHILOX_GRAPH_DECK = 1,       /* order of the classes in a deck */
    PHILOX_GRAPH_LAP = 2,        /* order of a class's objects in a lap */
    PHILOX_GRAPH_BACKGROUND = 3, /* which background has which rank */
    PHILOX_GRAPH_ORDER = 4,      /* emission order of the edges */
    PHILOX_GRAPH_INDEPENDENT = 5,
    PHILOX_GRAPH_EXTRA = 6, /* who takes the extra edges */

    PHILOX_BACKGROUND_CROP = 64,
    PHILOX_BACKGROUND_FLIP = 65,
    PHILOX_OBJECT_POSE = 66, /* draw = 16 * attempt + field */
    PHILOX_OBJECT_FLIP = 67,
    PHILOX_IMAGE_COLOUR = 68,
    PHILOX_CONTEXT_KIND = 69,
    PHILOX_CONTEXT_NOISE = 70, /* key of the per-pixel noise */
    PHILOX_CONTEXT_COLOUR = 71,
    PHILOX_OBJECT_EDGE = 72,
    PHILOX_OBJECT_COLOUR = 73,
    PHILOX_BACKGROUND_COLOUR = 74,
    PHILOX_OPERATION_CHANCE = 75, /* slot = index in the list */
    PHILOX_OPERATION_CHOICE = 76,
    PHILOX_OPERATION_VALUE = 77, /* draw = index of the value */
    PHILOX_OPERATION_KEY = 78,
    PHILOX_OPERATION_ORDER = 79,
    PHILOX_OBJECT_ELASTIC = 80, /* draw = 64 * attempt + field */
    PHILOX_CONTEXT_GRADIENT = 81,
    PHILOX_OBJECT_MOTION = 90,
    PHILOX_OBJECT_MATCH = 91,
    PHILOX_OBJECT_STROKE = 92,
    PHILOX_CONTEXT_TEXTURE = 100,
    PHILOX_OBJECT_CANDIDATE = 110, /* draw = 16 * attempt + field */
    PHILOX_CHAIN_RESET = 112,
    PHILOX_CHAIN_OFFSET = 113, /* counter = slot of the chain */
    PHILOX_DISTRACTOR = 120,
};

/* The fixed bit layout of a counter:
 *   word 0  position (or epoch), low half
 *   word 1  position (or epoch), high half
 *   word 2  purpose (bits 0-11) | object slot (12-19) | candidate (20-31)
 *   word 3  draw: one block of 4 words each
 * The key is the stream's seed, low half first. */
struct philox_block philox_draw(uint64_t seed, uint64_t position,
                                uint32_t purpose_slot_candidate, uint32_t draw);

/* purpose < 4096, slot < 256, candidate < 4096 (asserted). */
static inline uint32_t philox_purpose_word(uint32_t purpose, uint32_t slot,
                                           uint32_t candidate)
{
    assert(purpose < 4096 && slot < 256 && candidate < 4096);
    return purpose | slot << 12 | candidate << 20;
}

/* Uniform in [0, n) from one 64-bit value, n > 0: the high half of
 * bits * n (128-bit product), so that every machine agrees. Bias < n / 2^64. */
uint64_t philox_below(uint64_t bits, uint64_t n);

/* Uniform double in [0, 1): the upper 53 of 64 bits, times 2^-53. */
static inline double philox_unit(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

#endif
