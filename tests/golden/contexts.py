"""Sections 3 and 4 of NUMERICS.md in NumPy: what an object is pasted on."""
import numpy as np

import operations
from sampling import bilinear, grid, mip_level, recolour


def fold(c, n, padding):
    """Section 3, turn: a coordinate of an axis of n texels."""
    t = c + 32768
    if padding == "reflect":
        t = t % (n << 17)
        t = np.where(t >= n << 16, (n << 17) - 1 - t, t)
    elif padding == "wrap":
        t = t % (n << 16)
    return np.clip(t - 32768, 0, (n - 1) << 16)


def share_of_picture(c, n):
    inside = np.minimum(c + 98304, ((n - 1) << 16) + 98304 - c)
    return np.minimum(128, np.maximum(0, inside) >> 9)


def turned_context(turn, level, x, y):
    h, w = level.shape[:2]
    m, padding = turn["m"], turn["padding"]
    u = m[0] * x + m[1] * y + m[2]
    v = m[3] * x + m[4] * y + m[5]

    def texel(i, j):
        return level[np.minimum(j, h - 1), np.minimum(i, w - 1)]
    value = bilinear(texel, fold(u, w, padding), fold(v, h, padding))
    if padding != "colour":
        return value
    s = (share_of_picture(u, w) * share_of_picture(v, h) + 64) >> 7
    s = s[..., None]
    return (value * s + np.array(turn["colour"]) * (128 - s) + 64) >> 7


def background_context(plan, background):
    level = mip_level(background, plan["crop_level"]).astype(np.int64)
    h, w = level.shape[:2]
    x, y = grid(plan)
    if plan["turn"]:
        return turned_context(plan["turn"], level, x, y)
    u = np.clip(plan["crop_u"] + x * plan["crop_du"], 0, (w - 1) << 16)
    v = np.clip(plan["crop_v"] + y * plan["crop_dv"], 0, (h - 1) << 16)

    def texel(i, j):
        return level[np.minimum(j, h - 1), np.minimum(i, w - 1)]
    return bilinear(texel, u, v)


def by_pixel(plan, values):
    """[h, 3 w] -> [h, w, 3]"""
    if plan["noise_is_grey"]:
        return np.repeat(values[:, :plan["width"], None], 3, axis=-1)
    return values.reshape(plan["height"], plan["width"], 3)


def noise_context(plan):
    n_bytes = plan["width"] * 3
    n_blocks = (n_bytes + 7) // 8
    y, k = np.mgrid[0:plan["height"], 0:n_blocks]
    words = operations.philox4x32_10(int(plan["noise_key"]), k, y).astype(np.int64)
    halves = np.stack([words & 0xFFFF, words >> 16], axis=-1)
    bits = halves.reshape(plan["height"], n_blocks * 8)[:, :n_bytes]
    lo, hi = plan["noise_lo"], plan["noise_hi"]
    return by_pixel(plan, lo + ((bits * (hi - lo + 1)) >> 16))


def normal_context(plan):
    n_bytes = plan["width"] * 3
    n_blocks = (n_bytes + 3) // 4
    y, k = np.mgrid[0:plan["height"], 0:n_blocks]
    words = operations.philox4x32_10(int(plan["noise_key"]), k, y).astype(np.int64)
    word = words.reshape(plan["height"], n_blocks * 4)[:, :n_bytes]
    bits = sum((word >> b) & 1 for b in range(16, 32))
    d = 256 * bits + (word & 255) + ((word >> 8) & 255) - 2303
    v = (d * plan["noise_amplitude"] + 256 * (word & 255) + 128) >> 16
    return by_pixel(plan, v % 256)


def gradient_context(plan):
    g = plan["gradient"]
    x, y = grid(plan)
    t = np.clip(g["at"] + x * g["dx"] + y * g["dy"], 0, 1 << 24)[..., None]
    return (np.array(g["from"], np.int64) * ((1 << 24) - t) +
            np.array(g["to"], np.int64) * t + (1 << 23)) >> 24


def lattice(texture, i, j, k):
    """Section 4, a byte for each point of an octave."""
    key, low = int(texture["key"]), 0xFFFFFFFF
    h = ((i & 0xFFFF) * 0x9E3779B9 + (j & 0xFFFF) * 0xBB67AE85 +
         k * 0xC2B2AE3D + (key & low)).astype(np.uint64) & np.uint64(low)
    h = h ^ (h >> np.uint64(15)) ^ np.uint64(key >> 32)
    h = (h * np.uint64(0xD2511F53)) & np.uint64(low)
    h = ((h ^ (h >> np.uint64(13))) * np.uint64(0xCD9E8D57)) & np.uint64(low)
    return (h >> np.uint64(24)).astype(np.int64)


def octave(texture, u, v, k):
    u, v = (u << k) & 0xFFFFFFFF, (v << k) & 0xFFFFFFFF
    (i, s), (j, d) = ((c >> 16, ((f * f * (768 - 2 * f)) >> 16))
                      for c, f in ((u, (u >> 8) & 255), (v, (v >> 8) & 255)))
    left, right = (lattice(texture, i + n, j, k) * (256 - d) +
                   lattice(texture, i + n, j + 1, k) * d for n in (0, 1))
    return left * (256 - s) + right * s


def stripe(texture, s):
    q = s & 131071
    triangle = np.where(q < 65536, q, 131072 - q)
    return np.clip(((triangle - 32768) * texture["sharp"] >> 8) + 32768,
                   0, 65536)


def texture_context(plan):
    t = plan["texture"]
    x, y = grid(plan)
    u = (t["at"][0] + x * t["dx"] + y * t["dy"]) & 0xFFFFFFFF
    v = (t["at"][1] - x * t["dy"] + y * t["dx"]) & 0xFFFFFFFF
    if t["kind"] == "noise":
        n = t["n_octaves"]
        way = sum(octave(t, u, v, k) << (n - 1 - k)
                  for k in range(n)) // (255 * (2 ** n - 1))
    else:
        a = stripe(t, u)
        b = stripe(t, v) if t["kind"] == "checker" else 0
        way = (a * (65536 - b) + (65536 - a) * b) >> 16
    way = way[..., None]
    return (np.array(t["from"], np.int64) * (65536 - way) +
            np.array(t["to"], np.int64) * way + 32768) >> 16


def bare_context(plan, background):
    if plan["context"] == "given":  # brought along by whoever recomputes it
        return plan["given"].astype(np.int64)
    if plan["context"] == "background":
        c = background_context(plan, background)
        if plan["has_background_colour"]:
            c = recolour(c, plan["background_colour"])
        return c
    if plan["context"] == "noise":
        return noise_context(plan)
    if plan["context"] == "texture":
        return texture_context(plan)
    if plan["context"] == "gradient":
        return gradient_context(plan)
    if plan["context"] == "gaussian_noise":
        return normal_context(plan)
    shape = (plan["height"], plan["width"], 3)
    return np.broadcast_to(np.array(plan["solid"], np.int64), shape)


def context(plan, background):
    """D of section 7: with the operations on it."""
    return operations.run(bare_context(plan, background),
                          plan["background_operations"])
