/* Between premultiplied RGBA and straight RGB. Runs no operation. */
#include "server/pixel/operation/straight.h"

#include <string.h>

struct sums {
    uint64_t of[4];
};

/* In pieces whose sums fit 32 bits, which compilers add side by side. */
static struct sums sum(const uint8_t *rgba, size_t n)
{
    const size_t most = 1u << 16;
    struct sums s = {{0, 0, 0, 0}};
    for (size_t done = 0; done < n; done += most) {
        const size_t now = n - done < most ? n - done : most;
        const uint8_t *p = rgba + done * 4;
        uint32_t r = 0, g = 0, b = 0, a = 0;
        for (size_t i = 0; i < now; i++) {
            r += p[i * 4];
            g += p[i * 4 + 1];
            b += p[i * 4 + 2];
            a += p[i * 4 + 3];
        }
        s.of[0] += r;
        s.of[1] += g;
        s.of[2] += b;
        s.of[3] += a;
    }
    return s;
}

/* Most pixels are opaque or transparent: these cost no arithmetic. */
bool straight_from(const uint8_t *rgba, size_t n, uint8_t *rgb)
{
    const struct sums s = sum(rgba, n);
    uint8_t mean[3];
    if (s.of[3] == 0)
        return false;
    for (int c = 0; c < 3; c++)
        mean[c] = (uint8_t)((255 * s.of[c] + s.of[3] / 2) / s.of[3]);
    for (size_t i = 0; i < n; i++, rgba += 4, rgb += 3) {
        const uint32_t a = rgba[3];
        if (a == 0 || a == 255) {
            memcpy(rgb, a == 0 ? mean : rgba, 3);
            continue;
        }
        const uint32_t q = (255 * 65536 + a / 2) / a;
        for (int c = 0; c < 3; c++) {
            const uint32_t v = (rgba[c] * q + 32768) >> 16;
            rgb[c] = (uint8_t)(v < 255 ? v : 255);
        }
    }
    return true;
}

void straight_into(const uint8_t *rgb, size_t n, uint8_t *rgba)
{
    for (size_t i = 0; i < n; i++, rgba += 4, rgb += 3) {
        const uint32_t a = rgba[3];
        if (a == 0)
            continue;
        if (a == 255) {
            memcpy(rgba, rgb, 3);
            continue;
        }
        for (int c = 0; c < 3; c++)
            rgba[c] = (uint8_t)((rgb[c] * a + 127) / 255);
    }
}
