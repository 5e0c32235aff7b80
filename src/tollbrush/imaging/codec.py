"""Encoded pictures to upright sRGB pixels and back.

Decoding: a whitelist of formats, Exif orientation applied, ICC profiles (CMYK too) converted to sRGB, 16-bit grey
scaled by 257, transparency of every kind kept as alpha. Encoding writes no metadata.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import cv2
import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image

from tollbrush.domain.edits import OutputFormat
from tollbrush.errors import BadImage, BadRequest
from tollbrush.imaging.colour import to_grey, to_srgb
from tollbrush.imaging.header import Header, sniff
from tollbrush.imaging.orientation import upright
from tollbrush.imaging.png import encode_png, is_intact

Pixels = NDArray[np.uint8]
"""Upright sRGB, H×W×3 or H×W×4 (straight alpha), uint8."""

MAX_DECODING: Final = 80_000_000
"""Pixels that all decodes of the process together may hold at once; further ones wait."""

# What Pillow and its libraries raise on hostile bytes, found by fuzzing; OSError holds UnidentifiedImageError.
_PILLOW_ERRORS: Final = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    OverflowError,
    LookupError,
    TypeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


# Corrupt Exif and the like: a stranger's file must not write our log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


class _Budget:
    """A counting lock over pixels. First come, first served, so that large pictures are not starved."""

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._turn = threading.Lock()
        self._freed = threading.Condition()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        share = min(pixels, self._total)
        with self._turn, self._freed:
            self._freed.wait_for(lambda: self._free >= share)
            self._free -= share
        try:
            yield
        finally:
            with self._freed:
                self._free += share
                self._freed.notify_all()


_budget: Final = _Budget(MAX_DECODING)


def decode(data: bytes, *, max_pixels: int, path: str = "image") -> Pixels:
    """Upright sRGB pixels; an alpha channel only where something is transparent. Waits for the process's pixel
    budget: call it in a thread. Raises BadImage."""
    with _decoding(data, max_pixels, path) as header:
        colour, alpha = _decode(data, header, to_srgb)
    if alpha is None or (alpha == 255).all():
        return colour
    return np.dstack((colour, alpha))


def decode_grey(data: bytes, *, max_pixels: int, path: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Brightness (BT.601) and alpha, upright, H×W each; as `decode` otherwise."""
    with _decoding(data, max_pixels, path) as header:
        grey, alpha = _decode(data, header, to_grey)
    return grey, None if alpha is None or (alpha == 255).all() else alpha


@contextmanager
def _decoding(data: bytes, max_pixels: int, path: str) -> Iterator[Header]:
    header = sniff(data, max_pixels=max_pixels, path=path)
    with _budget.hold(header.width * header.height):
        try:
            yield header
        except _PILLOW_ERRORS as error:
            message = f"{path} is a broken {header.format.upper()}: {str(error)[:120] or type(error).__name__}."
            raise BadImage(message, path=path, advice="Save it again from an image editor.") from error


def encode(pixels: Pixels, fmt: OutputFormat, *, quality: int = 95) -> bytes:
    """PNG (fast, about 15 % above Pillow's size), lossless WebP, or JPEG 4:4:4 with transparency on white.
    `quality` is JPEG's. Raises BadRequest when the format cannot hold so large a picture."""
    if fmt == "png":
        return encode_png(pixels)
    if fmt == "webp":
        return _encode_webp(pixels)
    jpeg: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(flatten(pixels)), quality=quality, colorsubsampling="444")
    return jpeg


def mime(fmt: OutputFormat) -> str:
    return f"image/{fmt}"


def flatten(pixels: Pixels) -> Pixels:
    """H×W×3: what shows on white paper."""
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def drop_opaque(pixels: Pixels) -> Pixels:
    """Without an alpha channel that says nothing."""
    if pixels.shape[2] == 4 and (pixels[..., 3] == 255).all():
        return np.ascontiguousarray(pixels[..., :3])
    return pixels


def _decode(
    data: bytes, header: Header, convert: Callable[[Pixels, bytes | None], Pixels]
) -> tuple[Pixels, Pixels | None]:
    """What `convert` makes of the colours and their profile; and alpha."""
    with Image.open(io.BytesIO(data), formats=(header.format.upper(),)) as image:
        if image.size != (header.width, header.height):
            raise ValueError(f"its parts disagree about its size: {image.size} and {header.width, header.height}")
        profile = image.info.get("icc_profile")
        if header.format == "jpeg" and image.mode in ("L", "RGB"):
            pixels, alpha = _jpeg(data, image), None
        elif header.format == "png" and (plain := _plain_png(data, image)) is not None:
            pixels, alpha = plain, None
        else:
            pixels, alpha = _planes(data, image)
        colour = upright(convert(pixels, profile), header.orientation)
    return colour, None if alpha is None else upright(alpha, header.orientation)


def _jpeg(data: bytes, image: Image.Image) -> Pixels:
    """The same pixels as Pillow's, a third faster; what libjpeg warns about is left to Pillow to judge."""
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(data, colorspace="GRAY" if image.mode == "L" else "RGB")
    except ValueError:
        pixels = np.array(image)
    return pixels


def _plain_png(data: bytes, image: Image.Image) -> Pixels | None:
    """8-bit grey or RGB: the same pixels as Pillow's with fewer copies. None where the file is of another kind, or
    broken: Pillow judges, and libpng would write about it to our log."""
    plain = data[24:29] in (b"\x08\x00\0\0\0", b"\x08\x02\0\0\0") and "transparency" not in image.info
    if not plain or not is_intact(data):
        return None
    kind = cv2.IMREAD_COLOR_RGB if image.mode == "RGB" else cv2.IMREAD_GRAYSCALE
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), kind | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if pixels is None else pixels.astype(np.uint8, copy=False)


def _planes(data: bytes, image: Image.Image) -> tuple[Pixels, Pixels | None]:
    """Colour, H×W (grey) or H×W×3|4 (RGB, CMYK), and alpha, H×W, where the picture has any."""
    image.load()
    key = image.info.get("transparency")
    if image.mode == "P":
        image = image.convert("RGB" if key is None else "RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    values = np.array(image)
    if image.mode in ("LA", "RGBA"):
        return np.ascontiguousarray(values[..., :-1]), np.ascontiguousarray(values[..., -1])
    depth = data[24] if image.format == "PNG" else 8
    if image.mode == "I;16":
        opaque = None if key is None else values != key
        values = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    elif image.mode == "L" and isinstance(key, int):
        # PNG gives the transparent grey in the file's own depth; Pillow scales pixels of 2 and 4 bits, not the key.
        opaque = values != (key * (255 // (2**depth - 1)) if depth in (2, 4) else key)
    elif image.mode == "RGB" and isinstance(key, tuple):
        # Of 16-bit colour Pillow keeps the high byte: the key is compared by that.
        opaque = (values != np.array([part >> max(depth - 8, 0) for part in key])).any(axis=2)
    else:
        opaque = None
    return values, None if opaque is None else np.where(opaque, 255, 0).astype(np.uint8)


def _encode_webp(pixels: Pixels) -> bytes:
    out = io.BytesIO()
    try:
        # exact keeps the colour under transparent pixels, so that lossless means every bit.
        Image.fromarray(pixels).save(out, "WEBP", lossless=True, quality=20, method=0, exact=True)
    except ValueError as error:
        size = f"{pixels.shape[1]}x{pixels.shape[0]}"
        raise BadRequest(f"WebP cannot hold {size}; at most 16,383 a side.", path="output_format") from error
    return out.getvalue()
