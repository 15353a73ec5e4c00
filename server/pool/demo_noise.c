/* Lattice noise, cells, sine, roots and colour ramps in integers. Draws no
 * picture. */
#include "server/pool/demo_noise.h"

#include "server/base/fixmath.h"
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

/* The root of a double is rounded correctly everywhere, and below 2^52 that
 * never reaches the next integer. */
int32_t demo_root(int64_t n)
{
    return (int32_t)fixmath_sqrt((double)n);
}

/* Offsets of the nine nearest scattered points from (x, y). */
struct near_points {
    int32_t x[9], y[9];
    int32_t best;  /* the nearest */
    int64_t least; /* its distance, squared */
};

static void find_points(uint32_t seed, int32_t x, int32_t y,
                        struct near_points *p)
{
    p->least = INT64_MAX;
    p->best = 0;
    for (int32_t i = 0; i < 9; i++) {
        int32_t cx = (x >> 8) + i % 3 - 1, cy = (y >> 8) + i / 3 - 1;
        uint32_t h = demo_hash(seed, cx, cy);
        p->x[i] = cx * 256 + (int32_t)(h & 255) - x;
        p->y[i] = cy * 256 + (int32_t)(h >> 8 & 255) - y;
        int64_t square =
            (int64_t)p->x[i] * p->x[i] + (int64_t)p->y[i] * p->y[i];
        if (square < p->least) {
            p->least = square;
            p->best = i;
        }
    }
}

/* The nearest of the perpendicular bisectors towards the other points. Each is
 * dot / sqrt(length) away; the least is found among the squares. */
static int32_t border_of(const struct near_points *p)
{
    int64_t least_dot = 1 << 10, its_length = 1;
    for (int32_t i = 0; i < 9; i++) {
        int64_t dx = p->x[i] - p->x[p->best], dy = p->y[i] - p->y[p->best];
        int64_t length = dx * dx + dy * dy;
        if (length == 0)
            continue;
        int64_t dot =
            ((p->x[i] + p->x[p->best]) * dx + (p->y[i] + p->y[p->best]) * dy) /
            2;
        if (dot * dot * its_length < least_dot * least_dot * length) {
            least_dot = dot;
            its_length = length;
        }
    }
    return demo_root(least_dot * least_dot / its_length);
}

struct demo_cell demo_voronoi(uint32_t seed, int32_t x, int32_t y)
{
    struct near_points p;
    find_points(seed, x, y, &p);
    return (struct demo_cell){
        .nearest = demo_root(p.least),
        .border = border_of(&p),
        .id = demo_hash(seed ^ 0x51ED27u, (x >> 8) + p.best % 3,
                        (y >> 8) + p.best / 3),
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

uint32_t demo_shade(uint32_t colour, int32_t amount)
{
    if (amount < 0)
        return demo_mix(colour, 0x000000, amount < -256 ? 256 : -amount);
    return demo_mix(colour, 0xFFFFFF, amount > 256 ? 256 : amount);
}

int32_t demo_clamp(int32_t value)
{
    return value < 0 ? 0 : value > 65535 ? 65535 : value;
}
