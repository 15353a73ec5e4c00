/* Between premultiplied RGBA and straight RGB. Runs no operation. */
#include "server/pixel/operation/straight.h"

/* Sums of at most 2^22 bytes each. */
struct sums {
    uint64_t of[4];
};

static struct sums sum(const uint8_t *rgba, size_t n)
{
    struct sums s = {{0, 0, 0, 0}};
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < 4; c++)
            s.of[c] += rgba[i * 4 + (size_t)c];
    return s;
}

/* 255 / a in Q16, by alpha; an opaque pixel keeps its bytes. */
static void make_factors(uint32_t factor[256])
{
    factor[0] = 0;
    for (uint32_t a = 1; a < 256; a++)
        factor[a] = (255 * 65536 + a / 2) / a;
}

bool straight_from(const uint8_t *rgba, size_t n, uint8_t *rgb)
{
    const struct sums s = sum(rgba, n);
    uint32_t factor[256];
    uint8_t mean[3];
    if (s.of[3] == 0)
        return false;
    make_factors(factor);
    for (int c = 0; c < 3; c++)
        mean[c] = (uint8_t)((255 * s.of[c] + s.of[3] / 2) / s.of[3]);
    for (size_t i = 0; i < n; i++, rgba += 4, rgb += 3)
        for (int c = 0; c < 3; c++) {
            const uint32_t v = (rgba[c] * factor[rgba[3]] + 32768) >> 16;
            rgb[c] = rgba[3] == 0 ? mean[c] : (uint8_t)(v < 255 ? v : 255);
        }
    return true;
}

void straight_into(const uint8_t *rgb, size_t n, uint8_t *rgba)
{
    for (size_t i = 0; i < n; i++, rgba += 4, rgb += 3)
        for (int c = 0; c < 3; c++)
            rgba[c] = (uint8_t)((rgb[c] * (uint32_t)rgba[3] + 127) / 255);
}
