/* Demo backgrounds that are regular patterns: bricks, tiles, cloth, glass.
 * Irregular materials are demo_materials.c's. */
#include "server/pool/demo_noise.h"
#include "server/pool/demo_parts.h"

typedef const struct demo_background *background_ref;

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Light on a raised piece: bright at its top left, dark at its bottom right;
 * the four distances to its sides are in pixels. */
static int32_t bevel(int32_t left, int32_t top, int32_t right, int32_t bottom)
{
    int32_t light = 0;
    if (least(left, top) < 4)
        light += 44 - least(left, top) * 11;
    if (least(right, bottom) < 4)
        light -= 56 - least(right, bottom) * 14;
    return light;
}

/* Palette: mortar, three bricks, soot. scale is a brick's length. */
static uint32_t bricks(background_ref b, int32_t x, int32_t y)
{
    int32_t w = b->scale, h = w * 2 / 5, joint = w / 14 + 1;
    int32_t row = y / h, xx = x + row % 2 * (w / 2) + w;
    int32_t px = xx % w, py = y % h;
    uint32_t id = demo_hash(b->seed, xx / w, row);
    int32_t rough = demo_fbm(b->seed + 1, x * 40, y * 40, 4);
    if (px < joint || py < joint)
        return demo_shade(b->palette[0], (rough - 32768) / 400 - 20);
    uint32_t colour = demo_ramp(b->palette + 1, 3, (int32_t)(id & 65535));
    int32_t soot = demo_fbm(b->seed + 2, x * 2, y * 2, 4);
    colour = demo_mix(colour, b->palette[4], demo_clamp(soot * 2 - 60000) >> 9);
    return demo_shade(colour,
                      bevel(px - joint, py - joint, w - 1 - px, h - 1 - py) +
                          (rough - 32768) / 260);
}

/* Palette: grout, three glazes, reflection. scale is a tile's side. */
static uint32_t tiles(background_ref b, int32_t x, int32_t y)
{
    int32_t s = b->scale, px = x % s, py = y % s, joint = s / 16 + 1;
    if (px < joint || py < joint)
        return demo_shade(b->palette[0],
                          (int32_t)(demo_hash(b->seed, x, y) & 31) - 16);
    uint32_t id = demo_hash(b->seed, x / s, y / s);
    uint32_t colour = demo_ramp(b->palette + 1, 3, (int32_t)(id & 65535));
    int32_t gloss =
        demo_fbm(b->seed + 1, x * 4 + (int32_t)(id & 255), y * 4, 3);
    colour =
        demo_mix(colour, b->palette[4], demo_clamp(gloss * 2 - 52000) >> 8);
    return demo_shade(colour,
                      bevel(px - joint, py - joint, s - 1 - px, s - 1 - py) +
                          (px + py) * 24 / s - 24);
}

/* Painted tiles: circles and leaves by symmetry. Palette: ground, ink, second
 * ink, third ink, grout. */
static uint32_t azulejo(background_ref b, int32_t x, int32_t y)
{
    int32_t s = b->scale, px = x % s, py = y % s;
    if (px < 2 || py < 2)
        return b->palette[4];
    int32_t dx = px < s / 2 ? s / 2 - px : px - s / 2;
    int32_t dy = py < s / 2 ? s / 2 - py : py - s / 2;
    int32_t u = dx * 512 / s, v = dy * 512 / s; /* 0..256 from the centre */
    int32_t r = demo_root((int64_t)u * u + (int64_t)v * v);
    int32_t corner = demo_root((int64_t)(256 - u) * (256 - u) +
                               (int64_t)(256 - v) * (256 - v));
    int32_t leaf = demo_root((int64_t)(u - v) * (u - v) * 9 +
                             (int64_t)(u + v - 230) * (u + v - 230));
    uint32_t colour = b->palette[0];
    if (r < 52 || (corner > 96 && corner < 124))
        colour = b->palette[1];
    if (leaf < 96)
        colour = leaf < 62 ? b->palette[2] : b->palette[1];
    if ((r > 70 && r < 86) || corner < 60)
        colour = b->palette[3];
    int32_t glaze = demo_fbm(b->seed, x * 5, y * 5, 4);
    return demo_shade(colour,
                      (glaze - 32768) / 520 +
                          bevel(px - 2, py - 2, s - 1 - px, s - 1 - py) / 2);
}

/* Palette: joint, three stones, light. scale is a cell's width. */
static uint32_t hexagons(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 512 / b->scale, v = y * 512 / b->scale;
    /* two staggered grids of cells 512 wide, 887 = 512 * sqrt(3) high */
    int32_t ax = u % 512 - 256, ay = v % 887 - 443;
    int32_t bx = (u + 256) % 512 - 256, by = (v + 443) % 887 - 443;
    int far = ax * ax + ay * ay > bx * bx + by * by;
    int32_t cx = far ? (u + 256) / 512 * 2 : u / 512 * 2 + 1;
    int32_t cy = far ? (v + 443) / 887 * 2 : v / 887 * 2 + 1;
    int32_t hx = far ? bx : ax, hy = far ? by : ay;
    int32_t mx = hx < 0 ? -hx : hx, my = hy < 0 ? -hy : hy;
    int32_t edge = least(256 - mx, 256 - (mx * 128 + my * 222) / 256);
    uint32_t id = demo_hash(b->seed, cx, cy);
    uint32_t colour = demo_ramp(b->palette + 1, 3, (int32_t)(id & 65535));
    int32_t rough = demo_fbm(b->seed + 1, x * 20, y * 20, 4);
    if (edge < 16)
        return demo_shade(b->palette[0], (rough - 32768) / 500);
    int32_t light = edge < 52 ? -(hx + hy * 2) / 9 : 0;
    colour = demo_mix(colour, b->palette[4], demo_clamp(-hy * 60 + 8000) >> 10);
    return demo_shade(colour, light + (rough - 32768) / 420);
}

/* Palette: warp, weft, third thread, gap. scale is a thread's width. */
static uint32_t woven(background_ref b, int32_t x, int32_t y)
{
    int32_t s = b->scale, cx = x / s, cy = y / s, px = x % s, py = y % s;
    int over = (cx + cy) % 2;
    int32_t across = over ? px : py, along = over ? py : px;
    int32_t round = across * (s - 1 - across) * 400 / (s * s);
    int32_t dip = along * (s - 1 - along) * 300 / (s * s);
    uint32_t thread = b->palette[over];
    if ((over ? cx : cy) % 6 == 0)
        thread = b->palette[2];
    int32_t fibre =
        (int32_t)(demo_hash(b->seed, over ? x : x / 3, over ? y / 3 : y) & 31) -
        16;
    if (round < 20)
        return demo_shade(b->palette[3], fibre);
    return demo_shade(thread, round + dip - 120 + fibre);
}

/* Palette: ground, three bands, thin line. scale is the period. */
static uint32_t tartan(background_ref b, int32_t x, int32_t y)
{
    static const uint8_t sett[16] = {0, 0, 1, 1, 1, 4, 1, 1,
                                     0, 0, 2, 2, 3, 2, 2, 0};
    uint32_t across = b->palette[sett[x * 16 / b->scale % 16]];
    uint32_t down = b->palette[sett[y * 16 / b->scale % 16]];
    int twill = (x + y) % 4 < 2;
    uint32_t colour = demo_mix(across, down, twill ? 70 : 186);
    int32_t fibre = (int32_t)(demo_hash(b->seed, x, y) & 31) - 16;
    return demo_shade(colour, fibre + ((x + y) % 4 == 0 ? -30 : 0));
}

/* Knitted rows of V stitches. Palette: two yarns by a motif, shadow. */
static uint32_t knitted(background_ref b, int32_t x, int32_t y)
{
    int32_t s = b->scale, half = s / 2, px = x % s;
    int32_t lean = px < half ? px : s - 1 - px;
    int32_t yy = y + lean * 3 / 4, row = yy * 5 / (s * 4), col = x / s;
    int32_t py = yy - row * s * 4 / 5;
    int32_t mx = col % 12, my = row % 12;
    mx = mx > 6 ? 12 - mx : mx;
    my = my > 6 ? 12 - my : my;
    int motif = mx + my == 6 || mx + my == 3 || (mx == 0 && my == 0);
    uint32_t yarn = b->palette[motif ? 1 : row / 24 % 2 ? 2 : 0];
    int32_t round = lean * (half - lean) * 500 / (half * half) +
                    py * (s * 4 / 5 - py) * 300 / (s * s);
    int32_t fluff = (int32_t)(demo_hash(b->seed, x / 2, y) & 31) - 16;
    return demo_shade(yarn, round - 150 + fluff);
}

/* Palette: five glasses. Lead lines between bent cells. */
static uint32_t stained_glass(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    struct demo_cell c = demo_voronoi(b->seed, u, v);
    if (c.border < 13)
        return demo_shade(0x1A1A1C, c.border * 6);
    uint32_t glass = b->palette[c.id % 5];
    int32_t flow = demo_fbm(c.id, u * 2, v * 2, 4);
    int32_t cx = x - b->width / 2, cy = y - b->height / 3;
    int32_t lit =
        70 - demo_root((int64_t)cx * cx + (int64_t)cy * cy) * 150 / b->width;
    return demo_shade(glass, lit + (flow - 32768) / 260 -
                                 (c.border < 24 ? (24 - c.border) * 7 : 0));
}

/* Chips in cement. Palette: cement, four chips. */
static uint32_t terrazzo(background_ref b, int32_t x, int32_t y)
{
    int32_t fine = demo_noise(b->seed + 5, x * 90, y * 90);
    uint32_t colour = demo_shade(b->palette[0], (fine - 32768) / 900);
    for (uint32_t i = 0; i < 2; i++) {
        int32_t size = i == 0 ? b->scale : b->scale / 2;
        struct demo_cell c =
            demo_voronoi(b->seed + i, x * 256 / size, y * 256 / size);
        int32_t chip = 20 + (int32_t)(c.id >> 8 & 31);
        if (c.id % 3 != 0 && c.border > chip && c.nearest < 110)
            colour =
                demo_shade(b->palette[1 + c.id / 7 % 4], (fine - 32768) / 1400);
    }
    return colour;
}

/* Quarter circles on turned tiles. Palette: ground, line, rim. */
static uint32_t truchet(background_ref b, int32_t x, int32_t y)
{
    int32_t s = b->scale, px = x % s, py = y % s;
    if (demo_hash(b->seed, x / s, y / s) >> 16 & 1)
        px = s - 1 - px;
    int32_t near = px * px + py * py;
    int32_t far = (s - 1 - px) * (s - 1 - px) + (s - 1 - py) * (s - 1 - py);
    int32_t r = demo_root((int64_t)least(near, far) * 65536) * 2 / s - 256;
    r = r < 0 ? -r : r; /* 256 is half a tile */
    uint32_t ground = demo_mix(b->palette[0], b->palette[3],
                               (x + y) * 256 / (b->width + b->height));
    if (r > 120)
        return ground;
    if (r > 92)
        return b->palette[2];
    return demo_shade(
        demo_mix(b->palette[1], b->palette[4], y * 256 / b->height),
        40 - r / 2);
}

/* Overlapping scales or shingles. Palette: shadow, three tones, rim. */
static uint32_t scales(background_ref b, int32_t x, int32_t y)
{
    int32_t w = b->scale, h = w / 2;
    for (int32_t k = 0; k < 3; k++) { /* the front row that covers (x, y) */
        int32_t row = y / h + 1 - k;
        int32_t xx = x + (row & 1) * h + w, cx = xx / w;
        int32_t dx = xx % w - h, dy = y - row * h;
        int32_t r = demo_root((int64_t)dx * dx + (int64_t)dy * dy);
        if (dy < 0 && k == 0)
            continue;
        if (r > h + h / 6 || dy < 0)
            continue;
        uint32_t id = demo_hash(b->seed, cx, row);
        uint32_t tone = demo_ramp(b->palette + 1, 3, (int32_t)(id & 65535));
        if (r > h)
            return demo_mix(b->palette[4], tone, 120);
        return demo_shade(tone, 60 - dy * 130 / h);
    }
    return b->palette[0];
}

/* A floor in perspective under a wall. Palette: two floor tiles, wall above and
 * below, haze. */
static uint32_t chequer(background_ref b, int32_t x, int32_t y)
{
    int32_t horizon = b->height * 2 / 5, d = y - horizon;
    if (d <= 0) {
        int32_t spot = (x - b->width / 3) * (x - b->width / 3) / b->width;
        int32_t rough = demo_fbm(b->seed, x * 8, y * 8, 4);
        return demo_shade(
            demo_mix(b->palette[2], b->palette[3], y * 256 / horizon),
            30 - spot / 2 + (rough - 32768) / 900);
    }
    int32_t z = b->scale * 12000 / (d + 6);
    int32_t u = (x - b->width / 2) * z / 260 + (1 << 20), v = z * 3 / 2;
    int dark = ((u >> 11) + (v >> 11)) & 1;
    uint32_t colour = b->palette[dark];
    int32_t sheen = demo_fbm(b->seed + 1, u >> 3, v >> 3, 3);
    int32_t haze = 256 * 26 / (d + 26);
    colour = demo_shade(colour, (sheen - 32768) / 500);
    return demo_mix(colour, b->palette[4], haze);
}

/* Broad soft diagonal stripes. Palette: up to five bands. */
static uint32_t stripes(background_ref b, int32_t x, int32_t y)
{
    int32_t bend = demo_fbm(b->seed, x, y, 3) / 2048;
    int32_t at = (x * 3 + y * 2 + bend) * 256 / (b->scale * 3);
    int32_t band = at >> 8, part = at & 255;
    uint32_t here = b->palette[band % 5], next = b->palette[(band + 1) % 5];
    int32_t soft = part < 248 ? 0 : (part - 248) * 32;
    int32_t thread = (int32_t)(demo_hash(b->seed, x, y) & 15) - 8;
    return demo_shade(demo_mix(here, next, soft),
                      thread + (part < 20 ? part - 20 : 0));
}

/* Printed dots that grow across the sheet. Palette: paper, ink, paper 2. */
static uint32_t halftone(background_ref b, int32_t x, int32_t y)
{
    int32_t s = b->scale, u = x * 3 + y * 4 + 5000, v = y * 3 - x * 4 + 9000;
    int32_t px = u % (5 * s) - 5 * s / 2, py = v % (5 * s) - 5 * s / 2;
    int32_t tone =
        demo_fbm(b->seed, x * 2, y * 2, 3) / 3 + y * 43000 / b->height;
    int32_t r = demo_root((int64_t)tone * 25 * s * s / 140000);
    int32_t d = demo_root((int64_t)px * px + (int64_t)py * py);
    int32_t ink = (r - d) * 64 + 128;
    uint32_t paper = demo_mix(b->palette[0], b->palette[2], x * 256 / b->width);
    return demo_mix(paper, b->palette[1], ink < 0 ? 0 : ink > 256 ? 256 : ink);
}

/* clang-format off */
#define NAME "demo/backgrounds/"
const struct demo_background demo_patterns[] = {
    {NAME "bricks-red", 384, 288, bricks, NULL, 64, 101,
     {0xB9B0A2, 0x7A2E22, 0x9C4430, 0xB9644A, 0x3A2520}},
    {NAME "bricks-yellow", 320, 320, bricks, NULL, 80, 102,
     {0x8B857A, 0xB98F4E, 0xD1AA69, 0xE3C58C, 0x5A4A33}},
    {NAME "bricks-white", 400, 300, bricks, NULL, 56, 103,
     {0xC7C9C9, 0xD9DBDA, 0xE9EAE7, 0xF5F5F1, 0x9FA5A3}},
    {NAME "tiles-kitchen", 320, 320, tiles, NULL, 40, 104,
     {0xE8E6DF, 0x2C7DA0, 0x61A5C2, 0xA9D6E5, 0xFFFFFF}},
    {NAME "tiles-mosaic", 352, 352, tiles, NULL, 16, 105,
     {0x6F6B63, 0xB23A48, 0xF2A65A, 0xF6E7CB, 0xFFFFFF}},
    {NAME "azulejo-blue", 384, 384, azulejo, NULL, 96, 106,
     {0xF4F1E6, 0x1D4E89, 0x6FA8DC, 0xE0A526, 0xB5B2A6}},
    {NAME "azulejo-green", 320, 320, azulejo, NULL, 64, 107,
     {0xF0EAD6, 0x2B5D3A, 0x8DB580, 0xB5472F, 0xA29B88}},
    {NAME "hexagons-stone", 352, 352, hexagons, NULL, 56, 108,
     {0x3F3B37, 0x8B8378, 0xA89F92, 0xC7BFB1, 0xE6E0D4}},
    {NAME "hexagons-honey", 320, 288, hexagons, NULL, 36, 109,
     {0x6B3E07, 0xC77800, 0xF0A500, 0xFFC93C, 0xFFF1B8}},
    {NAME "woven-linen", 288, 288, woven, NULL, 8, 110,
     {0xC9B894, 0xDCCFB2, 0xB39B6E, 0x6E6146}},
    {NAME "woven-basket", 320, 320, woven, NULL, 20, 111,
     {0x8A5A2B, 0xB5803F, 0x6B4220, 0x2A180B}},
    {NAME "tartan-red", 320, 320, tartan, NULL, 128, 112,
     {0x9B1B1F, 0x14342B, 0x1B2A57, 0xF2E6C8, 0xE8B723}},
    {NAME "tartan-blue", 288, 352, tartan, NULL, 96, 113,
     {0x1D3557, 0x0F5132, 0x457B9D, 0xF1FAEE, 0xA8DADC}},
    {NAME "knitted-winter", 320, 320, knitted, NULL, 16, 114,
     {0x8E2A3A, 0xF3EBDD, 0x2D4A5E}},
    {NAME "knitted-blue", 288, 288, knitted, NULL, 12, 115,
     {0x2F5D8A, 0xE9EEF2, 0x4C84B0}},
    {NAME "stained-glass", 384, 384, stained_glass, NULL, 60, 116,
     {0xC1272D, 0x1B75BC, 0xF7B733, 0x2E8B57, 0x6A3D9A}},
    {NAME "stained-glass-pale", 320, 400, stained_glass, NULL, 44, 117,
     {0xE9C46A, 0xF4A261, 0x8ECAE6, 0xCDB4DB, 0xB7E4C7}},
    {NAME "terrazzo", 352, 352, terrazzo, NULL, 40, 118,
     {0xEDE8E0, 0xC8553D, 0x588B8B, 0x2E3A44, 0xE3B23C}},
    {NAME "terrazzo-night", 320, 320, terrazzo, NULL, 30, 119,
     {0x24282F, 0xD9D4C7, 0x7D8597, 0xE07A5F, 0x81B29A}},
    {NAME "truchet", 352, 352, truchet, NULL, 44, 120,
     {0xF4F1DE, 0xE07A5F, 0x3D405B, 0xF2CC8F, 0x81B29A}},
    {NAME "scales-sea", 320, 320, scales, NULL, 40, 121,
     {0x0A2F3D, 0x0E5D6F, 0x1C8C92, 0x58BFB0, 0xE8F6EF}},
    {NAME "shingles", 384, 320, scales, NULL, 52, 122,
     {0x2A1A14, 0x6E4232, 0x8E5A43, 0xA9745A, 0x3B241B}},
    {NAME "chequer-hall", 400, 300, chequer, NULL, 12, 123,
     {0xECE6DA, 0x2A2A32, 0x7A5C4D, 0xC4A58A, 0xC9B7A4}},
    {NAME "chequer-retro", 384, 320, chequer, NULL, 16, 124,
     {0xFF6FB5, 0x2B1B5A, 0x140B34, 0xF9A03F, 0xF26B8A}},
    {NAME "stripes-beach", 320, 320, stripes, NULL, 34, 125,
     {0xF6F0E0, 0x2A9D8F, 0xF6F0E0, 0xE9C46A, 0xE76F51}},
    {NAME "halftone", 320, 320, halftone, NULL, 11, 126,
     {0xFFF3D6, 0xD6336C, 0xFFD8A8}},
};
/* clang-format on */

const uint32_t demo_n_patterns =
    (uint32_t)(sizeof(demo_patterns) / sizeof(demo_patterns[0]));
