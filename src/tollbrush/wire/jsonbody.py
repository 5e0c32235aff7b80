"""JSON bodies that carry megabytes of base64: strict, and quick.

Skeleton parse: long strings are cut out by searching for quotes and decoded alone; the small rest goes through the
standard library's parser, whose hooks see what faster parsers hide: duplicate keys, NaN, endless digits. A bare
`NaN` stands where a long string was, so a NaN of the caller's own makes the counts differ and is refused too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import msgspec

from tollbrush.errors import BadRequest
from tollbrush.wire.nesting import is_too_deep

_LONG: Final = 4096
_MAX_QUOTES: Final = 100_000
_MAX_SKELETON: Final = 2**20
_MAX_DIGITS: Final = 20
_ADVICE: Final = "Send one JSON object."


def parse(body: bytes) -> dict[str, Any]:
    """One JSON object. On a syntax error raw CR and LF are deleted and the body parsed once more: `base64` on Linux
    wraps its lines, and a shell pastes them into the string. Raises BadRequest."""
    try:
        return _parse(body)
    except _SyntaxFault as fault:
        unwrapped = body.translate(None, b"\r\n")
        if len(unwrapped) == len(body):
            raise _refused(fault) from fault
    try:
        return _parse(unwrapped)
    except _SyntaxFault as fault:
        raise _refused(fault) from fault


class _SyntaxFault(Exception):
    """Not JSON; line breaks may be why."""


def _refused(fault: _SyntaxFault) -> BadRequest:
    return BadRequest(f"The body is not JSON: {fault}.", advice=_ADVICE)


def _parse(body: bytes) -> dict[str, Any]:
    skeleton, longs = _cut(body.removeprefix(b"\xef\xbb\xbf"))
    if is_too_deep(skeleton):
        raise BadRequest("The JSON is nested too deeply.", advice=_ADVICE)
    waiting = iter(longs)
    try:
        value = json.loads(
            skeleton.decode(),
            object_pairs_hook=_object,
            parse_constant=lambda name: _constant(name, waiting),
            parse_int=_int,
            parse_float=_float,
        )
    except json.JSONDecodeError as error:
        raise _SyntaxFault(error.msg[0].lower() + error.msg[1:]) from error
    except UnicodeDecodeError as error:
        raise _SyntaxFault("it is not UTF-8") from error
    if next(waiting, None) is not None:
        raise BadRequest("NaN is not JSON.", advice=_ADVICE)
    if not isinstance(value, dict):
        raise BadRequest(f"The body is a JSON {_kind(value)}, not an object.", advice=_ADVICE)
    return value


def _cut(body: bytes) -> tuple[bytes, list[str]]:
    """The body with each long string replaced by NaN, and those strings in order."""
    pieces: list[bytes] = []
    longs: list[str] = []
    kept, at, quotes = 0, body.find(b'"'), 0
    while at >= 0:
        end = body.find(b'"', at + 1)
        while end >= 0 and _escaped(body, end) and quotes <= _MAX_QUOTES:
            end = body.find(b'"', end + 1)
            quotes += 1
        if end < 0:
            break  # unterminated: the parser says so
        quotes += 1
        if quotes > _MAX_QUOTES:
            raise BadRequest(f"The JSON holds more than {_MAX_QUOTES:,} quotes.", advice=_ADVICE)
        if end - at > _LONG:
            longs.append(_string(body, at, end + 1))
            pieces += body[kept:at], b"NaN"
            kept = end + 1
        at = body.find(b'"', end + 1)
    pieces.append(body[kept:])
    skeleton = b"".join(pieces)
    if len(skeleton) > _MAX_SKELETON:
        raise BadRequest("The JSON around the pictures is over 1 MB.", advice=_ADVICE)
    return skeleton, longs


def _escaped(body: bytes, quote: int) -> bool:
    at = quote - 1
    while body[at] == 0x5C:
        at -= 1
    return (quote - 1 - at) % 2 == 1


def _string(body: bytes, start: int, end: int) -> str:
    """The long JSON string body[start:end], quotes included. Only escapes (`\\/`) make a real parser needed."""
    view = memoryview(body)
    try:
        if body.find(b"\\", start, end) >= 0:
            return msgspec.json.decode(view[start:end], type=str)
        if body.find(b"\n", start, end) >= 0 or body.find(b"\r", start, end) >= 0:
            raise _SyntaxFault("a string holds a raw line break")
        return str(view[start + 1 : end - 1], "utf-8")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _SyntaxFault("a string is malformed") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        _no_surrogates(key)
        if key in found:
            raise BadRequest(f"{key[:40]!r} is given twice.", path=key[:40])
        _check_strings(value)
        found[key] = value
    return found


def _check_strings(value: Any) -> None:
    if isinstance(value, str):
        _no_surrogates(value)
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)


def _no_surrogates(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadRequest("A string holds half a character (a lone surrogate).", advice=_ADVICE) from error


def _constant(name: str, waiting: Iterator[str]) -> str:
    text = next(waiting, None) if name == "NaN" else None
    if text is None:
        raise BadRequest(f"{name} is not JSON.", advice=_ADVICE)
    return text


def _int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        _endless(digits)
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits) if len(digits) <= 2 * _MAX_DIGITS else _endless(digits)
    return value if math.isfinite(value) else _endless(digits)


def _endless(digits: str) -> NoReturn:
    raise BadRequest(f"The number {digits[:12]}… is out of range.", advice="Use a number of fewer digits.")


def _kind(value: object) -> str:
    return {list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")
