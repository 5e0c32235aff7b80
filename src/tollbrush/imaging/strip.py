"""A picture's file without anything but its pixels: no place, no author, no thumbnail, nothing after its end.

What is already upright 8-bit sRGB need not be decoded and encoded to travel on. PNG (W3C PNG 3rd ed.), JPEG (ITU T.81,
JFIF 1.02) and WebP (RFC 9649), by their parts; anything out of the ordinary is left to a decoder to judge.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import Final

from tollbrush.domain.edits import OutputFormat, Size
from tollbrush.imaging.bare import Bare
from tollbrush.imaging.colour import is_srgb
from tollbrush.imaging.header import Header, sniff
from tollbrush.imaging.png import checks, chunks

_MAX_PROFILE: Final = 2**20
_SCAN_END: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def strip(data: bytes, header: Header) -> Bare | None:
    """The same picture, whole as far as its structure tells, without its metadata; the very same bytes where it had
    none. None where it has to be decoded: turned, in other colours, of another depth, broken, or of a strange make."""
    reader = {"png": _png, "jpeg": _jpeg, "webp": _webp}.get(header.format)
    if reader is None or header.orientation != 1:
        return None
    try:
        return reader(data, header)
    except (IndexError, struct.error, zlib.error):
        return None


def as_wanted(data: bytes, fmt: OutputFormat | None, size: Size, *, max_pixels: int) -> Bare | None:
    """The same for a picture that is to have this format and size; None where it has others. Raises BadImage."""
    header = sniff(data, max_pixels=max_pixels)
    return strip(data, header) if (header.format, header.upright) == (fmt, size) else None


def _png(data: bytes, header: Header) -> Bare | None:
    """8-bit RGB and RGBA, every checksum right."""
    kept, seen = [(0, 8)], set[bytes]()
    for kind, start, end in chunks(data):
        if kind == b"iCCP":
            if kind in seen or not _is_srgb_png(data[start + 8 : end - 4]):
                return None
        elif kind == b"tRNS" or (kind[0] < 0x60 and kind not in (b"IHDR", b"PLTE", b"IDAT", b"IEND")):
            return None
        elif kind in (b"IHDR", b"IDAT", b"IEND"):
            if not checks(data, start, end) or (kind == b"IEND" and end - start > 12):
                return None
            kept.append((start, end))
        seen.add(kind)
    depth, colours = data[24], data[25]
    if depth != 8 or colours not in (2, 6) or not {b"IHDR", b"IDAT", b"IEND"} <= seen:
        return None
    return Bare(_joined(data, kept), "png", header.upright, colours == 6)


def _is_srgb_png(body: bytes) -> bool:
    """Of an iCCP chunk: a name, a method, a deflated profile."""
    inflate = zlib.decompressobj()
    profile = inflate.decompress(body.partition(b"\0")[2][1:], _MAX_PROFILE)
    return inflate.eof and is_srgb(profile)


def _jpeg(data: bytes, header: Header) -> Bare | None:
    """Huffman-coded with three channels, up to its end marker. Of the application segments JFIF and Adobe stay: they
    say what the channels are."""
    kept, profile, at = [(0, 2)], dict[int, bytes](), 2
    framed = scanned = False
    while True:
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xD9:
            kept.append((at, at + 2))
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        body = data[at + 4 : min(end, at + 4 + _MAX_PROFILE)]
        if marker in (0xC0, 0xC1, 0xC2):
            framed = body[5] == 3
            if not framed:
                return None
        elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
            profile[body[12]] = body[14:]
        elif marker == 0xDA:
            scanned = framed
            found = _SCAN_END.search(data, end)
            if found is None:
                return None
            end = found.start()
        elif marker not in (0xC4, 0xDB, 0xDD, 0xFE) and not 0xE0 <= marker <= 0xEF:
            return None
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE) or _names_channels(marker, body):
            kept.append((at, end))
        at = end
    if not scanned or (profile and not is_srgb(b"".join(profile[i] for i in sorted(profile)))):
        return None
    return Bare(_joined(data, kept), "jpeg", header.upright, alpha=False)


def _names_channels(marker: int, body: bytes) -> bool:
    """JFIF without a thumbnail, or Adobe's flag: both of a fixed length, with no room for more."""
    return (marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) == 14) or (
        marker == 0xEE and body.startswith(b"Adobe") and len(body) == 12
    )


def _webp(data: bytes, header: Header) -> Bare | None:
    """One frame, in the extended format only where alpha stands apart from it."""
    end, at = 8 + int.from_bytes(data[4:8], "little"), 12
    parts: dict[bytes, tuple[int, int]] = {}
    while at < end:
        kind, length = struct.unpack_from("<4sI", data, at)
        past = at + 8 + length + (length & 1)
        if past > min(end, len(data)) or kind in parts or kind in (b"ANIM", b"ANMF"):
            return None
        parts[kind] = (at, past)
        at = past
    if b"ICCP" in parts:
        start, past = parts[b"ICCP"]
        (length,) = struct.unpack_from("<I", data, start + 4)
        if not is_srgb(data[start + 8 : start + 8 + length]):
            return None
    frames = [kind for kind in (b"VP8 ", b"VP8L") if kind in parts]
    if len(frames) != 1 or (b"ALPH" in parts and frames != [b"VP8 "]):
        return None
    body = parts[frames[0]][0] + 8
    size, alpha = _lossy(data, body) if frames == [b"VP8 "] else _lossless(data, body)
    if size != header.upright:
        return None
    alpha = alpha or b"ALPH" in parts
    canvas = b""
    if b"ALPH" in parts:
        sides = (size.width - 1).to_bytes(3, "little") + (size.height - 1).to_bytes(3, "little")
        canvas = struct.pack("<4sII", b"VP8X", 10, 0x10) + sides
    pictures = [data[slice(*parts[kind])] for kind in (b"ALPH", frames[0]) if kind in parts]
    content = b"".join((b"WEBP", canvas, *pictures))
    made = struct.pack("<4sI", b"RIFF", len(content)) + content
    return Bare(data if made == data else made, "webp", size, alpha)


def _lossy(data: bytes, body: int) -> tuple[Size | None, bool]:
    if data[body + 3 : body + 6] != b"\x9d\x01\x2a":
        return None, False
    width, height = struct.unpack_from("<HH", data, body + 6)
    return Size(width & 0x3FFF, height & 0x3FFF), False


def _lossless(data: bytes, body: int) -> tuple[Size | None, bool]:
    if data[body] != 0x2F:
        return None, False
    (bits,) = struct.unpack_from("<I", data, body + 1)
    return Size(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)), bool(bits >> 28 & 1)


def _joined(data: bytes, kept: list[tuple[int, int]]) -> bytes:
    """These ranges, in order; the same object where they are everything."""
    runs: list[tuple[int, int]] = []
    for start, end in kept:
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    if runs == [(0, len(data))]:
        return data
    view = memoryview(data)
    return b"".join(view[start:end] for start, end in runs)
