/* Demo backgrounds that are materials: clouds, stone, wood, metal, earth, made
 * of noise. Regular patterns are demo_patterns.c's. */
#include "server/pool/demo_noise.h"
#include "server/pool/demo_parts.h"

typedef const struct demo_background *background_ref;

/* Grain of film: +-amount of 256. */
static int32_t grain(uint32_t seed, int32_t x, int32_t y, int32_t amount)
{
    return ((int32_t)(demo_hash(seed, x, y) & 255) - 128) * amount / 128;
}

/* Palette: sky above, sky below, cloud shadow, cloud light. */
static uint32_t clouds(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 400 / b->scale;
    int32_t bend = demo_fbm(b->seed + 9, u / 2, v / 2, 3) / 128;
    int32_t d = demo_fbm(b->seed, u + bend, v, 6);
    int32_t above = demo_fbm(b->seed, u + bend, v - 40, 4);
    uint32_t sky = demo_mix(b->palette[0], b->palette[1], y * 256 / b->height);
    int32_t cover = demo_clamp((d - 31000) * 5);
    int32_t light = demo_clamp(36000 + (d - above) * 3);
    uint32_t cloud = demo_ramp(b->palette + 2, 2, light);
    return demo_mix(sky, cloud, cover >> 8);
}

/* Palette: body dark and light, vein, thin vein, gloss. */
static uint32_t marble(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    int32_t w = demo_fbm(b->seed, u, v, 6);
    int32_t z = demo_fbm(b->seed + 20, u + w / 200, v - w / 300, 5);
    uint32_t body =
        demo_ramp(b->palette, 2, demo_clamp((w - 32768) * 2 + 32768));
    int32_t wide = demo_sin(u * 40 + v * 24 + w * 3);
    int32_t thin = z - 32768;
    wide = 65536 - (wide < 0 ? -wide : wide);
    thin = (thin < 0 ? -thin : thin) * 24;
    body = demo_mix(body, b->palette[2], (int32_t)((int64_t)wide * wide >> 25));
    return demo_mix(b->palette[3], body, thin > 65535 ? 256 : thin >> 8);
}

/* Palette: late wood, early wood, light streak. Boards one after the other;
 * their rings are nested arches, steep or flat. */
static uint32_t wood(background_ref b, int32_t x, int32_t y)
{
    int32_t wide = b->scale, board = x / wide, along = board * 397 + y;
    uint32_t id = demo_hash(b->seed, board, 5);
    int32_t dx = x % wide - wide / 2 + (int32_t)(id % 40) - 20;
    int32_t warp = demo_fbm(b->seed + id % 999, x * 5, along * 2, 3) * 3;
    int32_t arch = dx * dx * (200 + (int32_t)(id >> 8 & 127)) * 96 / wide;
    int32_t ring = (arch + along * 600 + warp) & 65535;
    ring = ring < 48000 ? ring : (65535 - ring) * 48 / 17;
    int32_t fibre = demo_noise(b->seed + 7, x * 190, along * 6) / 4 +
                    demo_noise(b->seed + 8, x * 90, along * 3) / 6;
    uint32_t colour =
        demo_ramp(b->palette, 3, demo_clamp(55000 - ring / 2 + fibre - 10000));
    int32_t gap = x % wide;
    int32_t dark = gap < 2 ? -150 : gap < 4 ? 30 : 0;
    return demo_shade(colour, dark + (int32_t)(id >> 8 & 31) - 20);
}

/* Palette: shadow, dark, middle, light, spark. */
static uint32_t granite(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    struct demo_cell cell = demo_voronoi(b->seed, u, v);
    int32_t speck = (int32_t)(cell.id & 65535);
    int32_t soft = demo_fbm(b->seed + 3, u / 6, v / 6, 4);
    int32_t t = speck / 2 + soft * 3 / 4 - 8000;
    uint32_t colour = demo_ramp(b->palette, 5, demo_clamp(t));
    return demo_shade(colour, grain(b->seed, x, y, 14));
}

/* Palette: metal dark, metal light, rust dark, rust, rust light. */
static uint32_t rust(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    int32_t big = demo_fbm(b->seed, u, v, 6);
    int32_t drip = demo_fbm(b->seed + 40, u * 3, v / 3, 4);
    int32_t fine = demo_fbm(b->seed + 80, u * 6, v * 6, 3);
    uint32_t metal = demo_ramp(b->palette, 2, fine);
    uint32_t oxide =
        demo_ramp(b->palette + 2, 3, demo_clamp(fine * 2 - 32768 / 2));
    int32_t t = demo_clamp((big + drip / 3 - 41000) * 9);
    uint32_t colour = demo_mix(metal, oxide, t >> 8);
    int32_t rim = t > 8000 && t < 30000 ? -60 : 0;
    return demo_shade(colour, rim + grain(b->seed, x, y, 16));
}

/* Palette: joint, shadow, stone dark, stone light, lichen. */
static uint32_t pebbles(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    int32_t wobble = demo_fbm(b->seed + 5, u * 2, v * 2, 3) / 900 - 36;
    struct demo_cell c = demo_voronoi(b->seed, u + wobble, v + wobble);
    int32_t height = c.border * 65536 / 60;
    int32_t rough = demo_fbm(b->seed + 11, u * 5, v * 5, 3);
    uint32_t stone =
        demo_ramp(b->palette + 1, 4,
                  demo_clamp((int32_t)(c.id & 65535) * 3 / 4 + rough / 4));
    int32_t round = 70 - c.nearest * 2 / 3 + (rough - 32768) / 500;
    stone = demo_shade(stone, round);
    return demo_mix(b->palette[0], stone, demo_clamp(height) >> 8);
}

/* Palette: crack, dark, earth, light, dust. */
static uint32_t cracked(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    int32_t bend = demo_fbm(b->seed + 2, u * 2, v * 2, 4) / 500;
    struct demo_cell big = demo_voronoi(b->seed, u + bend, v - bend);
    struct demo_cell fine = demo_voronoi(b->seed + 1, u * 2 + bend, v * 2);
    int32_t rough = demo_fbm(b->seed + 3, u * 4, v * 4, 4);
    uint32_t earth = demo_ramp(b->palette + 1, 4,
                               demo_clamp(rough + (int32_t)(big.id & 8191)));
    int32_t open = demo_clamp(big.border * 65536 / 14 - 12000);
    int32_t hair = demo_clamp(fine.border * 65536 / 9);
    earth = demo_shade(earth, big.border < 34 ? big.border * 2 - 68 : 0);
    earth = demo_mix(demo_shade(earth, -90), earth, hair >> 8);
    return demo_mix(b->palette[0], earth, open >> 8);
}

/* Palette: deep, middle, light, caustic. */
static uint32_t water(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    int32_t bend = demo_fbm(b->seed + 2, u, v, 3) / 256;
    int32_t depth = demo_fbm(b->seed + 7, u / 3, v / 3, 3);
    struct demo_cell a = demo_voronoi(b->seed, u + bend, v + bend / 2);
    struct demo_cell c = demo_voronoi(b->seed + 1, u - bend, v + bend);
    int32_t line = demo_clamp(65535 - a.border * 900) / 2 +
                   demo_clamp(65535 - c.border * 1100) / 2;
    uint32_t body = demo_ramp(b->palette, 3, depth + (b->height - y) * 40);
    return demo_mix(body, b->palette[3],
                    (int32_t)((int64_t)line * line >> 25) + line / 900);
}

/* Palette: shadow, sand, light. Ripples, scale apart, that fork and fade. */
static uint32_t ripples(background_ref b, int32_t x, int32_t y)
{
    int32_t bend = demo_fbm(b->seed, x * 3, y * 3, 3);
    int32_t fine = demo_fbm(b->seed + 1, x * 16, y * 16, 3);
    int32_t strong = demo_fbm(b->seed + 2, x * 2, y * 2, 2) / 3;
    int32_t phase = (y * 65536 + x * 9000) / b->scale + bend * 9 + fine * 3 / 2;
    int32_t wave = demo_sin(phase) + demo_sin(phase * 2 + 14000) / 3;
    int32_t lit = (int32_t)((int64_t)wave * strong / 65536);
    int32_t dune = (demo_fbm(b->seed + 4, x, y, 3) - 32768) / 2;
    return demo_shade(demo_ramp(b->palette, 3, demo_clamp(34000 + lit + dune)),
                      grain(b->seed, x, y, 20));
}

/* Palette: four colours of cloth, thread shadow. */
static uint32_t camouflage(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    uint32_t colour = b->palette[0];
    for (uint32_t i = 1; i < 4; i++) {
        int32_t d = demo_fbm(b->seed + i * 31, u, v + (int32_t)i * 700, 3);
        if (d > 35500)
            colour = b->palette[i];
    }
    int32_t weave = (x + y) % 3 == 0 ? -24 : (x - y + 999) % 3 == 0 ? 14 : 0;
    return demo_shade(colour, weave + grain(b->seed, x, y, 10));
}

/* Palette: space, gas dark, gas, gas light, star. */
static uint32_t nebula(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    int32_t w = demo_fbm(b->seed, u, v, 5);
    int32_t z = demo_fbm(b->seed + 50, u + w / 120, v + w / 160, 6);
    int32_t t = demo_clamp((z - 23000) * 2);
    uint32_t colour = demo_ramp(b->palette, 4, (int32_t)((int64_t)t * t >> 16));
    struct demo_cell star = demo_voronoi(b->seed + 8, x * 12, y * 12);
    int32_t size = (int32_t)(star.id >> 20 & 31), light = 0;
    if (star.id % 3 == 0)
        light = (size + 6 - star.nearest) * 40;
    return demo_mix(colour, b->palette[4],
                    light < 0     ? 0
                    : light > 256 ? 256
                                  : light);
}

/* Palette: dark, metal, light. Brushed along x, with soft bands of light. */
static uint32_t brushed(background_ref b, int32_t x, int32_t y)
{
    int32_t hair = demo_noise(b->seed, x * 256 / b->scale, y * 200) / 3 +
                   demo_noise(b->seed + 1, x * 700 / b->scale, y * 256) / 6;
    int32_t band = demo_sin((x + y / 2) * 65536 / (b->width * 9 / 10)) / 5;
    return demo_ramp(b->palette, 3, demo_clamp(hair + band + 16000));
}

/* Palette: crease, dark, leather, light. Lit small cells. */
static uint32_t leather(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    int32_t bend = demo_fbm(b->seed + 1, u / 2, v / 2, 3) / 200;
    struct demo_cell here = demo_voronoi(b->seed, u + bend, v + bend);
    struct demo_cell lit = demo_voronoi(b->seed, u + bend - 28, v + bend - 28);
    int32_t tone = demo_fbm(b->seed + 3, u / 9, v / 9, 4);
    int32_t relief = (here.border - lit.border) * 260;
    return demo_ramp(
        b->palette, 4,
        demo_clamp(tone / 2 + 14000 + relief + (here.border < 16 ? -9000 : 0)));
}

/* Palette: five greens (or golds): fine vertical fibres over patches. */
static uint32_t lawn(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    int32_t patch = demo_fbm(b->seed, u, v, 4);
    int32_t lean = demo_noise(b->seed + 6, x * 16, y * 16) / 110;
    int32_t blade = demo_noise(b->seed + 1, x * 120 + lean * 4, y * 26) / 2 +
                    demo_noise(b->seed + 2, x * 210 - lean * 3, y * 40) / 3;
    return demo_ramp(b->palette, 5,
                     demo_clamp(blade * 5 / 4 + (patch - 32768) / 2));
}

/* Palette: tar, dark, grey, light chip, paint. Road with a painted edge. */
static uint32_t asphalt(background_ref b, int32_t x, int32_t y)
{
    struct demo_cell chip = demo_voronoi(b->seed, x * 56, y * 56);
    int32_t wear =
        demo_fbm(b->seed + 1, x * 256 / b->scale, y * 256 / b->scale, 5);
    int32_t t = (int32_t)(chip.id & 32767) + wear / 2 - chip.nearest * 60;
    uint32_t colour = demo_ramp(b->palette, 4, demo_clamp(t));
    int32_t off = x - b->width * 3 / 4 - y / 9 + wear / 9000;
    if (off > 0 && off < b->width / 14 && t + wear > 38000)
        colour = demo_mix(colour, b->palette[4], 200);
    return colour;
}

/* Palette: five tones from valley to peak, with contour lines. */
static uint32_t contours(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    int32_t height = demo_clamp((demo_fbm(b->seed, u, v, 5) - 12000) * 3 / 2);
    int32_t step = height % 4096, level = height / 4096;
    uint32_t colour = demo_ramp(b->palette, 5, level * 4369);
    int32_t line = level % 4 == 0 ? 520 : 300;
    if (step < line)
        return demo_shade(colour, -110);
    return demo_shade(colour, step < 1300 ? 20 - step / 50 : 0);
}

/* Palette: five colours of poured paint. */
static uint32_t poured(background_ref b, int32_t x, int32_t y)
{
    int32_t u = x * 256 / b->scale, v = y * 256 / b->scale;
    int32_t p = demo_fbm(b->seed, u, v, 4) / 64;
    int32_t q = demo_fbm(b->seed + 9, u + 300, v + 100, 4) / 64;
    int32_t r = demo_fbm(b->seed + 19, u + p * 2, v + q * 2, 3);
    int32_t phase = r * 3 & 65535;
    int32_t next = demo_fbm(b->seed + 19, u + p * 2 + 9, v + q * 2 + 9, 3);
    return demo_shade(demo_ramp(b->palette, 5,
                                phase < 32768 ? phase * 2 : 131071 - phase * 2),
                      (r - next) / 24);
}

/* clang-format off */
#define NAME "demo/backgrounds/"
const struct demo_background demo_materials[] = {
    {NAME "clouds-noon", 384, 288, clouds, NULL, 110, 1,
     {0x2F6FB5, 0x9CC9E8, 0xAEBBC9, 0xFFFFFF}},
    {NAME "clouds-evening", 400, 300, clouds, NULL, 130, 2,
     {0x4A3F77, 0xF5A26B, 0x8C5A78, 0xFFD9A8}},
    {NAME "clouds-storm", 360, 270, clouds, NULL, 150, 3,
     {0x3C4A58, 0x77879A, 0x39424C, 0xB4BEC8}},
    {NAME "marble-white", 320, 320, marble, NULL, 120, 4,
     {0xD9DAD8, 0xF6F5F2, 0x9AA0A6, 0x6B6F76}},
    {NAME "marble-green", 320, 320, marble, NULL, 100, 5,
     {0x123A2E, 0x2D6E55, 0x0B241D, 0xD7E8DC}},
    {NAME "marble-rose", 288, 352, marble, NULL, 140, 6,
     {0xC98B86, 0xEBC5B8, 0x8F4F4B, 0xFFF3EC}},
    {NAME "wood-oak", 384, 384, wood, NULL, 96, 7,
     {0x6B4423, 0xA9743F, 0xD2A56B}},
    {NAME "wood-ash", 352, 320, wood, NULL, 70, 8,
     {0x8A7A66, 0xC4B69C, 0xE6DCC6}},
    {NAME "wood-cherry", 320, 400, wood, NULL, 106, 9,
     {0x3F1710, 0x7C3420, 0xB5613A}},
    {NAME "granite-grey", 300, 300, granite, NULL, 7, 10,
     {0x26272B, 0x55565C, 0x8D8C90, 0xBDB9B5, 0xE8E3DC}},
    {NAME "granite-red", 320, 256, granite, NULL, 8, 11,
     {0x2B1A1A, 0x6E3B34, 0xA65F4E, 0xCF937B, 0xF0D2BC}},
    {NAME "rust-steel", 352, 352, rust, NULL, 120, 12,
     {0x4C5A63, 0x8397A3, 0x4A2113, 0x9A4A1C, 0xD98A3D}},
    {NAME "rust-paint", 384, 320, rust, NULL, 150, 13,
     {0x1E6B74, 0x3E9CA0, 0x3B1A10, 0x8C3F18, 0xC97B37}},
    {NAME "pebbles-river", 384, 384, pebbles, NULL, 44, 14,
     {0x1E1C1A, 0x4F4A44, 0x857C70, 0xB8AC9A, 0x6C8079}},
    {NAME "pebbles-warm", 320, 320, pebbles, NULL, 30, 15,
     {0x2B1F18, 0x7C4F36, 0xB98358, 0xE3C79C, 0x93A3A8}},
    {NAME "cracked-earth", 384, 288, cracked, NULL, 64, 16,
     {0x22150D, 0x7A5536, 0xA97C50, 0xCBA274, 0xE2C79C}},
    {NAME "cracked-glaze", 300, 300, cracked, NULL, 80, 17,
     {0x2D4F57, 0x7FB3AE, 0xA4CFC8, 0xC6E5DD, 0xE4F5EF}},
    {NAME "water-pool", 384, 384, water, NULL, 72, 18,
     {0x066A8C, 0x1098B5, 0x4CC3D2, 0xF0FFFF}},
    {NAME "water-lagoon", 352, 288, water, NULL, 50, 19,
     {0x0A3D4F, 0x1F7A6E, 0x5DB48A, 0xE8FFDD}},
    {NAME "sand-ripples", 400, 300, ripples, NULL, 15, 20,
     {0x9C7248, 0xD7B27E, 0xF6E2B8}},
    {NAME "snow-ripples", 320, 320, ripples, NULL, 24, 21,
     {0x8FA8C4, 0xD3E0EC, 0xFFFFFF}},
    {NAME "camouflage-wood", 288, 288, camouflage, NULL, 70, 22,
     {0x5A5F38, 0x2F3A22, 0x7B6A43, 0x1C1F18}},
    {NAME "camouflage-desert", 288, 320, camouflage, NULL, 90, 23,
     {0xCDB488, 0xA88556, 0xE3D3AE, 0x7C6545}},
    {NAME "nebula-violet", 384, 384, nebula, NULL, 150, 24,
     {0x05040F, 0x2A1150, 0x9C2F86, 0xFFB48A, 0xFFFFFF}},
    {NAME "nebula-teal", 400, 320, nebula, NULL, 120, 25,
     {0x02080F, 0x06354A, 0x1B8C8C, 0xD9F2B4, 0xFFF6E0}},
    {NAME "brushed-steel", 320, 288, brushed, NULL, 90, 26,
     {0x5F666D, 0xA3ABB2, 0xEEF2F5}},
    {NAME "brushed-copper", 288, 288, brushed, NULL, 120, 27,
     {0x6A2F16, 0xB8693A, 0xF6C9A0}},
    {NAME "leather-brown", 304, 304, leather, NULL, 15, 28,
     {0x1F0F08, 0x4A2614, 0x7E4A28, 0xC58A55}},
    {NAME "leather-blue", 288, 256, leather, NULL, 12, 29,
     {0x070D1C, 0x142A4E, 0x2A5285, 0x7FA9D6}},
    {NAME "lawn", 384, 384, lawn, NULL, 120, 30,
     {0x12320F, 0x2B5E1B, 0x4F8A2B, 0x83B544, 0xCFE07E}},
    {NAME "hay", 320, 320, lawn, NULL, 90, 31,
     {0x4A3413, 0x8A662A, 0xBF9645, 0xE0C270, 0xFAEBB4}},
    {NAME "asphalt", 352, 352, asphalt, NULL, 110, 32,
     {0x1D1E20, 0x3A3B3E, 0x5D5E61, 0x8A8986, 0xF2EFE4}},
    {NAME "contours-atlas", 384, 320, contours, NULL, 120, 33,
     {0x3D7C8A, 0x8DB48E, 0xD8D9A0, 0xC79C66, 0xF5EFE6}},
    {NAME "contours-ink", 320, 320, contours, NULL, 150, 34,
     {0x11213A, 0x1E3B5C, 0x34608A, 0x6A9CC0, 0xD6E9F5}},
    {NAME "poured-coral", 352, 352, poured, NULL, 200, 35,
     {0x12355B, 0xF25C54, 0xF7B267, 0xFDF0D5, 0x2A9D8F}},
    {NAME "poured-ink", 320, 384, poured, NULL, 260, 36,
     {0x0B132B, 0x1C2541, 0x5BC0BE, 0xF4F1DE, 0xE07A5F}},
};
/* clang-format on */

const uint32_t demo_n_materials =
    (uint32_t)(sizeof(demo_materials) / sizeof(demo_materials[0]));
