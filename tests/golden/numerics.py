"""NUMERICS.md in NumPy: a plan (as JSON) and straight source images become
the pixels, the box and the tensors that the daemon serves, byte for byte.

Written from that page alone; shares nothing with the C code. Does not draw
plans. All arithmetic is on int64 unless the page says double."""
import math

import numpy as np

import operations
import outline


def premultiply(rgba):
    """[h, w, 4] u8 straight -> the same, premultiplied."""
    wide = rgba.astype(np.int64)
    wide[..., :3] = (wide[..., :3] * wide[..., 3:] + 127) // 255
    return wide.astype(np.uint8)


def next_level(level):
    """Section 1: the 2 x 2 box, odd edges repeated."""
    h, w = level.shape[:2]
    wide = np.pad(level.astype(np.int64), ((0, h & 1), (0, w & 1), (0, 0)),
                  mode="edge")
    total = (wide[0::2, 0::2] + wide[0::2, 1::2] + wide[1::2, 0::2] +
             wide[1::2, 1::2])
    return ((total + 2) >> 2).astype(np.uint8)


def mip_level(image, level):
    for _ in range(level):
        image = next_level(image)
    return image


def lerp7(a, b, f):
    return (a * (128 - f) + b * f + 64) >> 7


def split(coordinate):
    """16.16 -> (first tap, fraction)."""
    return coordinate >> 16, (coordinate >> 9) & 127


def bilinear(texel, u, v):
    """texel(i, j) -> [..., channels]; vertical first, then horizontal."""
    i, fu = split(u)
    j, fv = split(v)
    fu, fv = fu[..., None], fv[..., None]
    left = lerp7(texel(i, j), texel(i, j + 1), fv)
    right = lerp7(texel(i + 1, j), texel(i + 1, j + 1), fv)
    return lerp7(left, right, fu)


def grid(plan, margin=0):
    y, x = np.mgrid[-margin:plan["height"] + margin,
                    -margin:plan["width"] + margin].astype(np.int64)
    return x, y


def recolour(rgb, matrix):
    """Section 7's matrix."""
    m = np.array(matrix, np.int64)
    return np.clip((rgb @ m[:, :3].T + m[:, 3] + 2048) >> 12, 0, 255)


# Contexts, sections 3 and 4.

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


# The object and its edge, sections 5 and 6.

def displacement(warp, axis, u, v):
    """Section 5, elastic."""
    points = np.array(warp["displace"][axis], np.int64)
    if points.size == 0:
        return 0
    place = []
    for coordinate, first, span, per_span in zip(
            (u, v), warp["first"], warp["span"], warp["per_span"]):
        at = (np.clip(coordinate - first, 0, span) * per_span) >> 20
        cell = np.minimum(at >> 16, len(points) - 2)
        place.append((cell, (at - (cell << 16)) >> 8))
    (i, f), (j, g) = place
    rows = [points[j + k, i] * (256 - f) + points[j + k, i + 1] * f
            for k in (0, 1)]
    return (rows[0] * (256 - g) + rows[1] * g + 32768) >> 16


def warped(warp, x, y):
    """Section 5, warp: IEEE double in the page's order."""
    m = np.array(warp["m"], np.int64).astype(np.float64)
    x, y = x.astype(np.float64), y.astype(np.float64)
    rows = [m[i] * x + (m[i + 1] * y + m[i + 2]) for i in (0, 3, 6)]
    seen = rows[2] > 0
    depth = np.where(seen, rows[2], 1.0)
    lo, hi = -2.0 ** 29, 3 * 2.0 ** 29
    u, v = (np.where(seen, np.floor(np.clip(r / depth, lo, hi)),
                     lo).astype(np.int64) for r in rows[:2])
    return u + displacement(warp, 0, u, v), v + displacement(warp, 1, u, v)


def sample_object(plan, straight, margin=0):
    """S of section 5: cut from the outline, or the object as it is."""
    if plan["stroke"]:
        wide = sample_level(plan, outline.outline(straight), margin)
        return outline.stroked(wide, plan["stroke"])
    return sample_level(plan, premultiply(straight), margin)


def sample_level(plan, image, margin):
    level = mip_level(image, plan["object_level"])
    h, w = level.shape[:2]
    border = np.zeros((h + 2, w + 2, 4), np.int64)
    border[1:-1, 1:-1] = level
    x, y = grid(plan, margin)

    def texel(i, j):
        return border[np.clip(j + 1, 0, h + 1), np.clip(i + 1, 0, w + 1)]
    if plan["warp"]:
        warp = plan["warp"]
        x0, y0, x1, y1 = warp["box"]
        inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
        for a, b, c in warp["clip"]:
            inside &= a * x + b * y + c >= 0
        return bilinear(texel, *warped(warp, x, y)) * inside[..., None]
    m = plan["m"]
    return bilinear(texel, m[0] * x + m[1] * y + m[2],
                    m[3] * x + m[4] * y + m[5])


def hard_edge(s):
    a = s[..., 3:]
    q = (255 * 65536 + a // 2) // np.maximum(a, 1)
    colour = np.minimum(255, (s[..., :3] * q + 32768) >> 16)
    opaque = np.concatenate([colour, np.full_like(a, 255)], axis=-1)
    return np.where(a < 128, 0, opaque)


def blur(alpha, weight, axis):
    """Valid part of a symmetric filter along one axis."""
    radius = len(weight) - 1
    n = alpha.shape[axis] - 2 * radius
    total = sum(weight[abs(k)] *
                np.take(alpha, np.arange(n) + radius + k, axis=axis)
                for k in range(-radius, radius + 1))
    return (total + 32768) >> 16


def feather_edge(plan, straight):
    radius = plan["edge_radius"]
    wide = sample_object(plan, straight, margin=radius)
    weight = plan["edge_weight"][:radius + 1]
    blurred = blur(blur(wide[..., 3], weight, 0), weight, 1)
    s = wide[radius:radius + plan["height"], radius:radius + plan["width"]]
    t = s * blurred[..., None] + 128
    return (t + (t >> 8)) >> 8


def eroded_edge(plan, straight):
    h, w = plan["height"], plan["width"]
    wide = sample_object(plan, straight, margin=3)
    a = wide[..., 3]
    least = [np.min([a[3 + j:3 + j + h, 3 + i:3 + i + w]
                     for j in range(-k, k + 1) for i in range(-k, k + 1)],
                    axis=0) for k in (1, 2, 3)]
    factor = (sum(least) + 1) // 3
    t = wide[3:3 + h, 3:3 + w] * factor[..., None] + 128
    return (t + (t >> 8)) >> 8


def motion_edge(plan, straight):
    n, c, s = plan["motion"]
    h, w, radius = plan["height"], plan["width"], n // 2
    wide = sample_object(plan, straight, margin=radius)
    total = n // 2
    for t in range(1 - n, n, 2):
        dx, dy = (t * c + 65536) >> 17, (65536 - t * s) >> 17
        total = total + wide[radius + dy:radius + dy + h,
                             radius + dx:radius + dx + w]
    return total // n


def edged_object(plan, straight):
    if plan["edge"] == "motion":
        return motion_edge(plan, straight)
    if plan["edge"] == "feather":
        return feather_edge(plan, straight)
    if plan["edge"] == "eroded":
        return eroded_edge(plan, straight)
    s = sample_object(plan, straight)
    return hard_edge(s) if plan["edge"] == "hard" else s


def coloured_object(plan, straight):
    o = edged_object(plan, straight)
    if not plan["has_object_colour"]:
        return o
    return tinted(o, plan["object_colour"])


def weighed(values, weights):
    """Mean and deviation of each channel, in the page's order."""
    n = int(weights.sum())
    mean, deviation = [], []
    for c in range(3):
        v = values[..., c]
        mean.append(int((weights * v).sum()) / n)
        variance = int((weights * v * v).sum()) / n - mean[c] * mean[c]
        deviation.append(math.sqrt(variance) if variance > 0 else 0)
    return mean, deviation


def match_matrix(plan, o, d):
    """Section 6, match, of an object that is seen."""
    a = o[..., 3:]
    q = (255 * 65536 + a // 2) // np.maximum(a, 1)
    v = np.minimum(255, (o[..., :3] * q + 32768) >> 16)
    mean, deviation = weighed(v, a[..., 0])
    x0, y0, x1, y1 = tight_box(o[..., 3])
    d = d[y0:y1, x0:x1].astype(np.int64)
    to, to_deviation = weighed(d, np.ones(d.shape[:2], np.int64))
    strength = plan["match_q16"] / 65536
    matrix = np.zeros((3, 4), np.int64)
    for c in range(3):
        gain = 1.0
        if plan["match_mode"] == "mean_std" and deviation[c] > 0:
            gain = min(2.0, max(0.5, to_deviation[c] / deviation[c]))
        offset = to[c] - gain * mean[c]
        if plan["match_mode"] == "luma":
            offset = (19595 * to[0] + 38470 * to[1] +
                      7471 * to[2]) / 65536 - 170
        matrix[c, c] = math.floor(4096 * (1 + strength * (gain - 1)) + 0.5)
        matrix[c, 3] = math.floor(4096 * (strength * offset) + 0.5)
    return matrix


def tinted(o, matrix):
    """Section 6's matrix of an object."""
    a = o[..., 3:]
    m = np.array(matrix, np.int64)
    offset = (m[:, 3] * (a + (a >> 7))) >> 8
    rgb = np.clip((o[..., :3] @ m[:, :3].T + offset + 2048) >> 12, 0, a)
    return np.concatenate([rgb, a], axis=-1)


def object_plane(plan, straight, background):
    o = operations.run_on_object(coloured_object(plan, straight),
                                 plan["object_operations"])
    if plan["match_q16"] > 0 and o[..., 3].any():
        o = tinted(o, match_matrix(plan, o, context(plan, background)))
    if plan["blend"] != "over":
        t = o * 170 + 128
        o = (t + (t >> 8)) >> 8
    return o


# The sample, sections 7 to 9.

def tight_box(alpha):
    for threshold in (128, 1):
        y, x = np.nonzero(alpha >= threshold)
        if len(y):
            return [x.min(), y.min(), x.max() + 1, y.max() + 1]
    return [0, 0, 0, 0]


def sample(plan, straight, background):
    """-> ([h, w, 3] u8, box)"""
    o = object_plane(plan, straight, background)
    a = o[..., 3:]
    d = context(plan, background)
    if plan["blend"] == "two_thirds_frame":
        t = d * 85 + 128
        p = o[..., :3] + ((t + (t >> 8)) >> 8)
    else:
        p = o[..., :3] + ((d * (256 - (a + (a >> 7))) + 128) >> 8)
    assert p.max() <= 255
    if plan["has_colour"]:
        p = recolour(p, plan["colour"])
    p = operations.run(p, plan["operations"])
    return p.astype(np.uint8), tight_box(o[..., 3])


def layers(plan, straight, background):
    """-> {name: u8} of what the sample is put together from."""
    o = object_plane(plan, straight, background).astype(np.uint8)
    return {"mask": o[..., 3], "plane": o,
            "context": context(plan, background).astype(np.uint8)}


# Keypoints, section 9; IEEE double in the page's order.

def texel_in_frame(m, u, v):
    """Affine: the frame point where m reads (u, v), or None."""
    a, b, e, c, d, f = (float(x) for x in m)
    det = a * d - b * c
    if det == 0:
        return None
    du, dv = u - e, v - f
    return (du * d - dv * b) / det, (dv * a - du * c) / det


def texel_in_warp(warp, u, v):
    m = [float(x) for x in warp["m"]]
    to = [math.floor(min(max(c, -2.0 ** 29), 3 * 2.0 ** 29)) for c in (u, v)]
    base = to
    for _ in range(16 if len(warp["displace"][0]) else 0):
        base = [to[k] - int(displacement(warp, k, *base)) for k in (0, 1)]
    u, v = float(base[0]), float(base[1])
    x = ((m[4] * m[8] - m[5] * m[7]) * u + (m[2] * m[7] - m[1] * m[8]) * v +
         (m[1] * m[5] - m[2] * m[4]))
    y = ((m[5] * m[6] - m[3] * m[8]) * u + (m[0] * m[8] - m[2] * m[6]) * v +
         (m[2] * m[3] - m[0] * m[5]))
    depth = ((m[3] * m[7] - m[4] * m[6]) * u + (m[1] * m[6] - m[0] * m[7]) * v +
             (m[0] * m[4] - m[1] * m[3]))
    if depth == 0:
        return None
    x, y = x / depth, y / depth
    return (x, y) if m[6] * x + m[7] * y + m[8] > 0 else None


def keypoints(plan, alpha, points, n):
    """-> [n, 3] f32"""
    h, w = alpha.shape
    one = 65536.0 / 2 ** plan["object_level"]
    out = np.zeros((n, 3), np.float32)
    for row, (kx, ky) in zip(out, points):
        reach = plan["stroke"]["reach"] if plan["stroke"] else 0
        centre = 32768.0 - (reach * 65536 >> plan["object_level"])
        u, v = kx * one - centre, ky * one - centre
        at = (texel_in_warp(plan["warp"], u, v) if plan["warp"] else
              texel_in_frame(plan["m"], u, v))
        if at is None:
            continue
        row[:2] = [min(max(c + 0.5, -2.0 ** 20), 2.0 ** 20) for c in at]
        x, y = float(row[0]), float(row[1])
        seen = (0 <= x < w and 0 <= y < h and
                alpha[math.floor(y), math.floor(x)] > 0)
        row[2] = 2 if seen else 1
    return out


# Other dtypes and layouts, section 10.

COLOURS = {"rgb": (0, 1, 2), "bgr": (2, 1, 0), "grey": (0,)}


def order_channels(image, channels):
    """[..., 3] u8 RGB -> [..., c]"""
    if channels != "grey":
        return image[..., COLOURS[channels]]
    luma = image.astype(np.int64) @ np.array([19595, 38470, 7471]) + 32768
    return (luma >> 16).astype(np.uint8)[..., None]


def bf16(value):
    """f32 -> the upper halves, to nearest even."""
    bits = value.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def middle(n, fraction):
    m = min(n, max(1, math.floor(n * fraction + 0.5)))
    return slice((n - m) // 2, (n - m) // 2 + m)


def normalize(image, output):
    """[h, w, 3] u8 -> the same by its own levels."""
    mode = output.get("normalize", "none")
    if mode == "none":
        return image
    if output.get("channels") == "grey":
        image = np.repeat(order_channels(image, "grey"), 3, axis=-1)
    levels = list(range(256))
    if mode == "equalize":
        wide = operations.autocontrast(image.astype(np.int64), [256])
        return operations.equalize(wide, []).astype(np.uint8)
    if mode == "min-max":
        lo, hi = int(image.min()), int(image.max())
        if lo < hi:
            levels = [((v - lo) * 510 + hi - lo) // (2 * (hi - lo)) & 255
                      for v in levels]
    else:
        part = output.get("normalize_region", 0.625)
        h, w = image.shape[:2]
        values = [int(v) for v in
                  image[middle(h, part), middle(w, part)].ravel()]
        k, s, q = len(values), sum(values), sum(v * v for v in values)
        mean, sd = s / k, math.sqrt(k * q - s * s) / k
        y = [min(1.0, max(0.0, (v - mean) / (sd + 3) * 0.2 + 0.5))
             for v in levels]
        levels = [math.floor(255 * v + 0.5) for v in y]
    return np.array(levels, np.uint8)[image]


def convert(image, output):
    """[n, h, w, 3] u8 -> as the recipe's output asks; bf16 as u16."""
    image = np.stack([normalize(one, output) for one in image])
    image = order_channels(image, output.get("channels", "rgb"))
    dtype = output.get("dtype", "u8")
    if dtype != "u8":
        of = list(COLOURS[output.get("channels", "rgb")])
        v = np.arange(256, dtype=np.float64)[None, :]
        m = np.array(output.get("mean", [0, 0, 0]), np.float32)[of, None]
        s = np.array(output.get("std", [1, 1, 1]), np.float32)[of, None]
        table = ((v / 255.0 - m.astype(np.float64)) /
                 s.astype(np.float64)).astype(np.float32)
        if dtype == "f16":
            table = table.astype(np.float16)
        elif dtype == "bf16":
            table = bf16(table)
        image = np.stack([table[c][image[..., c]] for c in range(len(of))],
                         axis=-1)
    layout = output.get("layout", "nhwc")
    return image.transpose(0, 3, 1, 2) if layout == "nchw" else image
