/* Writes RGB pixels as PNG. */
#ifndef PASTED_CLIENT_CLI_PNG_OUT_H
#define PASTED_CLIENT_CLI_PNG_OUT_H

#include <stdbool.h>
#include <stdint.h>

/* [height][width][3] u8. false: a sentence is on stderr. */
bool png_out_write(const char *path, const uint8_t *rgb, uint32_t height,
                   uint32_t width);

#endif
