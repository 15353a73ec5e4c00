/* The built-in demo pools: sign-like shapes and digits, textured backgrounds,
 * drawn by code at start. Integer arithmetic and fixmath only, so that their
 * pixels, and with them every demo fingerprint, are the same on every machine.
 * Threads: pure functions, any thread. */
#ifndef PASTED_POOL_DEMO_H
#define PASTED_POOL_DEMO_H

#include <stddef.h>
#include <stdint.h>

#include "server/pool/catalog.h"

#define DEMO_MAX_KEYPOINTS 9

uint32_t demo_n_objects(void);             /* 1 object a class or more */
const char *demo_object_class(uint32_t i); /* "digit-3", "sign-stop", ... */
const char *demo_object_name(uint32_t i);  /* "demo/objects/sign-stop" */
void demo_object_size(uint32_t i, int32_t *out_width, int32_t *out_height);
/* [h][w][4] u8 RGBA, straight alpha, anti-aliased edges. */
void demo_draw_object(uint32_t i, uint8_t *rgba, ptrdiff_t stride_bytes);

/* The middle, then the corners of a sign's plate, clockwise (of a disc where it
 * is widest); px. Returns how many. */
uint32_t demo_object_keypoints(uint32_t i,
                               struct pool_keypoint out[DEMO_MAX_KEYPOINTS]);

uint32_t demo_n_backgrounds(void);
const char *demo_background_name(uint32_t i);
void demo_background_size(uint32_t i, int32_t *out_width, int32_t *out_height);
/* [h][w][3] u8 RGB. */
void demo_draw_background(uint32_t i, uint8_t *rgb, ptrdiff_t stride_bytes);

#endif
