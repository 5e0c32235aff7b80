"""Names for bytes that are no picture we edit, so that a refusal says what came. Never used to decode."""

from __future__ import annotations

import codecs
from typing import Final

_MAGIC: Final = (
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"%PDF", "a PDF"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"BM", "a BMP"),
    (b"\0\0\1\0", "an icon (ICO)"),
    (b"8BPS", "a Photoshop file"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"PK\3\4", "a ZIP archive"),
)


def name_of(data: bytes) -> str:
    """What bytes that are none of ours look like, in words."""
    if not data:
        return "empty"
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[4:8] == b"ftyp":
        return "an AVIF" if data[8:12] in (b"avif", b"avis") else "a HEIC or video file"
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml")) or b"<svg" in start:
        return "an SVG or XML document"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data[:512])  # the cut may split a character
    except UnicodeDecodeError:
        return "in an unknown format"
    return "text" if all(c.isprintable() or c.isspace() for c in text) else "in an unknown format"
