/* Opens clients at fake servers and compares what arrives. */
#include "tests/unit/client_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

int rig_try_open(uint16_t port, const char *options, pasted_client **out)
{
    char url[512];
    pasted_client *c = pasted_create();
    assert_non_null(c);
    snprintf(url, sizeof url, "pasted://127.0.0.1:%u/first?%s", port, options);
    int rc = pasted_open(c, url);
    if (out != NULL)
        *out = c;
    else
        pasted_destroy(c);
    return rc;
}

pasted_client *rig_open(const struct fake_server *f, const char *options)
{
    pasted_client *c;
    assert_non_null(f);
    int rc = rig_try_open(fake_port(f), options, &c);
    if (rc != 0)
        fail_msg("%s", pasted_error(c));
    return c;
}

static bool right_pixels(const uint8_t *image, uint64_t position)
{
    for (uint32_t k = 0; k < FAKE_SAMPLE; k++)
        if (image[k] != fake_pixel(position, k))
            return false;
    return true;
}

int rig_check(const pasted_batch *b, uint64_t first_position, uint32_t n)
{
    struct pasted_tensor image, label;
    if (pasted_batch_first_position(b) != first_position ||
        pasted_batch_n_samples(b) != n ||
        pasted_batch_tensor(b, "image", &image) != 0 ||
        pasted_batch_tensor(b, "label", &label) != 0)
        return -1;
    if (image.n_bytes != (uint64_t)n * FAKE_SAMPLE || image.n_dims != 4 ||
        image.shape[0] != n || (uintptr_t)image.data % 64 != 0)
        return -2;
    for (uint32_t i = 0; i < n; i++) {
        if (((const int64_t *)label.data)[i] != fake_label(first_position + i))
            return -3;
        if (!right_pixels((const uint8_t *)image.data + i * FAKE_SAMPLE,
                          first_position + i))
            return -4;
    }
    return 0;
}

void rig_expect(pasted_client *c, uint64_t first_position, uint32_t n)
{
    pasted_batch *b;
    int rc = pasted_next(c, &b);
    if (rc != 0)
        fail_msg("%s", pasted_error(c));
    int verdict = rig_check(b, first_position, n);
    if (verdict != 0)
        fail_msg("batch of %llu instead of %llu, verdict %d",
                 (unsigned long long)pasted_batch_first_position(b),
                 (unsigned long long)first_position, verdict);
    pasted_batch_release(b);
}

struct pasted_stats rig_stats(pasted_client *c)
{
    struct pasted_stats stats;
    assert_int_equal(pasted_stats(c, &stats, sizeof stats), 0);
    return stats;
}

double rig_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void rig_sleep_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000l};
    nanosleep(&t, NULL);
}
