/* Finished batches and samples as files: PNG, npz, safetensors, JSON. Runs on
 * workers; bytes are reproducible (no times, fixed compression). */
#ifndef PASTED_ENCODE_ENCODE_H
#define PASTED_ENCODE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/compose/compose.h"

/* mem_free(data). */
struct encoded {
    uint8_t *data;
    size_t n_bytes;
};

/* u8 RGB rows -> PNG (zlib level 3, fixed filter). */
int encode_png(const uint8_t *rgb, int32_t width, int32_t height,
               ptrdiff_t stride_bytes, struct encoded *out,
               struct fault *fault);

/* Names and versions of what decides a PNG's bytes, for entity tags:
 * "libpng 1.6.39, zlib 1.2.13". Static text. */
const char *encode_png_encoder(void);

/* All images of a u8 NHWC batch as one grid PNG, about square, 2 px gaps. */
int encode_grid_png(const struct batch_layout *layout, const uint8_t *payload,
                    struct encoded *out, struct fault *fault);

/* An uncompressed .npz of every tensor (name.npy, format 1.0, 64-byte aligned
 * data, fixed DOS time 1980-01-01), zip64 where sizes need it. */
int encode_npz(const struct batch_layout *layout, const uint8_t *payload,
               struct encoded *out, struct fault *fault);
uint64_t encode_npz_bytes(const struct batch_layout *layout); /* exact */

/* .safetensors of every tensor, wider items first; bf16 too. */
int encode_safetensors(const struct batch_layout *layout,
                       const uint8_t *payload, struct encoded *out,
                       struct fault *fault);
uint64_t
encode_safetensors_bytes(const struct batch_layout *layout); /* exact */

/* Labels of a batch (everything but image) as JSON: one array a tensor. */
int encode_batch_json(const struct batch_layout *layout, const uint8_t *payload,
                      struct encoded *out, struct fault *fault);

#endif
