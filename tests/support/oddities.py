"""A corpus of legal oddities: what cameras, scanners, printers and old programs save."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from support.imagery import (
    ADOBE_RGB,
    DISPLAY_P3,
    TURNED,
    Pixels,
    cmyk_profile,
    exif,
    photo,
    png,
    png_chunk,
    rgb_profile,
    saved,
)

WIDTH, HEIGHT = 96, 64


@dataclass(frozen=True)
class Oddity:
    """`profiled`: its numbers mean something only through its ICC profile; `inks`: they are CMYK."""

    data: bytes
    profiled: bool = False
    inks: bool = False


def corpus() -> dict[str, Oddity]:
    return _depths() | _transparency() | _orientations() | _profiles() | _jpegs() | _webps_and_gifs()


PICTURE: Final = photo(WIDTH, HEIGHT, seed=5)
ALPHA: Final = photo(WIDTH, HEIGHT, channels=4, seed=5)
P3, ADOBE = rgb_profile(DISPLAY_P3, 2.2), rgb_profile(ADOBE_RGB, 2.19921875)
INKS: Final = ((62, -31, -48), (48, 74, -5), (94, -5, 93), (12, 0, 0))


def _depths() -> dict[str, Oddity]:
    grey, image = PICTURE[..., 1], Image.fromarray(PICTURE)
    wide = PICTURE.astype(">u2") * 257 + np.arange(WIDTH, dtype=np.uint16)[None, :, None] % 100
    files = {
        "png 8-bit": saved(image, "PNG"),
        "png palette of 256": saved(image.quantize(256), "PNG"),
        "png palette of 16": saved(image.quantize(16), "PNG", bits=4),
        "png palette of 4": saved(image.quantize(4), "PNG", bits=2),
        "png palette of 2": saved(image.quantize(2), "PNG", bits=1),
        "png 1-bit": saved(Image.fromarray(grey).convert("1"), "PNG"),
        "png 2-bit grey": png(WIDTH, HEIGHT, _packed(grey, 2), depth=2, colour=0),
        "png 4-bit grey": png(WIDTH, HEIGHT, _packed(grey, 4), depth=4, colour=0),
        "png 8-bit grey": saved(grey, "PNG"),
        "png 16-bit grey": saved(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"),
        "png 16-bit RGB": png(WIDTH, HEIGHT, _rows(wide.astype(">u2")), depth=16),
        "png interlaced": _interlaced(PICTURE),
        "png in many chunks": _split(saved(image, "PNG"), 100),
        "png with gAMA": png(WIDTH, HEIGHT, _rows(PICTURE), extra=((b"gAMA", struct.pack(">I", 45_455)),)),
        "png with sRGB": png(WIDTH, HEIGHT, _rows(PICTURE), extra=((b"sRGB", b"\0"),)),
        "png with words": png(WIDTH, HEIGHT, _rows(PICTURE), extra=((b"tEXt", b"Title\0x"), (b"tIME", bytes(7)))),
    }
    for kind in range(5):
        files[f"png of filter {kind}"] = _filtered(PICTURE, kind)
    return {name: Oddity(data) for name, data in files.items()}


def _transparency() -> dict[str, Oddity]:
    image = Image.fromarray(PICTURE)
    hole = tuple(int(v) for v in PICTURE[20, 30])
    quantized, grey = image.quantize(32), image.convert("L")
    return {
        name: Oddity(data)
        for name, data in {
            "png RGBA": saved(ALPHA, "PNG"),
            "png grey and alpha": saved(Image.fromarray(ALPHA).convert("LA"), "PNG"),
            "png 16-bit RGBA": png(WIDTH, HEIGHT, _rows((ALPHA.astype(">u2") * 257).astype(">u2")), depth=16, colour=6),
            "png tRNS on RGB": saved(image, "PNG", transparency=hole),
            "png tRNS on grey": saved(grey, "PNG", transparency=int(np.asarray(grey)[9, 9])),
            "png tRNS on a palette": saved(quantized, "PNG", transparency=bytes(range(0, 256, 8))),
            "webp with alpha": saved(ALPHA, "WEBP", lossless=True, exact=True),
            "gif with a hole": saved(quantized, "GIF", transparency=3),
        }.items()
    }


def _orientations() -> dict[str, Oddity]:
    made = {}
    for fmt, options in (("JPEG", {"quality": 100, "subsampling": 0}), ("PNG", {}), ("WEBP", {"lossless": True})):
        for orientation in range(1, 9):
            lying = np.ascontiguousarray(TURNED[orientation](PICTURE))
            name = f"{fmt.lower()} orientation {orientation}"
            made[name] = Oddity(saved(lying, fmt, exif=exif(orientation), **options))
    return made


def _profiles() -> dict[str, Oddity]:
    made = {}
    for name, profile in (("Display P3", P3), ("Adobe RGB", ADOBE)):
        for fmt, options in (("JPEG", {"quality": 100, "subsampling": 0}), ("PNG", {}), ("WEBP", {"lossless": True})):
            made[f"{fmt.lower()} in {name}"] = Oddity(saved(PICTURE, fmt, icc_profile=profile, **options), True)
    made["png RGBA in Display P3"] = Oddity(saved(ALPHA, "PNG", icc_profile=P3), True)
    made["png with half a profile"] = Oddity(saved(PICTURE, "PNG", icc_profile=P3[:200]))
    return made


def _jpegs() -> dict[str, Oddity]:
    image = Image.fromarray(PICTURE)
    inks = Image.merge("CMYK", [Image.fromarray(PICTURE[..., i % 3] // (1 + i // 3)) for i in range(4)])
    made = {
        "jpeg grey": Oddity(saved(image.convert("L"), "JPEG", quality=95)),
        "jpeg progressive": Oddity(saved(image, "JPEG", quality=95, progressive=True)),
        "jpeg with restarts": Oddity(saved(image, "JPEG", quality=95, restart_marker_blocks=4)),
        "jpeg RGB inside": Oddity(saved(image, "JPEG", quality=95, keep_rgb=True)),
        "jpeg of quality 5": Oddity(saved(image, "JPEG", quality=5)),
        "jpeg CMYK, Adobe's upside down inks": Oddity(saved(inks, "JPEG", quality=100), inks=True),
        "jpeg CMYK with a profile": Oddity(
            saved(inks, "JPEG", quality=100, icc_profile=cmyk_profile(INKS)), profiled=True, inks=True
        ),
    }
    samplings = {
        "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
        "4:4:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
        "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        "4:1:1": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
    }
    for name, factor in samplings.items():
        data = cv2.imencode(".jpg", PICTURE[..., ::-1], [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor])[1].tobytes()
        made[f"jpeg {name}"] = Oddity(data)
    return made


def _webps_and_gifs() -> dict[str, Oddity]:
    image = Image.fromarray(PICTURE)
    return {
        "webp lossy": Oddity(saved(image, "WEBP", quality=90)),
        "webp lossless": Oddity(saved(image, "WEBP", lossless=True)),
        "gif": Oddity(saved(image, "GIF")),
        "gif interlaced": Oddity(saved(image.quantize(64), "GIF", interlace=1)),
    }


def refused() -> dict[str, bytes]:
    """What is no still picture of eight bits, by the word that the refusal must hold."""
    plain = saved(PICTURE, "JPEG")
    frame = plain.index(b"\xff\xc0")
    frames = [Image.new("RGB", (16, 12), colour) for colour in ("red", "blue")]
    moving: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 100}
    return {
        "12 bits": plain[: frame + 4] + b"\x0c" + plain[frame + 5 :],
        **{f"animated {fmt}": saved(frames[0], fmt, **moving) for fmt in ("GIF", "WEBP", "PNG")},
    }


def _rows(pixels: np.ndarray[Any, Any]) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in pixels)


def _packed(grey: Pixels, depth: int) -> bytes:
    """Rows of several pixels a byte."""
    bits = np.unpackbits((grey >> (8 - depth)).astype(np.uint8)[..., None], axis=2)[..., 8 - depth :]
    return b"".join(b"\0" + np.packbits(row).tobytes() for row in bits)


def _filtered(pixels: Pixels, kind: int) -> bytes:
    """Every row by one of PNG's filters (W3C PNG 3rd ed., 9.2)."""
    raw = pixels.reshape(len(pixels), -1).astype(np.int16)
    left = np.pad(raw, ((0, 0), (3, 0)))[:, :-3]
    up = np.pad(raw, ((1, 0), (0, 0)))[:-1]
    corner = np.pad(raw, ((1, 0), (3, 0)))[:-1, :-3]
    near = [np.abs(left + up - corner - v) for v in (left, up, corner)]
    paeth = np.where((near[0] <= near[1]) & (near[0] <= near[2]), left, np.where(near[1] <= near[2], up, corner))
    guess = (np.zeros_like(raw), left, up, (left + up) // 2, paeth)[kind]
    rows = b"".join(bytes([kind]) + row.tobytes() for row in (raw - guess).astype(np.uint8))
    return png(pixels.shape[1], pixels.shape[0], rows)


def _interlaced(pixels: Pixels) -> bytes:
    """Adam7 (W3C PNG 3rd ed., 8.1)."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = b"".join(_rows(pixels[top::down, left::right]) for top, left, down, right in passes)
    whole = bytearray(png(pixels.shape[1], pixels.shape[0], rows))
    whole[28] = 1
    whole[8:33] = png_chunk(b"IHDR", bytes(whole[16:29]))
    return bytes(whole)


def _split(data: bytes, size: int) -> bytes:
    """Its IDAT cut into pieces."""
    at = data.index(b"IDAT")
    (length,) = struct.unpack_from(">I", data, at - 4)
    body = io.BytesIO(data[at + 4 : at + 4 + length])
    pieces = b"".join(png_chunk(b"IDAT", piece) for piece in iter(lambda: body.read(size), b""))
    return data[: at - 4] + pieces + data[at + 8 + length :]
