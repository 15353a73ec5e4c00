"""NUMERICS.md section 8, the operations, in NumPy: slow, plain, one function
for each, frame [h, w, 3] int64 and the plan's integers p -> frame.

Written from that page alone; shares nothing with the C code."""
import itertools
import math

import numpy as np


def philox4x32_10(key, c0, c1):
    """Counter words (c0, c1, 0, 0), arrays of one shape -> [..., 4] u64."""
    low32 = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    c = [c0.astype(np.uint64), c1.astype(np.uint64),
         np.zeros_like(c0, np.uint64), np.zeros_like(c0, np.uint64)]
    for _ in range(10):
        p0 = np.uint64(0xD2511F53) * c[0]
        p1 = np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> half) ^ c[1] ^ np.uint64(k0), p1 & low32,
             (p0 >> half) ^ c[3] ^ np.uint64(k1), p0 & low32]
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=-1)


def key_of(low, high):
    return (low & 0xFFFFFFFF) | (high & 0xFFFFFFFF) << 32


def words(n, key):
    """word(i) for i < n -> [n] int64"""
    n_sets = (n + 255) // 256
    k = np.arange(n_sets * 64)
    blocks = philox4x32_10(key, k, np.zeros_like(k)).astype(np.int64)
    return blocks.reshape(n_sets, 64, 4).transpose(0, 2, 1).reshape(-1)[:n]


def clamp(v):
    return np.clip(v, 0, 255)


def mirror(i, n):
    """Index i of a line of n, mirrored about its end pixels."""
    if n == 1:
        return np.zeros_like(i)
    i = np.mod(i, 2 * (n - 1))
    return np.where(i < n, i, 2 * (n - 1) - i)


def around(frame, dx, dy):
    """frame(x + dx, y + dy), mirrored."""
    h, w = frame.shape[:2]
    rows = mirror(np.arange(h) + dy, h)
    columns = mirror(np.arange(w) + dx, w)
    return frame[rows][:, columns]


def through(frame, tables):
    """tables: [3][256]"""
    return np.stack([np.asarray(tables[c], np.int64)[frame[..., c]]
                     for c in range(3)], axis=-1)


def gains(frame, gain):
    return clamp((frame * np.array(gain) + 2048) >> 12)


def box_blur(frame, p):
    kx, ky = p[:2]
    total = sum(around(frame, dx, dy)
                for dy in range(-(ky // 2), ky // 2 + 1)
                for dx in range(-(kx // 2), kx // 2 + 1))
    return (total + kx * ky // 2) // (kx * ky)


def gaussian_blur(frame, p):
    r, w = p[0], p[1:]
    if r == 0:
        return frame

    def weigh(v, dx, dy):
        total = (v * 128 * w[0]) >> 16
        for k in range(1, r + 1):
            pair = around(v, k * dx, k * dy) + around(v, -k * dx, -k * dy)
            total = total + ((pair * 128 * w[k]) >> 16)
        return (total + 64 + r // 2) >> 7
    return weigh(weigh(frame, 0, 1), 1, 0)


def normal(h, w, key):
    """One number for each byte of the frame."""
    word = words(h * w * 3, key)
    bits = sum((word >> k) & 1 for k in range(16, 32))
    d = 256 * bits + (word & 255) + ((word >> 8) & 255) - 2303
    return d.reshape(h, w, 3)


def gaussian_noise(frame, p):
    d = normal(*frame.shape[:2], key_of(p[1], p[2]))
    return clamp(frame + ((d * p[0] + 32768) >> 16))


def exposure(frame, p):
    return gains(frame, [p[0]] * 3)


def channel_gain(frame, p):
    return gains(frame, p[:3])


white_balance = channel_gain

LOG = [0] + [int(np.rint(65536 * np.log2(255 / v))) for v in range(1, 256)]
EXP = [int(np.rint(2.0**30 * 2.0**(-i / 256))) for i in range(257)]


def gamma_of(v, g):
    e = (LOG[v] * g + 2048) >> 12
    n, i, t = e >> 16, e >> 8 & 255, e & 255
    if v == 0 or n > 20:
        return 0
    power = EXP[i] - (((EXP[i] - EXP[i + 1]) * t) >> 8)
    return (255 * power + (1 << (29 + n))) >> (30 + n)


def gamma(frame, p):
    return through(frame, [[gamma_of(v, p[0]) for v in range(256)]] * 3)


def greyscale(frame, p):
    luma = (frame @ np.array([19595, 38470, 7471]) + 32768) >> 16
    return np.repeat(luma[..., None], 3, axis=-1)


def invert(frame, p):
    return 255 - frame


def posterize(frame, p):
    return frame >> (8 - p[0]) << (8 - p[0])


def solarize(frame, p):
    return np.where(frame < p[0], frame, 255 - frame)


def threshold(frame, p):
    return np.where(frame > p[0], 255, (frame * p[1] + 128) >> 8)


def offset(frame, p):
    return np.clip(frame + p[0], 0, 255)


def stretch(values, n_cut):
    """-> a table"""
    identity = list(range(256))
    left = sorted(values)[n_cut:len(values) - n_cut]
    if not left or left[0] == left[-1]:
        return identity
    lo, hi = int(left[0]), int(left[-1])
    scale = 255.0 / (hi - lo)
    offset = -lo * scale
    return [min(255, max(0, int(v * scale + offset))) for v in identity]


def counted(frame, c, covered):
    """The bytes of channel c that statistics are taken of."""
    return frame[..., c].ravel() if covered is None else frame[..., c][covered]


def autocontrast(frame, p, covered=None):
    n = frame[..., 0].size if covered is None else int(covered.sum())
    return through(frame, [stretch(counted(frame, c, covered),
                                   n * p[0] // 25600) for c in range(3)])


def flatten(values):
    if len(values) == 0:
        return list(range(256))
    h = np.bincount(values, minlength=256)
    step = int(len(values) - h[values.max()]) // 255
    if step == 0:
        return list(range(256))
    below = np.concatenate([[0], np.cumsum(h)[:-1]])
    return np.minimum(255, (step // 2 + below) // step)


def equalize(frame, p, covered=None):
    return through(frame, [flatten(counted(frame, c, covered))
                           for c in range(3)])


def uniform_noise(frame, p):
    word = words((frame.size + 1) // 2, key_of(p[1], p[2]))
    r = np.stack([word & 0xFFFF, word >> 16], axis=-1).ravel()[:frame.size]
    add = ((r * (2 * p[0] + 1)) >> 16) - p[0]
    return clamp(frame + add.reshape(frame.shape))


def salt_pepper(frame, p):
    word = words(frame.size // 3, key_of(p[1], p[2]))
    word = word.reshape(*frame.shape[:2], 1)
    return np.where(word >> 16 < p[0], 255 * (word & 1), frame)


def sharpen(frame, p):
    s = sum((2 - abs(dx)) * (2 - abs(dy)) * around(frame, dx, dy)
            for dx in (-1, 0, 1) for dy in (-1, 0, 1))
    return clamp(frame + (((16 * frame - s) * p[0] + 2048) >> 12))


def channel_shuffle(frame, p):
    order = list(itertools.permutations(range(3)))[p[0]]
    return frame[..., order]


def shot_noise(frame, p):
    amplitude = np.array([math.isqrt(p[0] * p[0] * v // 255)
                          for v in range(256)])
    d = normal(*frame.shape[:2], key_of(p[1], p[2]))
    return clamp(frame + ((d * amplitude[frame] + 32768) >> 16))


def mean_of(frame, offsets):
    n = len(offsets)
    return (sum(around(frame, dx, dy) for dx, dy in offsets) + n // 2) // n


def motion_blur(frame, p):
    n, c, s = p[:3]
    lines = [2 * i - (n - 1) for i in range(n)]
    return mean_of(frame, [((t * c + 65536) >> 17, (65536 - t * s) >> 17)
                           for t in lines])


def defocus(frame, p):
    r = p[0] >> 8
    return mean_of(frame, [(dx, dy) for dy in range(-r, r + 1)
                           for dx in range(-r, r + 1)
                           if (dx * dx + dy * dy) * 65536 <= p[0] * p[0]])


def lerp7(a, b, f):
    return (a * (128 - f) + b * f + 64) >> 7


def coarse_at(n, m):
    u = (2 * np.arange(n) + 1) * m * 32768 // n - 32768
    return np.clip(u, 0, (m - 1) << 16)


def downscale(frame, p):
    h, w = frame.shape[:2]
    m, k = p[:2]
    small = np.zeros((k, m, 3), np.int64)
    for j in range(k):
        for i in range(m):
            box = frame[j * h // k:(j + 1) * h // k,
                        i * w // m:(i + 1) * w // m].reshape(-1, 3)
            small[j, i] = (box.sum(axis=0) + len(box) // 2) // len(box)
    u, v = coarse_at(w, m), coarse_at(h, k)[:, None, None]
    low = np.minimum((v >> 16).ravel() + 1, k - 1)
    rows = lerp7(small[(v >> 16).ravel()], small[low], v >> 9 & 127)
    right = np.minimum((u >> 16) + 1, m - 1)
    return lerp7(rows[:, u >> 16], rows[:, right],
                 (u >> 9 & 127)[None, :, None])


def coarse_dropout(frame, p):
    h, w = frame.shape[:2]
    word = words(2 * p[0], key_of(p[4], p[5]))
    out = frame.copy()
    for k in range(p[0]):
        x = int(word[2 * k]) * (w - p[2] + 1) >> 32
        y = int(word[2 * k + 1]) * (h - p[1] + 1) >> 32
        out[y:y + p[1], x:x + p[2]] = p[3]
    return out


def light(frame, p):
    y, x = np.mgrid[0:frame.shape[0], 0:frame.shape[1]]
    g = (p[0] + p[1] * x + p[2] * y) >> 8
    return clamp((frame * g[..., None] + 2048) >> 12)


BASIS = np.array([[round(4096 * (math.sqrt(0.5) if k == 0 else 1) *
                         math.cos((2 * n + 1) * k * math.pi / 16))
                   for n in range(8)] for k in range(8)])
QUANTISERS = [np.array(table).reshape(8, 8) for table in (
    [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
     14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
     18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
     49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99],
    [17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
     24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99]
    + [99] * 32)]


def jpeg_block(v, q):
    """[8, 8] of 0 .. 255 -> the same, spoilt"""
    t = (BASIS @ (v - 128) + 512) >> 10
    d = (t @ BASIS.T + 4096) >> 13
    level = np.sign(d) * (((np.abs(d) + 4 * q) >> 3) // q)
    t = ((level * q) @ BASIS + 1024) >> 11
    return clamp(((BASIS.T @ t + 16384) >> 15) + 128)


def jpeg_plane(plane, quality, base):
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    q = np.clip((base * scale + 50) // 100, 1, 255)
    out = plane.copy()
    for y in range(0, plane.shape[0], 8):
        for x in range(0, plane.shape[1], 8):
            out[y:y + 8, x:x + 8] = jpeg_block(plane[y:y + 8, x:x + 8], q)
    return out


def jpeg(frame, p):
    quality, step = p[:2]
    h, w = frame.shape[:2]
    block = 8 * step
    wide = np.pad(frame, ((0, -h % block), (0, -w % block), (0, 0)),
                  mode="edge")
    r, g, b = wide[..., 0], wide[..., 1], wide[..., 2]
    planes = [(19595 * r + 38470 * g + 7471 * b + 32768) >> 16,
              128 + ((32768 * b - 11059 * r - 21709 * g + 32767) >> 16),
              128 + ((32768 * r - 27439 * g - 5329 * b + 32767) >> 16)]
    if step == 2:
        planes[1:] = [(c[::2, ::2] + c[::2, 1::2] + c[1::2, ::2] +
                       c[1::2, 1::2] + 2) >> 2 for c in planes[1:]]
    planes = [jpeg_plane(c, quality, QUANTISERS[i > 0])
              for i, c in enumerate(planes)]
    v = planes[0]
    b, r = [np.repeat(np.repeat(c, step, 0), step, 1) - 128
            for c in planes[1:]]
    out = np.stack([v + ((91881 * r + 32768) >> 16),
                    v + ((32768 - 22554 * b - 46802 * r) >> 16),
                    v + ((116130 * b + 32768) >> 16)], axis=-1)
    return clamp(out)[:h, :w]


def recolour(frame, m):
    """m: [3][4], Q12"""
    m = np.array(m, np.int64)
    return clamp((frame @ m[:, :3].T + m[:, 3] + 2048) >> 12)


def brightness(frame, p):
    return recolour(frame, [[p[0] * (i == j) for j in range(3)] + [0]
                            for i in range(3)])


def contrast(frame, p):
    return recolour(frame, [[p[0] * (i == j) for j in range(3)] +
                            [128 * (4096 - p[0])] for i in range(3)])


def saturation(frame, p):
    grey = [(luma * (4096 - p[0]) + 32768) >> 16
            for luma in (19595, 38470, 7471)]
    return recolour(frame, [[grey[j] + p[0] * (i == j) for j in range(3)] +
                            [0] for i in range(3)])


def hue(frame, p):
    return recolour(frame, [list(p[3 * i:3 * i + 3]) + [0] for i in range(3)])


def jitter(frame, p):
    steps = [(brightness, p[1:2]), (contrast, p[2:3]), (saturation, p[3:4]),
             (hue, p[4:13])]
    for i in list(itertools.permutations(range(4)))[p[0]]:
        step, values = steps[i]
        frame = step(frame, values)
    return frame


OPERATIONS = {f.__name__: f for f in (
    box_blur, gaussian_blur, gaussian_noise, exposure, gamma, channel_gain,
    greyscale, invert, posterize, solarize, autocontrast, equalize,
    uniform_noise, salt_pepper, sharpen, channel_shuffle, shot_noise,
    motion_blur, downscale, coarse_dropout, jpeg, light, defocus, brightness,
    contrast, saturation, hue, jitter, threshold, offset)}
OPERATIONS["white_balance"] = white_balance


def run(frame, operations, covered=None):
    """operations: a list of the plan's. covered: the pixels [h, w] that
    statistics count, all where there is none."""
    for o in operations:
        p = o["p"] + [0] * 18
        more = [covered] if o["op"] in ("autocontrast", "equalize") else []
        frame = OPERATIONS[o["op"]](frame, p, *more)
    return frame


def run_on_object(o, operations):
    """The object's plane [h, w, 4], premultiplied -> the same with the
    colours that operations leave."""
    a = o[..., 3:]
    if not operations or a.sum() == 0:
        return o
    mean = (255 * o[..., :3].sum(axis=(0, 1)) + a.sum() // 2) // a.sum()
    q = (255 * 65536 + a // 2) // np.maximum(a, 1)
    straight = np.minimum(255, (o[..., :3] * q + 32768) >> 16)
    frame = run(np.where(a == 0, mean, straight), operations, a[..., 0] >= 128)
    return np.concatenate([(frame * a + 127) // 255, a], axis=-1)
