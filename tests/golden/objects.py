"""Sections 5 and 6 of NUMERICS.md in NumPy: an object posed, its edge, its
colours."""
import math

import numpy as np

import operations
import outline
from contexts import context
from sampling import bilinear, grid, mip_level, premultiply


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


def tight_box(alpha):
    for threshold in (128, 1):
        y, x = np.nonzero(alpha >= threshold)
        if len(y):
            return [x.min(), y.min(), x.max() + 1, y.max() + 1]
    return [0, 0, 0, 0]


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


def paste(plan, o, d):
    """Section 7, over: an object's plane on what lies under it."""
    a = o[..., 3:]
    if plan["blend"] == "two_thirds_frame":
        t = d * 85 + 128
        p = o[..., :3] + ((t + (t >> 8)) >> 8)
    else:
        p = o[..., :3] + ((d * (256 - (a + (a >> 7))) + 128) >> 8)
    assert p.max() <= 255
    return p


def pasted_on(plan, background, other):
    """D of section 7, with the distractor on it where there is one."""
    d = context(plan, background)
    if plan["distractor"]:
        second = dict(plan, **plan["distractor"])
        second["distractor"] = None
        d = paste(second, object_plane(second, other, background), d)
    return d


def object_plane(plan, straight, background, other=None):
    o = operations.run_on_object(coloured_object(plan, straight),
                                 plan["object_operations"])
    if plan["match_q16"] > 0 and o[..., 3].any():
        o = tinted(o, match_matrix(plan, o, pasted_on(plan, background,
                                              other)))
    if plan["blend"] != "over":
        t = o * 170 + 128
        o = (t + (t >> 8)) >> 8
    return o
