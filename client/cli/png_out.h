/* Writes the pixels of an image as PNG. */
#ifndef PASTED_CLIENT_CLI_PNG_OUT_H
#define PASTED_CLIENT_CLI_PNG_OUT_H

#include <stdbool.h>
#include <stdint.h>

/* [height][width][c] u8 of these enum pasted_channels. false: a sentence is on
 * stderr. */
bool png_out_write(const char *path, const uint8_t *pixels, uint32_t height,
                   uint32_t width, uint32_t channels);

#endif
