/* Lattice noise, cells, sine, roots and colour ramps in integers. Draws no
 * picture. */
#include "server/pool/demo_noise.h"

#include "server/pool/demo_draw.h"

uint32_t demo_hash(uint32_t seed, int32_t x, int32_t y)
{
    uint32_t h = seed * 0x9E3779B9u ^ (uint32_t)x * 0x85EBCA6Bu ^
                 (uint32_t)y * 0xC2B2AE35u;
    h ^= h >> 15;
    h *= 0x2C1B3C6Du;
    h ^= h >> 12;
    h *= 0x297A2D39u;
    return h ^ (h >> 15);
}

/* 3 t^2 - 2 t^3 for t in 0..256, in 0..256. */
static int32_t smooth(int32_t t)
{
    return t * t * (768 - 2 * t) >> 16;
}

static int32_t lattice(uint32_t seed, int32_t x, int32_t y)
{
    return (int32_t)(demo_hash(seed, x, y) >> 16);
}

int32_t demo_noise(uint32_t seed, int32_t x, int32_t y)
{
    int32_t ix = x >> 8, iy = y >> 8;
    int32_t fx = smooth(x & 255), fy = smooth(y & 255);
    int32_t a = lattice(seed, ix, iy), b = lattice(seed, ix + 1, iy);
    int32_t c = lattice(seed, ix, iy + 1), d = lattice(seed, ix + 1, iy + 1);
    int32_t top = a + (b - a) * fx / 256, bottom = c + (d - c) * fx / 256;
    return top + (bottom - top) * fy / 256;
}

int32_t demo_fbm(uint32_t seed, int32_t x, int32_t y, int n_octaves)
{
    int32_t sum = 0, weight = 0;
    for (int i = 0; i < n_octaves; i++) {
        int32_t w = 256 >> i;
        sum += (demo_noise(seed + (uint32_t)i, x, y) >> 8) * w;
        weight += w;
        x = x * 2 + 61; /* so that lattices do not coincide */
        y = y * 2 + 37;
    }
    return (int32_t)((int64_t)sum * 256 / weight);
}

int32_t demo_root(int64_t n)
{
    int64_t root = 0;
    int64_t bit = (int64_t)1 << 30;
    while (bit * bit > n)
        bit >>= 1;
    for (; bit > 0; bit >>= 1)
        if ((root + bit) * (root + bit) <= n)
            root += bit;
    return (int32_t)root;
}

/* Two passes: the nearest point, then the least distance to a border, which is
 * the perpendicular bisector towards another point. */
struct demo_cell demo_voronoi(uint32_t seed, int32_t x, int32_t y)
{
    int32_t ix = x >> 8, iy = y >> 8, px[9], py[9], best = 0;
    int64_t least = INT64_MAX;
    for (int32_t i = 0; i < 9; i++) {
        int32_t cx = ix + i % 3 - 1, cy = iy + i / 3 - 1;
        uint32_t h = demo_hash(seed, cx, cy);
        px[i] = cx * 256 + (int32_t)(h & 255) - x;
        py[i] = cy * 256 + (int32_t)(h >> 8 & 255) - y;
        int64_t square = (int64_t)px[i] * px[i] + (int64_t)py[i] * py[i];
        if (square < least) {
            least = square;
            best = i;
        }
    }
    int64_t border = 1 << 20;
    for (int32_t i = 0; i < 9; i++) {
        int64_t dx = px[i] - px[best], dy = py[i] - py[best];
        int64_t length = dx * dx + dy * dy;
        if (length == 0)
            continue;
        int64_t dot = (px[i] + px[best]) * dx / 2 + (py[i] + py[best]) * dy / 2;
        int64_t distance = dot / (1 + demo_root(length));
        border = distance < border ? distance : border;
    }
    return (struct demo_cell){
        .nearest = demo_root(least),
        .border = border < 0 ? 0 : (int32_t)border,
        .id = demo_hash(seed ^ 0x51ED27u, ix + best % 3, iy + best / 3),
    };
}

/* A parabola, then its square mixed in: within 0.1 % of the sine. */
int32_t demo_sin(int32_t at)
{
    int32_t t = at & 65535, sign = 1;
    if (t >= 32768) {
        t -= 32768;
        sign = -1;
    }
    int64_t p = (int64_t)t * (32768 - t) / 4096; /* 0..65536 */
    int64_t s = p + (p * p / 65536 - p) * 225 / 1000;
    return sign * (int32_t)s;
}

uint32_t demo_ramp(const uint32_t *colours, int32_t n, int32_t at)
{
    if (at <= 0)
        return colours[0];
    int32_t place = at * (n - 1);
    int32_t i = place / 65536;
    if (i >= n - 1)
        return colours[n - 1];
    return demo_mix(colours[i], colours[i + 1], (place & 65535) >> 8);
}
