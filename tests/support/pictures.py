"""Small pictures for tests, encoded."""

from __future__ import annotations

import base64
import io
import struct
import zlib

from PIL import Image, ImageDraw


def photo(width: int = 256, height: int = 256, fmt: str = "PNG") -> bytes:
    """A colourful gradient with a disc in the middle."""
    image = Image.linear_gradient("L").resize((width, height))
    rgb = Image.merge("RGB", (image, image.rotate(90).resize((width, height)), image.rotate(180)))
    ImageDraw.Draw(rgb).ellipse((width // 3, height // 3, 2 * width // 3, 2 * height // 3), fill=(200, 60, 40))
    return encode(rgb, fmt)


def half_mask(width: int = 256, height: int = 256) -> bytes:
    """White (edit) on the left half."""
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (0, 0, width // 2, height))
    return encode(mask)


def flat(width: int, height: int, colour: int | tuple[int, int, int] = 0) -> bytes:
    return encode(Image.new("L" if isinstance(colour, int) else "RGB", (width, height), colour))


def encode(image: Image.Image, fmt: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, fmt)
    return out.getvalue()


def data_uri(data: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares its size and holds a few bytes: a bomb by its header."""
    ihdr = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", ihdr)
        + _chunk(b"IDAT", zlib.compress(b"\0" * 4096))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
