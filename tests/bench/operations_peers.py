"""Times image operations beside OpenCV's own functions for the same thing, in
one run on one core, and prints how many times faster they are. Checks no byte
(tests/golden/operations.py does).

    python3 tests/bench/operations_peers.py build/release/tests/bench/operations
        [SIDE]        224 px by default; exits 1 when a blur, a noise or jpeg
                      takes longer than OpenCV's

Both draw their parameters from the recipe's default ranges and work on a frame
that is in the cache. OpenCV's results go to memory made beforehand wherever
its functions take it. Needs python3-opencv.
"""
import math
import subprocess
import sys
import time

import cv2
import numpy as np

HELD = ('box_blur', 'gaussian_blur', 'motion_blur', 'defocus',
        'gaussian_noise', 'uniform_noise', 'jpeg')
PLANS = 64
ROUNDS = 7
TURNS = 3


def make_frame(side):
    """As operations' own: smooth with some noise."""
    y, x = np.mgrid[0:side, 0:side * 3]
    noise = np.random.default_rng(1).integers(0, 32, x.shape)
    return ((x + y) * 160 // side // 3 + noise).astype(np.uint8).reshape(
        side, side, 3)


def drawn(low, high):
    return np.random.default_rng(2).uniform(low, high, PLANS).tolist()


class Peers:
    """Each method named after an operation gives a function of a plan."""

    def __init__(self, frame):
        self.frame = frame
        self.out = np.empty_like(frame)
        self.noise = np.empty(frame.shape, np.int16)

    def box_blur(self):
        return lambda i: cv2.blur(self.frame, (3, 3), self.out)

    def gaussian_blur(self):
        sigmas = drawn(0.5, 1.5)
        sides = [2 * math.ceil(3 * s) + 1 for s in sigmas]
        return lambda i: cv2.GaussianBlur(
            self.frame, (sides[i], sides[i]), sigmas[i], self.out)

    def motion_blur(self):
        kernels = []
        for length, angle in zip(drawn(3, 9), drawn(-90, 90)):
            n = round(length)
            kernel = np.zeros((9, 9), np.float32)
            reach = (n - 1) / 2 * np.array([math.cos(math.radians(angle)),
                                            -math.sin(math.radians(angle))])
            ends = np.round(np.array([4 - reach, 4 + reach])).astype(int)
            cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), 1)
            kernels.append(kernel / kernel.sum())
        return lambda i: cv2.filter2D(self.frame, -1, kernels[i], self.out)

    def defocus(self):
        kernels = []
        for radius in drawn(1, 3):
            n = int(radius)
            y, x = np.mgrid[-n:n + 1, -n:n + 1]
            kernel = (x * x + y * y <= radius * radius).astype(np.float32)
            kernels.append(kernel / kernel.sum())
        return lambda i: cv2.filter2D(self.frame, -1, kernels[i], self.out)

    def sharpen(self):
        binomial = np.outer([1, 2, 1], [1, 2, 1]) / 16.0
        kernels = []
        for amount in drawn(0.2, 1):
            kernel = -amount * binomial
            kernel[1, 1] += 1 + amount
            kernels.append(kernel.astype(np.float32))
        return lambda i: cv2.filter2D(self.frame, -1, kernels[i], self.out)

    def gaussian_noise(self):
        sigmas = drawn(0, 10)

        def run(i):
            cv2.randn(self.noise, 0, sigmas[i])
            cv2.add(self.frame, self.noise, self.out, dtype=cv2.CV_8U)
        return run

    def uniform_noise(self):
        amplitudes = [round(a) for a in drawn(0, 15)]

        def run(i):
            cv2.randu(self.noise, -amplitudes[i], amplitudes[i] + 1)
            cv2.add(self.frame, self.noise, self.out, dtype=cv2.CV_8U)
        return run

    def jpeg(self):
        qualities = [round(q) for q in drawn(60, 95)]

        def run(i):
            quality = [cv2.IMWRITE_JPEG_QUALITY, qualities[i]]
            cv2.imdecode(cv2.imencode('.jpg', self.frame, quality)[1],
                         cv2.IMREAD_COLOR)
        return run

    def downscale(self):
        side = self.frame.shape[0]
        sides = [max(1, round(f * side)) for f in drawn(0.25, 0.75)]

        def run(i):
            small = cv2.resize(self.frame, (sides[i], sides[i]),
                               interpolation=cv2.INTER_AREA)
            cv2.resize(small, (side, side), self.out,
                       interpolation=cv2.INTER_LINEAR)
        return run

    def gamma(self):
        tables = [(255 * (np.arange(256) / 255) ** g).astype(np.uint8)
                  for g in drawn(0.7, 1.4)]
        return lambda i: cv2.LUT(self.frame, tables[i], self.out)

    def greyscale(self):
        grey = np.empty(self.frame.shape[:2], np.uint8)

        def run(_):
            cv2.cvtColor(self.frame, cv2.COLOR_RGB2GRAY, grey)
            cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB, self.out)
        return run

    def equalize(self):
        planes = [np.empty(self.frame.shape[:2], np.uint8) for _ in range(3)]

        def run(_):
            cv2.split(self.frame, planes)
            for plane in planes:
                cv2.equalizeHist(plane, plane)
            cv2.merge(planes, self.out)
        return run


def ours(program, side, name):
    text = subprocess.run([program, str(side), name], check=True, text=True,
                          capture_output=True).stdout
    return float(text.split()[-1])


def theirs(run, n_pixels):
    """Nanoseconds a pixel, the best of some rounds over all plans."""
    best = math.inf
    for _ in range(ROUNDS):
        begin = time.perf_counter_ns()
        for i in range(PLANS):
            run(i)
        best = min(best, time.perf_counter_ns() - begin)
    return best / PLANS / n_pixels


def main():
    program = sys.argv[1]
    side = int(sys.argv[2]) if len(sys.argv) > 2 else 224
    cv2.setNumThreads(1)
    peers = Peers(make_frame(side))
    names = [name for name in vars(Peers) if not name.startswith('_')]
    print(f'{side} px, ns a pixel; OpenCV {cv2.__version__}')
    print(f'{"operation":16s} {"pasted":>8s} {"OpenCV":>8s} {"ratio":>7s}')
    behind = []
    for name in names:
        run = getattr(peers, name)()
        mine, other = math.inf, math.inf
        for _ in range(TURNS):
            mine = min(mine, ours(program, side, name))
            other = min(other, theirs(run, side * side))
        print(f'{name:16s} {mine:8.2f} {other:8.2f} {other / mine:7.2f}',
              flush=True)
        if mine > other:
            behind.append(name)
    print('fell behind: ' + (', '.join(behind) or 'none'))
    return 1 if set(behind) & set(HELD) else 0


if __name__ == '__main__':
    sys.exit(main())
