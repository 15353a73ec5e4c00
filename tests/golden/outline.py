"""The outline of an object, section 1 of NUMERICS.md, by brute force: the
nearest pixel is looked for among all of them. Knows no plan."""
import numpy as np

FAR = 1 << 40


def reach_of(w, h):
    return min(64, max(4, (max(w, h) + 7) // 8))


def nearest(marked):
    """[h, w] bool -> rows, columns of the nearest marked pixel of each; ties
    to the lowest column, then to the upper row."""
    h, w = marked.shape
    y, x = np.arange(h), np.arange(w)
    rows = np.zeros((h, w), np.int64)
    columns = np.zeros((h, w), np.int64)
    for at in range(h):
        away = np.where(marked, np.abs(y - at)[:, None], FAR)
        upper = away.argmin(axis=0)
        down = np.where(marked.any(axis=0), (upper - at) ** 2, FAR)
        columns[at] = (down + (x[:, None] - x) ** 2).argmin(axis=1)
        rows[at] = upper[columns[at]]
    return rows, columns


def outline(straight):
    """[h, w, 4] straight -> [h + 2 r, w + 2 r, 4]: colour, distance."""
    h, w = straight.shape[:2]
    r = reach_of(w, h)
    wide = np.pad(straight, ((r, r), (r, r), (0, 0)))
    alpha = wide[..., 3]
    covered = alpha >= (128 if (alpha >= 128).any() else 1)
    y, x = np.mgrid[0:h + 2 * r, 0:w + 2 * r]
    rows, columns = nearest(covered)
    colour = wide[rows, columns, :3]
    outer = (rows - y) ** 2 + (columns - x) ** 2
    rows, columns = nearest(~covered)
    inner = (rows - y) ** 2 + (columns - x) ** 2
    away = np.sqrt(np.where(covered, inner, outer).astype(np.float64)) - 0.5
    steps = np.floor(127 * away / r + 0.5).astype(np.int64)
    byte = np.clip(128 + np.where(covered, steps, -steps), 1, 255)
    return np.concatenate([colour, byte[..., None].astype(np.uint8)], axis=-1)


def stroked(sampled, stroke):
    """What was sampled of the outline -> premultiplied."""
    byte = sampled[..., 3:]
    alpha = np.clip((byte * stroke["gain"] + stroke["offset"]) >> 16, 0, 255)
    alpha = np.where(byte == 0, 0, alpha)
    colour = (sampled[..., :3] * alpha + 127) // 255
    return np.concatenate([colour, alpha], axis=-1)
