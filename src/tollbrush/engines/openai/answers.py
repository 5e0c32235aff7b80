"""What OpenAI answers, as pixels or as an error of ours: the only table between the two."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pybase64

from tollbrush.errors import BadImage, ContentRefused, RateLimited, TollbrushError, UpstreamFailed
from tollbrush.imaging.codec import decode
from tollbrush.wire.nesting import is_too_deep

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

_MAX_PIXELS: Final = 40_000_000
_POLICY: Final = frozenset({"moderation_blocked", "content_policy_violation"})
_DEFAULT_WAIT: Final = 20


def read(body: bytes, n: int) -> tuple[list[Pixels], dict[str, int]]:
    """The pictures and the token usage of a 200. Raises UpstreamFailed on anything else than `n` whole pictures."""
    if is_too_deep(body):
        raise UpstreamFailed("OpenAI's answer is nested too deeply.")
    try:
        answer = msgspec.json.decode(body)
        rows = answer["data"]
        pictures = [decode(pybase64.b64decode(row["b64_json"], validate=True), max_pixels=_MAX_PIXELS) for row in rows]
    except (msgspec.DecodeError, KeyError, TypeError, binascii.Error, ValueError, BadImage) as broken:
        raise UpstreamFailed(f"OpenAI's answer could not be read ({type(broken).__name__}).") from broken
    if len(pictures) != n:
        raise UpstreamFailed(f"OpenAI answered {len(pictures)} pictures instead of {n}.")
    usage = answer.get("usage")
    return pictures, {k: v for k, v in usage.items() if isinstance(v, int)} if isinstance(usage, dict) else {}


def failure(status: int, headers: Mapping[str, str], body: bytes) -> TollbrushError:
    """What a status other than 200 means for our caller. Upstream's words stay out of it: they may quote keys."""
    code = _code(body)
    if code in _POLICY:
        return ContentRefused("the model's content policy refused this edit.")
    if code == "insufficient_quota":
        return UpstreamFailed("This gateway's account at OpenAI is out of quota.")
    if status == 429:
        wait = _wait(headers)
        return RateLimited("OpenAI's rate limit is reached.", retry_after=wait, source="upstream",
                           advice=f"Nothing was charged. Wait {wait} s.")  # fmt: skip
    if status in (401, 403):
        return UpstreamFailed(f"OpenAI refused this gateway's key (HTTP {status}).")
    return UpstreamFailed(f"OpenAI answered HTTP {status}{f' ({code})' if code else ''}.")


def _code(body: bytes) -> str:
    if is_too_deep(body):
        return ""
    try:
        error: Any = msgspec.json.decode(body)["error"]
        code = error.get("code") or error.get("type") or ""
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return ""
    return code if isinstance(code, str) and code.replace("_", "").isalnum() and len(code) < 60 else ""


def _wait(headers: Mapping[str, str]) -> int:
    value = headers.get("retry-after", "")
    return max(1, min(600, int(value))) if value.isascii() and value.isdigit() and len(value) < 6 else _DEFAULT_WAIT
