/* Nanoseconds a value of libpasted's adversarial steps, beside memcpy of the
 * same images. Checks no result: tests/unit/test_client_robust.c does.
 *
 * A batch of 64 images of 64 x 64 x 3; the median of the rounds.
 * Usage: bench_robust [ROUNDS] */
#include <pasted.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_IMAGES   64
#define SIDE       64
#define N_VALUES   (N_IMAGES * SIDE * SIDE * 3)
#define MAX_ROUNDS 999

static uint8_t mask[N_IMAGES * SIDE * SIDE];
static float gradient[N_VALUES], images[N_VALUES], x[N_VALUES];

enum work { COPY, FGSM, STEP_SIGN, STEP_PAPER, START, N_WORKS };

static const char *const names[N_WORKS] = {"memcpy", "fgsm", "step sign",
                                           "step paper", "random start"};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int do_work(enum work work, const struct pasted_images *on)
{
    const struct pasted_ball ball = {mask, 4 / 255.0, 16 / 255.0};
    struct pasted_step step = {3, 8, 16 / 255.0,
                               work == STEP_SIGN ? PASTED_STEP_SIGN
                                                 : PASTED_STEP_PAPER};
    size_t size = on->dtype == PASTED_U8 ? 1 : sizeof(float);
    switch (work) {
    case COPY:
        memcpy(x, images, N_VALUES * size);
        return PASTED_OK;
    case FGSM:
        return pasted_fgsm(on, &ball, images, gradient, x);
    case START:
        return pasted_pgd_start(on, &ball, images, 1, x);
    default:
        return pasted_pgd_step(on, &ball, &step, images, gradient, x);
    }
}

static int ascending(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double median_ns(enum work work, const struct pasted_images *on, int n)
{
    static double ns[MAX_ROUNDS];
    for (int i = 0; i < n; i++) {
        double begun = now_ns();
        if (do_work(work, on) != PASTED_OK)
            exit(1);
        ns[i] = (now_ns() - begun) / N_VALUES;
    }
    qsort(ns, (size_t)n, sizeof(*ns), ascending);
    return ns[n / 2];
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 99;
    if (n < 1 || n > MAX_ROUNDS)
        return 2;
    for (int i = 0; i < N_VALUES; i++)
        gradient[i] = (float)(i % 17 - 8) * 1e-3f;
    for (size_t i = 0; i < sizeof(mask); i++)
        mask[i] = (uint8_t)(i % 3 * 127);
    printf("%-13s %9s %9s %9s %9s   ns a value\n", "", "u8 nhwc", "u8 nchw",
           "f32 nhwc", "f32 nchw");
    for (int work = 0; work < N_WORKS; work++) {
        printf("%-13s", names[work]);
        for (int i = 0; i < 4; i++) {
            struct pasted_images on = {N_IMAGES,
                                       SIDE,
                                       SIDE,
                                       3,
                                       i < 2 ? PASTED_U8 : PASTED_F32,
                                       i % 2 ? PASTED_NCHW : PASTED_NHWC};
            memset(x, 0, sizeof(x));
            printf(" %9.3f", median_ns((enum work)work, &on, n));
        }
        printf("\n");
    }
    return 0;
}
