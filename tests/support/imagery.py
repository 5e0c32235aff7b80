"""Pixels and files for the imaging tests: pleasant ones, and the hostile ones that gateways are sent."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def photo(width: int, height: int, *, channels: int = 3, seed: int = 0) -> Pixels:
    """Smooth colours with some noise; a fourth channel is an alpha ramp from 0 to 255."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    colour: Pixels = np.clip(smooth + random.integers(-8, 9, smooth.shape), 0, 255).astype(np.uint8)
    if channels == 3:
        return colour
    ramp = np.linspace(0, 255, width).round().astype(np.uint8)
    return np.dstack((colour, np.broadcast_to(ramp, (height, width))))


@cache
def astronaut(side: int) -> Pixels:
    """side×side×3, upright, one face; not to be written to."""
    pixels = np.asarray(cv2.resize(skimage.data.astronaut(), (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    pixels.flags.writeable = False
    return pixels


def saved(image: Image.Image | Pixels, fmt: str, **options: Any) -> bytes:
    """As Pillow writes it."""
    out = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(out, fmt, **options)
    return out.getvalue()


def fingerprint(image: Image.Image | Pixels) -> str:
    """Of what shows, whatever it is encoded as."""
    shown = (image if isinstance(image, Image.Image) else Image.fromarray(image)).convert("RGBA")
    return hashlib.sha256(repr(shown.size).encode() + shown.tobytes()).hexdigest()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


Chunks = tuple[tuple[bytes, bytes], ...]


def png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 2, extra: Chunks = ()) -> bytes:
    """A PNG by hand: `rows` with their filter bytes, `extra` chunks before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in chunks)


def bomb_png() -> bytes:
    """30000 × 30000 by its header."""
    return png(30_000, 30_000, b"\0" * 1000)


def zeros_png() -> bytes:
    """400 megapixels of zeros in 49 KB, whole and legal."""
    return png(20_000, 20_000, b"\0" * (20_000 * (1 + 2_500)), depth=1, colour=0)


def scan_bomb_jpeg(scans: int = 2000) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    plain = saved(Image.new("RGB", (64, 64), (90, 120, 200)), "JPEG", progressive=True)
    last = plain.rindex(b"\xff\xda")
    return plain[:-2] + plain[last:-2] * scans + b"\xff\xd9"


def animated(fmt: str) -> bytes:
    """Two frames as GIF, WebP or (animated) PNG."""
    frames = [Image.new("RGB", (16, 12), colour) for colour in ("red", "blue")]
    return saved(frames[0], fmt, save_all=True, append_images=frames[1:], duration=100)


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


POSTSCRIPT: Final = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"
HEIC: Final = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)

FOREIGN: Final[dict[str, tuple[bytes, str]]] = {
    "text": (b"this is a text file called photo.png\n", "text"),
    "postscript": (POSTSCRIPT, "PostScript"),
    "heic": (HEIC, "HEIC"),
    "tiff": (b"II*\0" + bytes(64), "TIFF"),
    "bmp": (b"BM" + bytes(64), "BMP"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    "pdf": (b"%PDF-1.7\n", "PDF"),
    "html": (b"<!DOCTYPE html><html></html>", "web page"),
    "nothing": (b"", "empty"),
    "noise": (bytes(range(128, 256)), "unknown"),
}
"""Bytes that are no picture we edit, with a word that the refusal must hold."""

TURNED: Final[dict[int, Callable[[Pixels], Pixels]]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.rot90(np.fliplr(a)),
    6: np.rot90,
    7: lambda a: np.rot90(np.fliplr(a), -1),
    8: lambda a: np.rot90(a, -1),
}
"""Orientation → how the upright picture lies in the file."""


DISPLAY_P3: Final = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE_RGB: Final = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def rgb_profile(primaries: tuple[tuple[float, float, float], ...], curve: float | bytes) -> bytes:
    """A matrix ICC profile (v2): D50 XYZ of red, green and blue, and one gamma, or a whole curve tag, for all three."""
    if not isinstance(curve, bytes):
        curve = b"curv" + struct.pack(">IIH", 0, 1, round(curve * 256)) + b"\0\0"
    points = [b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in xyz)) for xyz in primaries]
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _profile(b"RGB ", b"XYZ ", dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), points, strict=True)) | curves)


def cmyk_profile(inks: tuple[tuple[int, int, int], ...]) -> bytes:
    """A table ICC profile (v2) of four inks, each given as the Lab colour of its full tone on white paper; what is
    printed over another ink shows as the last one."""
    grid = bytearray()
    for corner in range(16):  # the first ink varies slowest
        lab = (100, 0, 0)
        for ink, colour in enumerate(inks):
            if corner >> (3 - ink) & 1:
                lab = colour
        grid += bytes((round(lab[0] * 2.55), lab[1] + 128, lab[2] + 128))
    identity = struct.pack(">9i", *(65536 if i % 4 == 0 else 0 for i in range(9)))
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + ramp * 4 + bytes(grid) + ramp * 3
    return _profile(b"CMYK", b"Lab ", {b"A2B0": table})


_D50: Final = (63190, 65536, 54061)


def _profile(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    name = b"test"
    tags = tags | {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name + bytes(1 + 78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", *_D50),
    }
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for key, value in tags.items():
        table += key + struct.pack(">II", at + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    head = struct.pack(">I4xI4s4s4s12x4s28x3i48x", at + len(body), 0x02400000, kind, space, connection, b"acsp", *_D50)
    return head + struct.pack(">I", len(tags)) + table + body
