"""Sections 1 and 2 of NUMERICS.md in NumPy: levels of an image and what lies
between their texels; and section 7's matrix. Knows no plan."""
import numpy as np


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
