/* The orientation that a camera wrote into a JPEG. Reads nothing else of EXIF
 * and turns no pixel. Threads: pure, any. */
#ifndef PASTED_POOL_EXIF_H
#define PASTED_POOL_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* 1..8 from the TIFF block of an Exif segment ("II" or "MM" onwards); 1 when
 * it says nothing valid. */
int exif_orientation(const uint8_t *tiff, size_t n_bytes);

#endif
