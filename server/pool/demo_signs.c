/* The signs of the demo pools: a plate and a pictogram each, as tables of
 * paths. Knows no digit. */
#include <assert.h>
#include <stddef.h>

#include "server/pool/demo.h"
#include "server/pool/demo_parts.h"

/* Paths are in 1000 x 1000. width 0 fills, else strokes. */
struct layer {
    int32_t width;
    uint32_t colour;
    const char *path;
};

/* A plate is a polygon or circle that is grown by a round pen: the rim, then
 * the face with a smaller pen. */
struct plate {
    const char *path;
    int32_t edge, rim, face; /* pen widths; edge is the thin outer line */
    uint32_t n_points;
    int32_t points[DEMO_MAX_KEYPOINTS][2]; /* middle, corners clockwise */
};

struct sign {
    const char *name;
    const struct plate *plate;
    uint32_t edge, rim, face;
    struct layer layers[5];
};

/* clang-format off */
static const struct plate ring     = {"O 500 500 380", 215, 190, 0,
    5, {{500, 500}, {500, 120}, {880, 500}, {500, 880}, {120, 500}}};
static const struct plate disc     = {"O 500 500 380", 215, 215, 165,
    5, {{500, 500}, {500, 120}, {880, 500}, {500, 880}, {120, 500}}};
static const struct plate triangle = {"N 500 610 390 3 -90", 255, 230, 70,
    4, {{500, 610}, {500, 220}, {838, 805}, {162, 805}}};
static const struct plate yielding = {"N 500 390 390 3 90", 255, 230, 50,
    4, {{500, 390}, {500, 780}, {162, 195}, {838, 195}}};
static const struct plate octagon  = {"N 500 500 440 8 22", 100, 100, 40,
    9, {{500, 500}, {908, 665}, {672, 905}, {335, 908}, {95, 672},
     {92, 335}, {328, 95}, {665, 92}, {905, 328}}};
static const struct plate diamond  = {"N 500 500 370 4 0", 190, 170, 80,
    5, {{500, 500}, {500, 130}, {870, 500}, {500, 870}, {130, 500}}};
static const struct plate square   = {"R 150 150 700 700 20", 240, 215, 160,
    5, {{500, 500}, {150, 150}, {850, 150}, {850, 850}, {150, 850}}};
static const struct plate hexagon  = {"N 500 500 400 6 30", 150, 130, 40,
    7, {{500, 500}, {846, 700}, {500, 900}, {154, 700}, {154, 300},
     {500, 100}, {846, 300}}};
static const struct plate shield   = {
    "M 160 170 L 840 170 L 840 480 C 840 700 680 810 500 880 "
    "C 320 810 160 700 160 480", 190, 165, 80,
    6, {{500, 500}, {160, 170}, {840, 170}, {840, 480}, {500, 880},
     {160, 480}}};

#define WHITE  0xF7F7F2
#define BLACK  0x1B1B1E
#define RED    0xC8102E
#define BLUE   0x1356A8
#define YELLOW 0xFFC72C
#define GREEN  0x1B7F4B
#define ORANGE 0xF08A24
#define BROWN  0x7A4A21

#define NAME "demo/objects/"

static const struct sign signs[] = {
    {NAME "sign-stop", &octagon, WHITE, WHITE, RED, {
        {52, WHITE, "B 240 445 55 -30 -200 C 190 505 295 505 295 560 "
                    "A 240 560 55 0 150"},
        {52, WHITE, "M 340 392 L 470 392 M 405 392 L 405 615"},
        {52, WHITE, "E 565 503 62 112"},
        {52, WHITE, "M 690 615 L 690 392 L 745 392 A 745 450 58 -90 90 "
                    "L 690 508"}}},
    {NAME "sign-yield", &yielding, WHITE, RED, WHITE, {{0, 0, NULL}}},
    {NAME "sign-no-entry", &disc, WHITE, WHITE, RED, {
        {0, WHITE, "R 215 425 570 150 20"}}},
    {NAME "sign-closed", &ring, WHITE, RED, WHITE, {{0, 0, NULL}}},
    {NAME "sign-speed-50", &ring, WHITE, RED, WHITE, {
        {64, BLACK, "M 450 370 L 320 370 305 485 A 370 560 92 225 500"},
        {64, BLACK, "E 610 500 85 132"}}},
    {NAME "sign-no-overtaking", &ring, WHITE, RED, WHITE, {
        {0, RED, "R 265 500 190 90 30 R 300 435 120 90 30 O 305 595 30 "
                 "O 415 595 30"},
        {0, BLACK, "R 545 500 190 90 30 R 580 435 120 90 30 O 585 595 30 "
                   "O 695 595 30"}}},
    {NAME "sign-no-horn", &ring, WHITE, RED, WHITE, {
        {0, BLACK, "M 270 450 L 400 450 560 340 560 660 400 550 270 550"},
        {40, BLACK, "B 560 500 110 -50 50 B 560 500 185 -42 42"},
        {62, RED, "M 255 255 L 745 745"}}},
    {NAME "sign-no-parking", &ring, WHITE, RED, BLUE, {
        {85, RED, "M 240 240 L 760 760"}}},
    {NAME "sign-no-stopping", &ring, WHITE, RED, BLUE, {
        {85, RED, "M 240 240 L 760 760 M 760 240 L 240 760"}}},
    {NAME "sign-ahead-only", &disc, WHITE, WHITE, BLUE, {
        {100, WHITE, "M 500 760 L 500 320"},
        {0, WHITE, "M 500 170 L 690 420 310 420"}}},
    {NAME "sign-turn-left", &disc, WHITE, WHITE, BLUE, {
        {100, WHITE, "M 640 740 L 640 540 C 640 440 600 420 520 420 "
                     "L 370 420"},
        {0, WHITE, "M 180 420 L 420 240 420 600"}}},
    {NAME "sign-keep-right", &disc, WHITE, WHITE, BLUE, {
        {100, WHITE, "M 290 290 L 590 590"},
        {0, WHITE, "M 730 730 L 420 690 690 420"}}},
    {NAME "sign-roundabout", &disc, WHITE, WHITE, BLUE, {
        {80, WHITE, "B 500 500 215 -80 0 B 500 500 215 40 120 "
                    "B 500 500 215 160 240"},
        {0, WHITE, "M 620 470 L 810 500 690 640 M 455 625 L 330 775 270 600 "
                   "M 424 405 L 358 222 540 258"}}},
    {NAME "sign-bicycle", &disc, WHITE, WHITE, BLUE, {
        {42, WHITE, "O 310 585 120 O 690 585 120"},
        {42, WHITE, "M 310 585 L 420 400 610 400 490 585 310 585 "
                    "M 490 585 L 400 340 M 355 340 L 445 340 "
                    "M 690 585 L 595 330 660 320"}}},
    {NAME "sign-snow-chains", &disc, WHITE, WHITE, BLUE, {
        {60, WHITE, "O 500 500 210"},
        {34, WHITE, "M 300 340 L 360 420 M 420 260 L 450 345 M 580 260 L 550 "
                    "345 M 700 340 L 640 420 M 300 660 L 360 580 M 420 740 L "
                    "450 655 M 580 740 L 550 655 M 700 660 L 640 580"},
        {0, WHITE, "O 500 500 90"}}},
    {NAME "sign-danger", &triangle, WHITE, RED, WHITE, {
        {0, BLACK, "M 440 390 C 440 320 560 320 560 390 L 530 620 C 525 655 "
                   "475 655 470 620"},
        {0, BLACK, "O 500 725 48"}}},
    {NAME "sign-crossroads", &triangle, WHITE, RED, WHITE, {
        {72, BLACK, "M 390 450 L 610 740 M 610 450 L 390 740"}}},
    {NAME "sign-bends", &triangle, WHITE, RED, WHITE, {
        {66, BLACK, "M 440 750 L 440 690 C 440 610 570 640 570 560 C 570 510 "
                    "530 500 510 470"},
        {0, BLACK, "M 455 350 L 590 450 450 540"}}},
    {NAME "sign-bumps", &triangle, WHITE, RED, WHITE, {
        {0, BLACK, "M 300 730 L 300 690 C 350 690 350 590 405 590 C 460 590 "
                   "450 670 500 670 C 550 670 540 590 595 590 C 650 590 650 "
                   "690 700 690 L 700 730"}}},
    {NAME "sign-lights", &triangle, WHITE, RED, WHITE, {
        {0, BLACK, "R 415 370 170 390 50"},
        {0, 0xE5262B, "O 500 445 48"},
        {0, YELLOW, "O 500 565 48"},
        {0, 0x2FA84F, "O 500 685 48"}}},
    {NAME "sign-snow", &triangle, WHITE, RED, WHITE, {
        {36, 0x2A5FA5, "M 500 420 L 500 760 M 353 505 L 647 675 M 647 505 L "
                       "353 675"},
        {28, 0x2A5FA5, "M 450 430 L 500 480 550 430 M 450 750 L 500 700 550 "
                       "750 M 338 570 L 407 536 380 463 M 662 610 L 593 644 "
                       "620 717 M 338 610 L 407 644 380 717 M 662 570 L 593 "
                       "536 620 463"}}},
    {NAME "sign-pedestrians", &triangle, WHITE, RED, WHITE, {
        {0, BLACK, "O 510 385 46"},
        {56, BLACK, "M 500 470 L 495 590 M 495 590 L 570 670 580 755 "
                    "M 495 590 L 450 670 400 755"},
        {38, BLACK, "M 500 470 L 420 530 390 600 M 500 470 L 565 545 630 "
                    "570"}}},
    {NAME "sign-deer", &triangle, WHITE, RED, WHITE, {
        {0, BLACK, "M 360 610 C 400 560 480 570 545 545 L 590 455 C 610 430 "
                   "640 440 690 490 L 640 510 C 630 560 620 600 580 640 C 520 "
                   "660 450 650 400 670"},
        {30, BLACK, "M 390 640 L 330 700 300 760 M 420 650 L 400 720 350 765 "
                    "M 560 630 L 620 690 680 680 M 545 640 L 570 720 640 740 "
                    "M 365 610 L 335 640"},
        {20, BLACK, "M 615 445 C 590 410 600 380 570 350 M 600 405 L 545 395 "
                    "M 635 445 C 640 410 660 390 650 345 M 648 400 L 690 "
                    "375"}}},
    {NAME "sign-rocks", &triangle, WHITE, RED, WHITE, {
        {0, BLACK, "M 290 755 L 420 400 470 480 450 540 500 600 490 660 560 "
                   "755"},
        {0, BLACK, "N 560 520 42 5 10 N 610 620 50 6 20 N 650 705 46 5 40"}}},
    {NAME "sign-wind", &triangle, WHITE, RED, WHITE, {
        {34, BLACK, "M 380 755 L 380 430"},
        {0, RED, "M 400 440 L 470 452 470 575 400 590 M 540 462 L 600 472 600 "
                 "550 540 562"},
        {0, 0xE9E4DA, "M 470 452 L 540 462 540 562 470 575 M 600 472 L 650 "
                      "480 650 542 600 550"},
        {10, BLACK, "M 400 440 L 650 480 650 542 400 590 400 440"}}},
    {NAME "sign-priority", &diamond, BLACK, WHITE, YELLOW, {{0, 0, NULL}}},
    {NAME "sign-duck", &diamond, BLACK, YELLOW, YELLOW, {
        {0, BLACK, "M 300 470 C 370 540 420 500 470 490 C 520 470 530 440 515 "
                   "390 C 500 310 640 280 665 375 L 745 400 665 430 C 650 480 "
                   "690 500 690 560 C 690 660 590 680 490 680 C 370 680 310 "
                   "600 300 470"},
        {0, YELLOW, "O 595 370 20"},
        {26, YELLOW, "M 420 560 C 470 610 540 600 590 550"}}},
    {NAME "sign-turtle", &diamond, BLACK, YELLOW, YELLOW, {
        {0, BLACK, "M 300 600 C 310 400 640 400 650 600 O 725 545 62 "
                   "M 640 590 L 700 560 740 600 R 335 590 90 90 35 "
                   "R 540 590 90 90 35 M 310 600 L 230 640 320 620"},
        {22, YELLOW, "M 360 590 L 420 500 540 500 600 590 M 420 500 L 445 590 "
                     "M 540 500 L 510 590"},
        {0, YELLOW, "O 745 535 14"}}},
    {NAME "sign-parking", &square, WHITE, WHITE, BLUE, {
        {110, WHITE, "M 400 760 L 400 260 L 530 260 A 530 385 125 -90 90 L 400 "
                     "510"}}},
    {NAME "sign-hospital", &square, WHITE, WHITE, BLUE, {
        {0, WHITE, "R 200 200 600 600 60"},
        {0, RED, "R 430 270 140 460 10 R 270 430 460 140 10"}}},
    {NAME "sign-information", &square, WHITE, WHITE, BLUE, {
        {0, WHITE, "O 500 275 75"},
        {95, WHITE, "M 440 430 L 510 430 510 730 M 420 735 L 600 735"}}},
    {NAME "sign-fuel", &square, WHITE, WHITE, BLUE, {
        {0, WHITE, "R 270 220 300 560 30 R 230 745 380 60 10"},
        {0, BLUE, "R 320 280 200 150 15"},
        {38, WHITE, "M 580 520 L 640 520 640 680 C 640 750 730 750 730 680 L "
                    "730 400 660 310"}}},
    {NAME "sign-cafe", &square, WHITE, WHITE, BROWN, {
        {0, WHITE, "M 260 430 L 660 430 C 660 560 630 680 560 700 L 360 700 C "
                   "290 680 260 560 260 430 R 220 740 480 40 18"},
        {42, WHITE, "B 655 525 80 -80 100"},
        {30, WHITE, "M 360 370 C 320 320 400 290 360 230 M 470 370 C 430 320 "
                    "510 290 470 230 M 580 370 C 540 320 620 290 580 230"}}},
    {NAME "sign-camping", &square, WHITE, WHITE, GREEN, {
        {0, WHITE, "M 500 270 L 800 740 200 740"},
        {44, WHITE, "M 500 300 L 450 225 M 500 300 L 550 225"},
        {0, GREEN, "M 500 470 L 590 740 410 740"}}},
    {NAME "sign-forest", &square, WHITE, WHITE, GREEN, {
        {0, WHITE, "M 380 210 L 500 400 440 400 560 580 470 580 580 740 180 "
                   "740 290 580 200 580 320 400 260 400 R 345 735 70 80 5"},
        {0, 0xBFE3C8, "M 650 390 L 740 530 700 530 780 650 730 650 800 760 500 "
                      "760 570 650 520 650 600 530 560 530 R 620 755 60 60 "
                      "5"}}},
    {NAME "sign-airport", &square, WHITE, WHITE, 0x31465F, {
        {0, WHITE, "M 500 190 C 535 190 545 260 545 330 L 545 420 810 580 810 "
                   "640 545 560 540 690 620 750 620 795 500 765 380 795 380 "
                   "750 460 690 455 560 190 640 190 580 455 420 455 330 C 455 "
                   "260 465 190 500 190"}}},
    {NAME "sign-harbour", &disc, WHITE, WHITE, 0x0B6E8F, {
        {56, WHITE, "O 500 270 62 M 500 335 L 500 740 M 390 410 L 610 410 "
                    "B 500 510 235 15 165"},
        {0, WHITE, "M 660 570 L 790 490 790 650 M 340 570 L 210 490 210 "
                   "650"}}},
    {NAME "sign-fishing", &square, WHITE, WHITE, 0x0F8B8D, {
        {0, WHITE, "M 200 500 C 310 320 540 320 650 490 L 800 370 770 500 800 "
                   "630 650 510 C 540 680 310 680 200 500"},
        {0, 0x0F8B8D, "O 330 460 34"},
        {28, 0x0F8B8D, "M 430 400 C 470 460 470 540 430 600"}}},
    {NAME "sign-radiation", &triangle, BLACK, BLACK, YELLOW, {
        {0, BLACK, "O 500 610 34 M 440 610 A 500 610 160 180 240 L 470 558 "
                   "M 530 558 A 500 610 160 -60 0 L 560 610 M 530 662 "
                   "A 500 610 160 60 120 L 470 662"}}},
    {NAME "sign-voltage", &triangle, BLACK, BLACK, YELLOW, {
        {0, BLACK, "M 540 370 L 400 590 490 590 450 700 415 690 445 790 530 "
                   "715 490 710 600 540 510 540 580 370"}}},
    {NAME "sign-flame", &diamond, WHITE, 0xD7263D, 0xD7263D, {
        {0, WHITE, "M 520 230 C 540 350 660 420 660 570 C 660 690 590 750 500 "
                   "750 C 410 750 340 690 340 580 C 340 500 390 460 410 400 C "
                   "440 430 450 470 450 490 C 500 430 520 340 520 230"},
        {0, ORANGE, "M 505 500 C 530 560 590 580 590 645 C 590 700 550 725 505 "
                    "725 C 455 725 420 700 420 645 C 420 590 480 570 505 "
                    "500"}}},
    {NAME "sign-poison", &hexagon, BLACK, 0x5B2A86, WHITE, {
        {0, 0x3B1B58, "M 330 430 C 330 250 670 250 670 430 C 670 500 640 540 "
                      "600 560 L 600 640 400 640 400 560 C 360 540 330 500 330 "
                      "430"},
        {0, WHITE, "O 425 440 50 O 575 440 50 M 500 500 L 530 555 470 555"},
        {16, WHITE, "M 450 590 L 450 650 M 500 590 L 500 650 M 550 590 L 550 "
                    "650"},
        {46, 0x3B1B58, "M 330 680 L 670 790 M 670 680 L 330 790"}}},
    {NAME "sign-star", &shield, 0x20304F, 0xE8EEF5, 0x27477A, {
        {0, YELLOW, "S 500 470 250 105 5 -90"}}},
    {NAME "sign-heart", &hexagon, WHITE, 0xF4A6B8, WHITE, {
        {0, 0xE0325E, "M 500 720 C 420 640 270 560 270 420 C 270 290 440 270 "
                      "500 390 C 560 270 730 290 730 420 C 730 560 580 640 500 "
                      "720"},
        {30, 0xF7B7C7, "B 375 410 60 180 270"}}},
    {NAME "sign-music", &shield, 0x402050, WHITE, 0x7D3C98, {
        {0, WHITE, "E 370 640 75 58 E 620 590 75 58"},
        {44, WHITE, "M 425 630 L 425 340 675 290 675 580"},
        {60, WHITE, "M 430 370 L 670 322"}}},
    {NAME "sign-moon", &disc, 0x101830, 0xC9D6EA, 0x1D2B53, {
        {0, 0xFFE9A8, "B 480 500 240 50 310 C 470 350 470 650 634 684"},
        {0, 0xFFE9A8, "S 640 420 70 28 5 -90 S 720 580 45 18 5 -90"}}},
    {NAME "sign-recycling", &hexagon, WHITE, GREEN, WHITE, {
        {70, GREEN, "M 420 330 L 500 300 590 400 M 660 520 L 690 620 600 670 "
                    "M 470 680 L 340 680 320 600"},
        {0, GREEN, "M 530 450 L 690 470 650 310 M 620 580 L 500 670 620 770 "
                   "M 250 620 L 320 470 420 600"},
        {70, GREEN, "M 340 530 L 400 420"}}},
};
/* clang-format on */

#define N_SIGNS ((uint32_t)(sizeof(signs) / sizeof(signs[0])))

uint32_t demo_n_signs(void)
{
    return N_SIGNS;
}

const char *demo_sign_name(uint32_t i)
{
    assert(i < N_SIGNS);
    return signs[i].name;
}

uint32_t demo_sign_points(uint32_t i, const int32_t (**out)[2])
{
    assert(i < N_SIGNS);
    *out = signs[i].plate->points;
    return signs[i].plate->n_points;
}

/* Enamel: a little lighter above than below. */
static struct demo_paint enamel(uint32_t colour)
{
    return (struct demo_paint){demo_mix(colour, 0xFFFFFF, 26),
                               demo_mix(colour, 0x000000, 38), 255};
}

static void grow_and_fill(struct demo_canvas *c, struct demo_transform t,
                          const char *text, int32_t width, uint32_t colour)
{
    struct demo_path path, outline;
    demo_path_init(&path, t);
    demo_path_parse(&path, text);
    if (width > 0) {
        demo_path_stroke(&path, &outline, width, 1);
        demo_fill(c, &outline, enamel(colour));
    }
    demo_fill(c, &path, enamel(colour));
}

void demo_draw_sign(struct demo_canvas *c, uint32_t i)
{
    assert(i < N_SIGNS);
    const struct sign *s = &signs[i];
    struct demo_transform t = demo_scale_to(c->width, 1000, 0, 0);
    grow_and_fill(c, t, s->plate->path, s->plate->edge, s->edge);
    grow_and_fill(c, t, s->plate->path, s->plate->rim, s->rim);
    grow_and_fill(c, t, s->plate->path, s->plate->face, s->face);
    for (int k = 0; k < 5 && s->layers[k].path != NULL; k++) {
        const struct layer *l = &s->layers[k];
        struct demo_paint paint = enamel(l->colour);
        if (l->width == 0)
            demo_fill_text(c, t, l->path, paint);
        else
            demo_stroke_text(c, t, l->path, l->width, paint);
    }
}
