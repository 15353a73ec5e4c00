/* BATCH frames whose every byte follows from their positions: tensors label
 * [n] i64, visible [n] f32, image [n][96][96][3] u8, checksums xxh3. */
#ifndef PASTED_TESTS_FAKE_BATCH_H
#define PASTED_TESTS_FAKE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Payload bytes of a batch of n samples. */
uint64_t fake_batch_bytes(uint32_t n);
/* Header and payload; free() it. */
uint8_t *fake_batch_make(uint32_t request, uint64_t first_position, uint32_t n,
                         size_t *out_bytes);
/* Flips a bit that a checksum covers: in a label, or in the image's middle. */
void fake_batch_damage(uint8_t *frame, size_t n_bytes, bool label);

#endif
