/* Planes of floats with AVX-512: a channel's table of 256 floats stays in
 * sixteen registers, and every lane finds its float among them; gathers take
 * twice as long. Source: NUMERICS.md "Other dtypes and layouts". */
#include "server/pixel/x86_v4.h"

/* t[i] of sixteen bytes i that stand in 32 bits each: among 32 floats by the
 * lower five bits, then halving by each bit above. */
static inline __m512 look_up(const __m512 t[16], __m512i i)
{
    __m512 found[8];
#pragma GCC unroll 8
    for (int k = 0; k < 8; k++)
        found[k] = _mm512_permutex2var_ps(t[2 * k], i, t[2 * k + 1]);
    const __mmask16 bit5 = _mm512_test_epi32_mask(i, _mm512_set1_epi32(32));
    const __mmask16 bit6 = _mm512_test_epi32_mask(i, _mm512_set1_epi32(64));
    const __mmask16 bit7 = _mm512_test_epi32_mask(i, _mm512_set1_epi32(128));
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
        found[k] = _mm512_mask_blend_ps(bit5, found[2 * k], found[2 * k + 1]);
    found[0] = _mm512_mask_blend_ps(bit6, found[0], found[1]);
    found[1] = _mm512_mask_blend_ps(bit6, found[2], found[3]);
    return _mm512_mask_blend_ps(bit7, found[0], found[1]);
}

/* One channel of RGB24, whose bytes are 3 apart from rgb[channel] on. */
static void plane_f32(const uint8_t *rgb, int channel, const float table[256],
                      int32_t n, float *out)
{
    const __m512i ramp = _mm512_setr_epi32(0, 3, 6, 9, 12, 15, 18, 21, 24, 27,
                                           30, 33, 36, 39, 42, 45);
    const __m512i at = _mm512_add_epi32(ramp, _mm512_set1_epi32(channel));
    __m512 t[16];
    for (int k = 0; k < 16; k++)
        t[k] = _mm512_loadu_ps(table + 16 * k);
    for (; n > 0; n -= 16, rgb += 48, out += 16) {
        const int32_t now = n < 16 ? n : 16;
        const __m512i pixels = _mm512_maskz_loadu_epi8(v4_first(now * 3), rgb);
        const __m512i i =
            _mm512_maskz_permutexvar_epi8(0x1111111111111111, at, pixels);
        _mm512_mask_storeu_ps(out, (__mmask16)v4_first(now), look_up(t, i));
    }
}

void v4_planes_f32(const uint8_t *rgb, const float table[3][256], int32_t n,
                   ptrdiff_t plane_stride, float *out)
{
    for (int c = 0; c < 3; c++)
        plane_f32(rgb, c, table[c], n, out + c * plane_stride);
}
