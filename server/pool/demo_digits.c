/* The digits of the demo pools: round strokes with a dark rim and a highlight.
 * Knows no sign. */
#include <assert.h>
#include <stddef.h>

#include "server/pool/demo_parts.h"

struct digit {
    uint32_t colour;
    const char *path; /* centre lines in 1000 x 1000 */
};

static const struct digit digits[10] = {
    {0xE4572E, "E 500 500 195 300"},
    {0x2E86AB, "M 345 330 L 525 200 525 800 M 380 800 L 670 800"},
    {0x5B8C2A,
     "B 500 385 185 195 385 C 640 560 420 660 315 800 L 315 800 705 800"},
    {0xA23B72, "B 490 350 155 215 450 M 490 505 A 490 655 160 -90 148"},
    {0xF2A104, "M 600 805 L 600 205 280 625 725 625"},
    {0x17A398, "M 680 200 L 380 200 355 465 A 490 610 195 232 500"},
    {0x6A4C93, "M 645 195 C 480 270 330 420 312 600 O 500 612 190"},
    {0x3D5A98, "M 300 205 L 700 205 C 590 380 480 560 430 805"},
    {0xC8553D, "O 500 345 145 O 500 650 170"},
    {0x22577A, "M 355 805 C 520 730 670 580 688 400 O 500 388 190"},
};

/* The highlight is a thin light line, up and to the left. */
void demo_draw_digit(struct demo_canvas *c, uint32_t digit)
{
    assert(digit < 10);
    const struct digit *d = &digits[digit];
    struct demo_transform t = demo_scale_to(c->width, 1000, 0, 0);
    struct demo_transform up = t;
    up.x0 -= c->width * 256 / 55;
    up.y0 -= c->width * 256 / 45;
    struct demo_paint body = {demo_mix(d->colour, 0xFFFFFF, 70),
                              demo_mix(d->colour, 0x000000, 50), 255};
    demo_stroke_text(c, t, d->path, 232,
                     demo_flat(demo_mix(d->colour, 0x101018, 190)));
    demo_stroke_text(c, t, d->path, 172, body);
    struct demo_paint light = demo_flat(demo_mix(d->colour, 0xFFFFFF, 170));
    light.alpha = 170;
    demo_stroke_text(c, up, d->path, 34, light);
}
