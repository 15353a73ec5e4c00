"""What encode writes, read by numpy, zipfile, json and zlib: the same values,
the promised alignment, no clock in the bytes."""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
import zlib

import numpy

PROGRAM = sys.argv.pop(1)
FORMULAS = {
    "i8": lambda i: i * 1000003 - 5,
    "i4": lambda i: 7 - 3 * i,
    "f4": lambda i: i / 8 - 2,
    "u1": lambda i: i * i // 8 % 256,
}
SHAPES = {"label": ("i8", ()), "object": ("i4", ()), "background": ("i4", ()),
          "position": ("i8", ()), "box": ("f4", (4,)), "visible": ("f4", ())}


def expected(dtype, shape):
    i = numpy.arange(int(numpy.prod(shape)), dtype=numpy.int64)
    return FORMULAS[dtype](i).astype(dtype).reshape(shape)


def decode_png(data):
    """Rows of an 8-bit RGB PNG whose every row has filter 1 (Sub)."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, []
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + size]
        crc, = struct.unpack_from(">I", data, at + 8 + size)
        assert zlib.crc32(kind + body) == crc
        chunks.append((kind, body))
        at += 12 + size
    kinds = [kind for kind, _ in chunks]
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}, kinds
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[0][1])
    assert (depth, colour) == (8, 2)
    raw = zlib.decompress(b"".join(b for k, b in chunks if k == b"IDAT"))
    rows = numpy.frombuffer(raw, "u1").reshape(height, 1 + width * 3)
    assert (rows[:, 0] == 1).all()
    rows = rows[:, 1:].reshape(height, width, 3)
    return numpy.cumsum(rows, axis=1, dtype=numpy.uint64).astype("u1")


class Encoded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        subprocess.run([PROGRAM, cls.folder], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def check_npz(self, name, n, image_dtype):
        wanted = {key: (dtype, (n,) + rest)
                  for key, (dtype, rest) in SHAPES.items()}
        wanted["image"] = (image_dtype, (n, 6, 10, 3))
        with numpy.load(self.folder / name, allow_pickle=False) as arrays:
            self.assertEqual(list(arrays), list(wanted))
            for key, (dtype, shape) in wanted.items():
                array = arrays[key]
                self.assertEqual((key, array.dtype.str.lstrip("<|")),
                                 (key, dtype))
                self.assertEqual(array.shape, shape)
                self.assertTrue(array.flags.c_contiguous)
                numpy.testing.assert_array_equal(array,
                                                 expected(dtype, shape))

    def test_numpy_reads_what_was_written(self):
        self.check_npz("u8.npz", 7, "u1")
        self.check_npz("f32.npz", 1, "f4")

    def test_members_are_stored_aligned_and_dated_1980(self):
        data = (self.folder / "u8.npz").read_bytes()
        with zipfile.ZipFile(self.folder / "u8.npz") as archive:
            self.assertIsNone(archive.testzip())
            for info in archive.infolist():
                self.assertEqual(info.compress_type, zipfile.ZIP_STORED)
                self.assertEqual(info.date_time, (1980, 1, 1, 0, 0, 0))
                name, extra = struct.unpack_from("<HH", data,
                                                 info.header_offset + 26)
                start = info.header_offset + 30 + name + extra
                header, = struct.unpack_from("<H", data, start + 8)
                self.assertEqual(start % 64, 0)
                self.assertEqual((start + 10 + header) % 64, 0)

    def test_zip64_records_appear_where_numbers_need_them(self):
        for name in ("all64.zip", "some64.zip", "none64.zip"):
            with zipfile.ZipFile(self.folder / name) as archive:
                self.assertIsNone(archive.testzip())
                self.assertEqual([archive.read(member)
                                  for member in ("a", "bc", "def.bin")],
                                 [b"x", b"y" * 101, b"z" * 201])
        data = (self.folder / "all64.zip").read_bytes()
        self.assertIn(b"PK\x06\x06", data)
        self.assertNotIn(b"PK\x06\x06",
                         (self.folder / "none64.zip").read_bytes())

    def test_json_has_every_label_and_no_image(self):
        labels = json.loads((self.folder / "u8.json").read_text())
        self.assertEqual(list(labels), list(SHAPES))
        for key, (dtype, rest) in SHAPES.items():
            numpy.testing.assert_array_equal(
                numpy.array(labels[key], dtype=dtype),
                expected(dtype, (7,) + rest))

    def test_png_has_the_pixels(self):
        images = expected("u1", (7, 6, 10, 3))
        sample = decode_png((self.folder / "sample.png").read_bytes())
        numpy.testing.assert_array_equal(sample, images[0])

    def test_grid_places_tiles_with_white_between(self):
        images = expected("u1", (7, 6, 10, 3))
        grid = decode_png((self.folder / "grid.png").read_bytes())
        columns = (grid.shape[1] + 2) // 12
        rows = -(-7 // columns)
        self.assertEqual(grid.shape, (rows * 8 - 2, columns * 12 - 2, 3))
        left = numpy.full_like(grid, 255)
        for i, image in enumerate(images):
            y, x = i // columns * 8, i % columns * 12
            left[y:y + 6, x:x + 10] = image
        numpy.testing.assert_array_equal(grid, left)
        self.assertTrue(0.5 <= grid.shape[1] / grid.shape[0] <= 2)


if __name__ == "__main__":
    unittest.main()
