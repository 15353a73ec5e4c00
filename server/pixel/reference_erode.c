/* The portable reference of erode_row. Source: NUMERICS.md "The edge". */
#include "server/pixel/reference.h"

enum { CHUNK = 128, MARGIN = 2 * PIXEL_EROSIONS };

static inline uint8_t lesser(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* least[k][x]: of the 2 k + 3 rows around the middle one. */
static void erode_columns(const uint8_t *const *rows, int32_t x, int32_t n,
                          uint8_t least[PIXEL_EROSIONS][CHUNK + MARGIN])
{
    const uint8_t *middle = rows[PIXEL_EROSIONS] + x;
    for (int k = 0; k < PIXEL_EROSIONS; k++) {
        const uint8_t *above = rows[PIXEL_EROSIONS - 1 - k] + x;
        const uint8_t *below = rows[PIXEL_EROSIONS + 1 + k] + x;
        const uint8_t *inner = k > 0 ? least[k - 1] : middle;
        for (int32_t i = 0; i < n; i++)
            least[k][i] = lesser(inner[i], lesser(above[i], below[i]));
    }
}

void reference_erode_row(const uint8_t *const *rows, int32_t n, uint8_t *out)
{
    for (int32_t x = 0; x < n; x += CHUNK) {
        uint8_t least[PIXEL_EROSIONS][CHUNK + MARGIN];
        uint16_t sum[CHUNK];
        const int32_t n_now = n - x < CHUNK ? n - x : CHUNK;
        erode_columns(rows, x, n_now + MARGIN, least);
        for (int32_t i = 0; i < n_now; i++)
            sum[i] = 1; /* to nearest of three */
        for (int k = 0; k < PIXEL_EROSIONS; k++)
            for (int32_t i = 0; i < n_now; i++) {
                const uint8_t *first = least[k] + i + PIXEL_EROSIONS - 1 - k;
                uint8_t low = first[0];
                for (int j = 1; j < 2 * k + 3; j++)
                    low = lesser(low, first[j]);
                sum[i] = (uint16_t)(sum[i] + low);
            }
        for (int32_t i = 0; i < n_now; i++)
            out[x + i] = (uint8_t)(sum[i] / 3);
    }
}
