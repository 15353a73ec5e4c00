"""NUMERICS.md in NumPy: a plan (as JSON) and straight source images become
the pixels, the box and the tensors that the daemon serves, byte for byte.

Written from that page alone; shares nothing with the C code. Does not draw
plans. All arithmetic is on int64 unless the page says double."""
import math

import numpy as np

import operations
from objects import displacement, object_plane, paste, pasted_on, tight_box
from sampling import recolour


# The sample, sections 7 to 9.

def pasted(plan, straight, background, other):
    """-> (P of section 7, O)"""
    o = object_plane(plan, straight, background, other)
    return paste(plan, o, pasted_on(plan, background, other)), o


def sample(plan, straight, background, other):
    """other: the straight distractor, or None -> ([h, w, 3] u8, box)"""
    p, o = pasted(plan, straight, background, other)
    if plan["has_colour"]:
        p = recolour(p, plan["colour"])
    p = operations.run(p, plan["operations"])
    return p.astype(np.uint8), tight_box(o[..., 3])


def layers(plan, straight, background, other):
    """-> {name: u8} of what the sample is put together from."""
    o = object_plane(plan, straight, background, other).astype(np.uint8)
    d = pasted_on(plan, background, other).astype(np.uint8)
    return {"mask": o[..., 3], "plane": o, "context": d}


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
