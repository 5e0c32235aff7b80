"""Data URIs (RFC 2397), as forgiving as callers need and no more.

Accepted: scheme and `base64` in any case, no media type or one with parameters, the standard or the URL-safe
alphabet, white space anywhere in the data, missing padding, percent-encoding. Everything else is a BadImage.
The media type is never believed: the bytes decide the format.
"""

from __future__ import annotations

import re
import string
from typing import Final
from urllib.parse import unquote_to_bytes

import pybase64

from tollbrush.errors import BadImage

ADVICE: Final = "Send data:image/png;base64,… with the picture's own bytes."
_MAX_PREFIX: Final = 512
_HEAD: Final = re.compile(
    r"\s*data:\s*(?:[\w!#$&^.+-]+/[\w!#$&^.+-]+)?\s*(?:;\s*[\w!#$&^.+-]+=[^;,]*)*;\s*base64\s*",
    re.ASCII | re.IGNORECASE,
)
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_WHITE: Final = b" \t\r\n\f\v"
_ALPHABET: Final = (string.ascii_letters + string.digits + "+/").encode()


def decode(text: str, *, path: str, max_bytes: int) -> bytes:
    """The bytes of a data URI. `path` names the field in errors. Raises BadImage, also above `max_bytes`."""
    comma = text.find(",", 0, _MAX_PREFIX)
    head = text[: comma if comma >= 0 else 40]
    if comma < 0 or not _HEAD.fullmatch(head):
        raise BadImage(f"{path} is not a base64 data URI: it begins {head[:40]!a}.", path=path, advice=ADVICE)
    # Percent-encoding triples a character and white space adds to it; ten times is nobody's honest encoding.
    if len(text) - comma > 10 * max_bytes + 64:
        raise _too_large(path, max_bytes)
    try:
        data = pybase64.b64decode(text[comma + 1 :], validate=True)
    except ValueError:
        data = _forgiving(text[comma + 1 :], path)
    if not data:
        raise BadImage(f"{path} is an empty data URI.", path=path, advice=ADVICE)
    if len(data) > max_bytes:
        raise _too_large(path, max_bytes)
    return data


def encode(data: bytes, mime: str) -> str:
    """`data:<mime>;base64,…`"""
    return f"data:{mime};base64,{pybase64.b64encode_as_string(data)}"


def _forgiving(payload: str, path: str) -> bytes:
    """Decode what is not plain base64: percent-encoded, wrapped, URL-safe or unpadded."""
    raw = unquote_to_bytes(payload) if "%" in payload else payload.encode("utf-8", "surrogatepass")
    raw = raw.translate(_URL_SAFE, _WHITE)
    body = raw.rstrip(b"=")
    strange = body.translate(None, _ALPHABET)[:1]
    if strange:
        where = f"character {strange.decode('latin-1')!a} at position {body.index(strange):,} of its data"
        raise BadImage(f"{path} is not base64: {where}.", path=path, advice=ADVICE)
    if len(raw) - len(body) > 2 or len(body) % 4 == 1:
        raise BadImage(f"{path} is cut short: its base64 has {len(raw):,} characters.", path=path, advice=ADVICE)
    return pybase64.b64decode(body + b"=" * (-len(body) % 4))


def _too_large(path: str, max_bytes: int) -> BadImage:
    limit = f"{max_bytes / 2**20:g} MB"
    return BadImage(f"{path} is larger than {limit}.", path=path, advice="Scale or compress it.")
