/* Demo backgrounds that are painted scenes: mountains, sea, city, forest,
 * lights, meadows, leaves. Textures are demo_materials.c's and
 * demo_patterns.c's. */
#include "server/base/fixmath.h"
#include "server/pool/demo_brush.h"
#include "server/pool/demo_noise.h"
#include "server/pool/demo_parts.h"

typedef const struct demo_background *background_ref;

/* Palette: sky above, sky below, far ridge, near ridge, sun. */
static void mountains(background_ref b, struct demo_canvas *c)
{
    int32_t w = c->width, h = c->height;
    int32_t sun_x = brush_pick(b, 0, 1, w / 4, w * 3 / 4);
    brush_wash(b, c, 0, h, b->palette);
    brush_glow(c, sun_x, h * 2 / 5, w / 4, b->palette[4]);
    brush_disc(c, sun_x, h * 2 / 5, w / 18, demo_flat(b->palette[4]));
    for (int32_t i = 0; i < 5; i++) {
        uint32_t top = demo_mix(b->palette[2], b->palette[3], i * 64);
        struct demo_paint paint = {demo_mix(top, 0x000000, 20),
                                   demo_mix(top, b->palette[1], 110 - i * 20),
                                   255};
        brush_ridge(b, c, h * (11 + i * 2) / 20, h * (9 - i) / 18, 120 - i * 10,
                    (uint32_t)i * 17u, paint);
    }
}

/* Palette: sky above, sky below, sea far, sea near, sun. */
static void sea(background_ref b, struct demo_canvas *c)
{
    int32_t w = c->width, h = c->height, line = h * 11 / 20;
    int32_t sun_x = brush_pick(b, 0, 1, w / 3, w * 2 / 3);
    brush_wash(b, c, 0, line, b->palette);
    brush_glow(c, sun_x, line - h / 12, w / 3, b->palette[4]);
    brush_disc(c, sun_x, line - h / 14, w / 14, demo_flat(b->palette[4]));
    brush_wash(b, c, line, h, b->palette + 2);
    for (int32_t y = line; y < h; y++) {
        int32_t depth = y - line, reach = w / 16 + depth / 3;
        for (int32_t x = 0; x < w; x++) {
            int32_t n = demo_fbm(b->seed + 3, x * 2600 / (depth + 30),
                                 6000000 / (depth + 40) / 8, 3);
            int32_t off = x > sun_x ? x - sun_x : sun_x - x;
            int32_t spark = (n - 30000) / 90 - off * 120 / reach;
            int32_t swell = (n - 32768) / 500;
            uint32_t here = brush_get(c, x, y);
            here = demo_mix(here, swell > 0 ? 0xFFFFFF : 0x000000,
                            swell > 0 ? swell : -swell);
            brush_put(c, x, y,
                      demo_mix(here, b->palette[4],
                               spark < 0     ? 0
                               : spark > 230 ? 230
                                             : spark));
        }
    }
}

static void tower(background_ref b, struct demo_canvas *c, int32_t i, int32_t x,
                  int32_t depth)
{
    int32_t w = brush_pick(b, i, 1, c->width / 16, c->width / 8);
    int32_t top =
        c->height * (depth + 1) / 7 + brush_pick(b, i, 2, 0, c->height * 2 / 5);
    uint32_t wall = demo_mix(b->palette[1], b->palette[2], 90 + depth * 80);
    brush_rectangle(c, x, top, w, c->height, wall);
    brush_rectangle(c, x + w - 3, top, 3, c->height,
                    demo_mix(wall, 0x000000, 60));
    if (i % 3 == 0)
        brush_rectangle(c, x + w / 2, top - 14, 2, 14, wall);
    for (int32_t y = top + 6; y < c->height; y += 9) {
        for (int32_t k = x + 4; k + 4 < x + w - 3; k += 7) {
            uint32_t lit = demo_hash(b->seed + 5, k + i * 999, y);
            if (lit % 5 < 2)
                brush_rectangle(
                    c, k, y, 4, 5,
                    demo_mix(wall, b->palette[3 + (lit >> 8 & 1)],
                             60 + depth * 60 + (int32_t)(lit >> 16 & 63)));
        }
    }
}

/* Palette: sky above, sky below, wall, two lights. */
static void city(background_ref b, struct demo_canvas *c)
{
    brush_wash(b, c, 0, c->height, b->palette);
    brush_glow(c, c->width * 3 / 4, c->height / 5, c->width / 6, b->palette[3]);
    brush_disc(c, c->width * 3 / 4, c->height / 5, c->width / 22,
               demo_flat(demo_mix(b->palette[3], 0xFFFFFF, 150)));
    for (int32_t depth = 0; depth < 3; depth++)
        for (int32_t i = 0; i < 16; i++)
            tower(b, c, depth * 20 + i,
                  i * c->width / 15 - c->width / 20 +
                      brush_pick(b, depth * 20 + i, 3, 0, c->width / 30),
                  depth);
}

static void conifer(struct demo_canvas *c, int32_t x, int32_t foot,
                    int32_t size, struct demo_paint paint)
{
    struct demo_path p;
    demo_path_init(&p, brush_in_pixels());
    for (int32_t i = 0; i < 5; i++) {
        int32_t y = foot - size * (9 - i * 2) / 10;
        int32_t half = size * (3 + i * 2) / 40;
        demo_path_move(&p, x, y - size / 10);
        demo_path_line(&p, x + half, y + size / 6);
        demo_path_line(&p, x - half, y + size / 6);
    }
    demo_path_move(&p, x - size / 40 - 1, foot - size / 5);
    demo_path_line(&p, x + size / 40 + 1, foot - size / 5);
    demo_path_line(&p, x + size / 40 + 1, foot);
    demo_path_line(&p, x - size / 40 - 1, foot);
    demo_fill(c, &p, paint);
}

/* Palette: sky above, mist, far trees, near trees, light. */
static void forest(background_ref b, struct demo_canvas *c)
{
    brush_wash(b, c, 0, c->height, b->palette);
    brush_glow(c, c->width / 3, c->height / 4, c->width / 3, b->palette[4]);
    for (int32_t depth = 0; depth < 4; depth++) {
        uint32_t tone = demo_mix(b->palette[2], b->palette[3], depth * 85);
        struct demo_paint paint = {
            tone, demo_mix(tone, b->palette[1], 130 - depth * 35), 255};
        int32_t foot = c->height * (12 + depth * 3) / 20;
        brush_ridge(b, c, foot, c->height / 14, 200, (uint32_t)depth * 5u,
                    paint);
        for (int32_t i = 0; i < 26 - depth * 5; i++) {
            int32_t k = depth * 40 + i;
            conifer(c, brush_pick(b, k, 1, 0, c->width),
                    foot + brush_pick(b, k, 2, 0, c->height / 12),
                    c->height * (4 + depth * 2) / 20 +
                        brush_pick(b, k, 3, 0, c->height / 8),
                    paint);
        }
    }
}

/* Palette: ground above, ground below, three lights. */
static void bokeh(background_ref b, struct demo_canvas *c)
{
    brush_wash(b, c, 0, c->height, b->palette);
    for (int32_t i = 0; i < 70; i++) {
        int32_t x = brush_pick(b, i, 1, 0, c->width);
        int32_t y = (brush_pick(b, i, 2, 0, c->height) +
                     brush_pick(b, i, 3, 0, c->height)) /
                    2;
        int32_t r = brush_pick(b, i, 4, c->width / 40, c->width / 9);
        struct demo_paint paint =
            demo_flat(b->palette[2 + brush_pick(b, i, 5, 0, 3)]);
        paint.alpha = brush_pick(b, i, 6, 30, 110);
        brush_disc(c, x, y, r, paint);
        paint.alpha /= 2;
        paint.top = paint.bottom = demo_mix(paint.top, 0xFFFFFF, 90);
        brush_disc(c, x, y, r * 5 / 6, paint);
    }
}

/* A blade of grass or a petal: two curves from foot to tip. */
static void blade(struct demo_canvas *c, const int32_t foot[2],
                  const int32_t tip[2], int32_t width, uint32_t colour)
{
    struct demo_path p;
    int32_t bend_y = foot[1] + (tip[1] - foot[1]) * 2 / 3;
    const int32_t right[2] = {foot[0] + width, bend_y};
    const int32_t left[2] = {foot[0] - width, bend_y};
    demo_path_init(&p, brush_in_pixels());
    demo_path_move(&p, foot[0], foot[1]);
    demo_path_curve(&p, right, right, tip);
    demo_path_curve(&p, left, left, foot);
    demo_fill(c, &p, demo_flat(colour));
}

static void flower(background_ref b, struct demo_canvas *c, int32_t i,
                   int32_t x, int32_t y)
{
    int32_t r = 3 + y * 9 / c->height;
    uint32_t petal = b->palette[3 + i % 2];
    for (int32_t k = 0; k < 5; k++) {
        double turn = (k * 72 + i * 31 % 72) * FIXMATH_DEGREE;
        brush_disc(c, x + (int32_t)fixmath_round(r * fixmath_cos(turn)),
                   y + (int32_t)fixmath_round(r * fixmath_sin(turn)), r * 3 / 4,
                   demo_flat(demo_mix(petal, 0xFFFFFF, k * 12)));
    }
    brush_disc(c, x, y, r * 2 / 3, demo_flat(0xF6C445));
}

/* Palette: dark grass, grass, light grass, two flowers. */
static void meadow(background_ref b, struct demo_canvas *c)
{
    brush_wash(b, c, 0, c->height, b->palette);
    for (int32_t i = 0; i < 900; i++) {
        int32_t y = i * (c->height + 50) / 900, size = 14 + y / 8;
        int32_t x = brush_pick(b, i, 1, -5, c->width + 5);
        const int32_t foot[2] = {x, y + 12};
        const int32_t tip[2] = {x + brush_pick(b, i, 2, -size / 2, size / 2),
                                y - size + brush_pick(b, i, 3, 0, size / 2)};
        uint32_t tone = demo_ramp(b->palette, 3, brush_pick(b, i, 4, 0, 65535));
        blade(c, foot, tip, 2 + size / 12, tone);
        if (i % 15 == 0)
            flower(b, c, i / 15, tip[0], tip[1]);
    }
}

/* A leaf with its rib, turned by an angle. */
static void leaf(struct demo_canvas *c, int32_t x, int32_t y, int32_t size,
                 int32_t degrees, uint32_t colour)
{
    double turn = degrees * FIXMATH_DEGREE;
    int32_t cosine = (int32_t)fixmath_round(fixmath_cos(turn) * 65536);
    int32_t sine = (int32_t)fixmath_round(fixmath_sin(turn) * 65536);
    struct demo_transform t = {
        .xx = cosine * size / 1000 * 256,
        .xy = -(sine * size / 1000) * 256,
        .x0 = x * 256,
        .yx = sine * size / 1000 * 256,
        .yy = cosine * size / 1000 * 256,
        .y0 = y * 256,
    };
    struct demo_transform drop = t;
    drop.x0 += 3 * 256;
    drop.y0 += 4 * 256;
    static const char shape[] =
        "M -500 0 C -300 -330 200 -330 500 0 C 200 330 -300 330 -500 0";
    struct demo_paint shadow = {0, 0, 70};
    demo_fill_text(c, drop, shape, shadow);
    demo_fill_text(c, t, shape, demo_flat(colour));
    demo_stroke_text(c, t,
                     "M -640 0 L 430 0 M -250 0 L -100 -150 M -250 0 L -100 "
                     "150 M 0 0 L 150 -140 M 0 0 L 150 140",
                     34, demo_flat(demo_mix(colour, 0x000000, 70)));
}

/* Palette: ground, four leaves. */
static void leaves(background_ref b, struct demo_canvas *c)
{
    const uint32_t ground[2] = {b->palette[0],
                                demo_mix(b->palette[0], 0x000000, 70)};
    brush_wash(b, c, 0, c->height, ground);
    for (int32_t i = 0; i < 130; i++)
        leaf(c, brush_pick(b, i, 1, 0, c->width),
             brush_pick(b, i, 2, 0, c->height),
             brush_pick(b, i, 3, b->scale, b->scale * 2),
             brush_pick(b, i, 4, 0, 360),
             demo_mix(b->palette[1 + brush_pick(b, i, 5, 0, 4)], 0x000000,
                      100 - i * 90 / 130));
}

/* Palette: sky above, sky below, grass, road, line. */
static void road(background_ref b, struct demo_canvas *c)
{
    int32_t w = c->width, h = c->height, line = h * 9 / 20;
    const uint32_t field[2] = {demo_mix(b->palette[2], b->palette[1], 110),
                               demo_mix(b->palette[2], 0x000000, 40)};
    brush_wash(b, c, 0, line, b->palette);
    brush_ridge(b, c, line, h / 6, 90, 3,
                demo_flat(demo_mix(b->palette[2], b->palette[1], 120)));
    brush_wash(b, c, line, h, field);
    for (int32_t y = line; y < h; y++) {
        int32_t d = y - line + 2, centre = w / 2 + (h - y) * (h - y) / (2 * h);
        int32_t half = d * w / (2 * h) + 2;
        int32_t dash = 900000 / d / 64 % 64;
        for (int32_t x = 0; x < w; x++) {
            int32_t off = x - centre, far = off < 0 ? -off : off;
            if (far > half)
                continue;
            int32_t n = demo_fbm(b->seed, x * 60, y * 60, 3);
            uint32_t colour = demo_mix(b->palette[3], 0xFFFFFF, n / 1400);
            if (far > half * 7 / 8 && far < half * 15 / 16)
                colour = b->palette[4];
            if (far < half / 30 + 1 && dash < 32)
                colour = b->palette[4];
            brush_put(c, x, y, colour);
        }
    }
}

/* One dune: lit where its crest falls towards the sun, darker further down. */
static void dune(background_ref b, struct demo_canvas *c, int32_t i)
{
    int32_t base = c->height * (9 + i * 3) / 20, step = 300 - i * 30;
    for (int32_t x = 0; x < c->width; x++) {
        int32_t at = (x + 900) * 256 / step;
        int32_t n = demo_fbm(b->seed + (uint32_t)i * 11u, at, 77, 2);
        int32_t before = demo_fbm(b->seed + (uint32_t)i * 11u, at - 24, 77, 2);
        int32_t crest = base * 256 - (n - 20000) * (c->height / 5) / 128;
        int32_t light = 128 + (before - n) / 26;
        for (int32_t y = crest < 0 ? 0 : crest >> 8; y < c->height; y++) {
            int32_t deep = (y + 1) * 256 - crest, soft = deep / 160;
            int32_t ripple = demo_sin(deep * 60 + n * 4 + x * 900) / 9000;
            int32_t lit = light - (soft > 70 ? 70 : soft) + ripple;
            uint32_t colour = demo_mix(b->palette[2], b->palette[3],
                                       lit < 0     ? 0
                                       : lit > 256 ? 256
                                                   : lit);
            colour = demo_mix(colour, b->palette[1], 120 - i * 28);
            brush_put(
                c, x, y,
                demo_mix(brush_get(c, x, y), colour, deep < 256 ? deep : 256));
        }
    }
}

/* Palette: sky above, sky below, dune shadow, dune light, sun. */
static void dunes(background_ref b, struct demo_canvas *c)
{
    brush_wash(b, c, 0, c->height, b->palette);
    brush_glow(c, c->width / 4, c->height / 4, c->width / 3, b->palette[4]);
    brush_disc(c, c->width / 4, c->height / 4, c->width / 24,
               demo_flat(b->palette[4]));
    for (int32_t i = 0; i < 5; i++)
        dune(b, c, i);
}

/* A studio's backdrop: a round light on cloth. Palette: edge, middle. */
static void backdrop(background_ref b, struct demo_canvas *c)
{
    int32_t cx = c->width * 2 / 5, cy = c->height * 2 / 5;
    for (int32_t y = 0; y < c->height; y++) {
        for (int32_t x = 0; x < c->width; x++) {
            int64_t dx = x - cx, dy = y - cy;
            int32_t r = demo_root(dx * dx + dy * dy) * 65536 / c->width;
            int32_t n =
                demo_fbm(b->seed, x * 256 / b->scale, y * 256 / b->scale, 5);
            int32_t g = (int32_t)(demo_hash(b->seed, x, y) & 4095);
            brush_put(
                c, x, y,
                demo_ramp(b->palette, 3, 62000 - r + (n - 32768) / 2 + g));
        }
    }
}

/* Snow falls on a night street of lamps. Palette: sky, ground, lamp, snow. */
static void snowfall(background_ref b, struct demo_canvas *c)
{
    brush_wash(b, c, 0, c->height, b->palette);
    for (int32_t i = 0; i < 7; i++)
        brush_glow(c, brush_pick(b, i, 1, 0, c->width),
                   brush_pick(b, i, 2, c->height / 3, c->height * 2 / 3),
                   c->width / 6, b->palette[2]);
    brush_ridge(b, c, c->height * 9 / 10, c->height / 10, 180, 3,
                demo_flat(b->palette[3]));
    for (int32_t i = 0; i < 320; i++) {
        struct demo_paint paint = demo_flat(b->palette[3]);
        paint.alpha = brush_pick(b, i, 7, 90, 255);
        brush_disc(c, brush_pick(b, i, 8, 0, c->width),
                   brush_pick(b, i, 9, 0, c->height),
                   1 + brush_pick(b, i, 10, 0, 100) / 28, paint);
    }
}

/* clang-format off */
#define NAME "demo/backgrounds/"
const struct demo_background demo_scenes[] = {
    {NAME "mountains-dawn", 480, 320, NULL, mountains, 0, 201,
     {0x3B4A7A, 0xF7C59F, 0x8A7FA3, 0x1F2A44, 0xFFF0CF}},
    {NAME "mountains-day", 448, 320, NULL, mountains, 0, 202,
     {0x4A90C8, 0xD7ECF5, 0x9DB9CC, 0x27513A, 0xFFFDF0}},
    {NAME "mountains-rose", 400, 400, NULL, mountains, 0, 203,
     {0x8C3B5E, 0xFFB5A0, 0xC77A8D, 0x2B1736, 0xFFE6D5}},
    {NAME "sea-sunset", 448, 320, NULL, sea, 0, 204,
     {0x32305E, 0xFF9E5E, 0xB8605A, 0x14213D, 0xFFE7B0}},
    {NAME "sea-morning", 400, 300, NULL, sea, 0, 205,
     {0x6FB7DC, 0xE9F5F4, 0x4FA3B5, 0x0E5A78, 0xFFFFFF}},
    {NAME "city-night", 448, 336, NULL, city, 0, 206,
     {0x0B1026, 0x3D2C5A, 0x090B16, 0xFFD27A, 0x9AD7FF}},
    {NAME "city-dusk", 400, 320, NULL, city, 0, 207,
     {0x5B4B8A, 0xFFA98F, 0x232544, 0xFFE29A, 0xFFF6DA}},
    {NAME "forest-mist", 432, 324, NULL, forest, 0, 208,
     {0xA9C4C9, 0xE8EDE6, 0x93AFAB, 0x16332B, 0xFFFBE8}},
    {NAME "forest-evening", 384, 384, NULL, forest, 0, 209,
     {0x2D2A55, 0xF0946B, 0x7B5573, 0x120F22, 0xFFD9A0}},
    {NAME "bokeh-night", 400, 300, NULL, bokeh, 0, 210,
     {0x0D1024, 0x2A1A3A, 0xFFB347, 0xFF5E78, 0x7AC7FF}},
    {NAME "bokeh-green", 352, 352, NULL, bokeh, 0, 211,
     {0x17351F, 0x5C8A3A, 0xD8F08C, 0xFFF7C2, 0x8FD694}},
    {NAME "bokeh-gold", 320, 400, NULL, bokeh, 0, 212,
     {0x2B1606, 0x7A4A12, 0xFFD166, 0xFFF1C9, 0xF28C28}},
    {NAME "meadow-spring", 400, 320, NULL, meadow, 0, 213,
     {0x1E4A1A, 0x4E8C2F, 0xA5CF58, 0xFFFFFF, 0xF28DB2}},
    {NAME "meadow-summer", 352, 352, NULL, meadow, 0, 214,
     {0x3B5A1C, 0x87A336, 0xE3DA7C, 0xE4572E, 0x5E6BD8}},
    {NAME "leaves-autumn", 384, 384, NULL, leaves, 50, 215,
     {0x3A2818, 0xC8441B, 0xE8912D, 0xB5651D, 0xF2C14E}},
    {NAME "leaves-green", 352, 320, NULL, leaves, 60, 216,
     {0x0F2417, 0x2E7D4F, 0x56A36C, 0x1F5B3A, 0x9CC96B}},
    {NAME "road-plain", 448, 320, NULL, road, 0, 217,
     {0x4C8FCB, 0xDCEFF8, 0x6E9B4B, 0x55575C, 0xF7F4EA}},
    {NAME "road-desert", 400, 320, NULL, road, 0, 218,
     {0x6A7FB0, 0xFFD7A8, 0xC58B52, 0x4A4444, 0xFFE28A}},
    {NAME "dunes", 448, 300, NULL, dunes, 0, 219,
     {0x5FA8D3, 0xFCE8C8, 0xA8612E, 0xEDB775, 0xFFF6DD}},
    {NAME "dunes-evening", 384, 320, NULL, dunes, 0, 220,
     {0x39335F, 0xF29E7A, 0x5A2A3C, 0xD9805A, 0xFFE0B5}},
    {NAME "backdrop-grey", 320, 384, NULL, backdrop, 120, 221,
     {0x2C2F33, 0x6B7077, 0xB9BDC0}},
    {NAME "backdrop-olive", 320, 320, NULL, backdrop, 150, 222,
     {0x24251A, 0x63654A, 0xB1B08A}},
    {NAME "backdrop-teal", 384, 320, NULL, backdrop, 100, 223,
     {0x0B2E33, 0x2C7A7B, 0xA7DCD0}},
    {NAME "snowfall", 400, 300, NULL, snowfall, 0, 224,
     {0x101B33, 0x34476B, 0xFFD9A0, 0xF2F6FA}},
};
/* clang-format on */

const uint32_t demo_n_scenes =
    (uint32_t)(sizeof(demo_scenes) / sizeof(demo_scenes[0]));
