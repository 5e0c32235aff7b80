"""What a picture says of itself before a pixel is decoded. Pure Python, light, linear in the file's segments.

PNG (W3C PNG 3rd ed.), JPEG (ITU T.81, JFIF, Exif 2.3), WebP (RFC 9649) and GIF (89a) by their first bytes; labels and
file names are never believed. Everything else is a BadImage that names what it saw.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final, Literal

from tollbrush.domain.edits import Size
from tollbrush.errors import BadImage
from tollbrush.imaging.foreign import name_of

Format = Literal["png", "jpeg", "webp", "gif"]

MAX_SIDE: Final = 32_767
"""Longest side; OpenCV's kernels count in 16 bits."""
MAX_SCANS: Final = 50
"""A JPEG's scans; each costs a pass over all pixels. Encoders write about ten, a hostile file thousands."""
_MAX_CHUNKS: Final = 100_000


@dataclass(frozen=True)
class Header:
    """`width` and `height` as stored; `orientation` is Exif's, 1 to 8."""

    format: Format
    width: int
    height: int
    orientation: int = 1

    @property
    def mime_type(self) -> str:
        return f"image/{self.format}"

    @property
    def orientation_swaps(self) -> bool:
        return self.orientation >= 5

    @property
    def upright(self) -> Size:
        """The size as seen, Exif orientation applied."""
        return Size(self.height, self.width) if self.orientation_swaps else Size(self.width, self.height)


def sniff(data: bytes, *, max_pixels: int, path: str = "image") -> Header:
    """The header of a still picture within the limits. `path` names the field in errors. Raises BadImage."""
    try:
        header = _read(data)
    except (IndexError, struct.error) as error:
        raise BadImage(f"{path} is cut short: its header ends after {len(data):,} bytes.", path=path) from error
    except _Wrong as wrong:
        raise BadImage(f"{path} {wrong}.", path=path) from wrong
    width, height = header.width, header.height
    if not width or not height:
        raise BadImage(f"{path} measures {width}x{height}.", path=path)
    if width * height > max_pixels:
        message = f"{path} measures {width}x{height}, {width * height:,} pixels; at most {max_pixels:,}."
        raise BadImage(message, path=path, advice="Scale it down.")
    if max(width, height) > MAX_SIDE:
        message = f"{path} measures {width}x{height}; at most {MAX_SIDE:,} a side."
        raise BadImage(message, path=path, advice="Scale it down.")
    return header


class _Wrong(Exception):
    """What is wrong with the picture, as the predicate of a sentence."""


_ANIMATED: Final = "is animated; send one still picture"


def _read(data: bytes) -> Header:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _gif(data)
    raise _Wrong(f"is {name_of(data)}, not a PNG, JPEG, WebP or GIF")


def _png(data: bytes) -> Header:
    if data[12:16] != b"IHDR":
        raise _Wrong("is a PNG without a header chunk")
    width, height = struct.unpack_from(">II", data, 16)
    orientation, at = 1, 8
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            return Header("png", width, height, orientation)
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"acTL" and length >= 4 and struct.unpack_from(">I", data, at + 8)[0] > 1:
            raise _Wrong(_ANIMATED)
        if kind == b"eXIf":
            orientation = _orientation(data[at + 8 : at + 8 + length])
        at += 12 + length
    raise _Wrong(f"is a PNG of more than {_MAX_CHUNKS:,} chunks")


_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def _jpeg(data: bytes) -> Header:
    """Walks the segments up to the scans; where a decoder would make several passes, counts those too."""
    frame: tuple[int, int] | None = None
    orientation, progressive, components, scans, at = 0, False, 0, 0, 2
    for _ in range(_MAX_CHUNKS):
        found = _NEXT_MARKER.search(data, at)
        if found is None or data[found.end() - 1] == 0xD9:
            break
        marker, at = data[found.end() - 1], found.end()
        (length,) = struct.unpack_from(">H", data, at)
        if marker in _FRAMES:
            if frame is not None:
                raise _Wrong("is a JPEG with two frames")
            precision, height, width, components = struct.unpack_from(">BHHB", data, at + 2)
            if precision != 8:
                raise _Wrong(f"is a JPEG of {precision} bits a channel; send 8")
            frame, progressive = (width, height), marker in _PROGRESSIVE
        elif marker == 0xE1 and data.startswith(b"Exif\0\0", at + 2) and not orientation:
            orientation = _orientation(data[at + 2 : at + length])
        elif marker == 0xDA:
            scans += 1
            if scans > MAX_SCANS:
                raise _Wrong(f"is a JPEG of more than {MAX_SCANS} scans")
            if not progressive and data[at + 2] == components:
                break  # one pass holds everything
        at += max(length, 2)
    else:
        raise _Wrong(f"is a JPEG of more than {_MAX_CHUNKS:,} segments")
    if frame is None:
        raise _Wrong("is a JPEG without a frame")
    return Header("jpeg", *frame, orientation or 1)


def _webp(data: bytes) -> Header:
    size: tuple[int, int] | None = None
    orientation, frames, at = 1, 0, 12
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, at)
        body = at + 8
        if kind == b"VP8X":
            size = (1 + _u24(data, body + 4), 1 + _u24(data, body + 7))
        elif kind == b"VP8 " and size is None:
            width, height = struct.unpack_from("<HH", data, body + 6)
            size = (width & 0x3FFF, height & 0x3FFF)
        elif kind == b"VP8L" and size is None:
            (bits,) = struct.unpack_from("<I", data, body + 1)
            size = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        elif kind == b"EXIF":
            orientation = _orientation(data[body : body + length])
        elif kind == b"ANMF":
            frames += 1
            if frames > 1:
                raise _Wrong(_ANIMATED)
        at = body + length + (length & 1)
    else:
        raise _Wrong(f"is a WebP of more than {_MAX_CHUNKS:,} chunks")
    if size is None:
        raise _Wrong("is a WebP without a picture")
    return Header("webp", *size, orientation)


def _u24(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16


def _gif(data: bytes) -> Header:
    """A frame may reach beyond the screen, and decoders grow the picture to it: the larger of both counts."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + _colours(flags)
    frames = steps = 0
    while steps < _MAX_CHUNKS and at < len(data) and data[at] in (0x21, 0x2C):
        if data[at] == 0x2C:
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", data, at + 1)
            frames += 1
            if frames > 1:
                raise _Wrong(_ANIMATED)
            width, height = max(width, left + wide), max(height, top + high)
            at += 11 + _colours(flags)
        else:
            at += 2
        while at < len(data) and data[at] and steps < _MAX_CHUNKS:
            at += 1 + data[at]
            steps += 1
        at += 1
        steps += 1
    if steps >= _MAX_CHUNKS:
        raise _Wrong(f"is a GIF of more than {_MAX_CHUNKS:,} blocks")
    if not frames:
        raise _Wrong("is a GIF without a picture")
    return Header("gif", width, height)


def _colours(flags: int) -> int:
    """Bytes of the colour table that `flags` announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _orientation(exif: bytes) -> int:
    """Tag 0x0112 of IFD0; 1 where the block is garbage, as browsers do."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (ifd,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, ifd)
        for at in range(ifd + 2, min(ifd + 2 + 12 * count, len(tiff) - 11), 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, at)
            if tag == 0x0112:
                return value if kind == 3 and 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
