"""What Gemini answers, as pixels or as an error of ours: the only table between the two."""

from __future__ import annotations

import binascii
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pybase64

from tollbrush.errors import BadImage, ContentRefused, EditTimeout, RateLimited, TollbrushError, UpstreamFailed
from tollbrush.imaging.bare import Bare
from tollbrush.imaging.codec import decode
from tollbrush.imaging.strip import as_wanted
from tollbrush.wire.nesting import is_too_deep

if TYPE_CHECKING:
    from tollbrush.domain.edits import OutputFormat, Size
    from tollbrush.engines.interface import Pixels
    from tollbrush.imaging.bare import Bare

_MAX_PIXELS: Final = 40_000_000
_REFUSALS: Final = frozenset(
    {"SAFETY", "IMAGE_SAFETY", "PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT", "BLOCKLIST", "SPII"}
)
_DEFAULT_WAIT: Final = 20
_MAX_ERROR: Final = 65_536
"""Bytes of an error that are looked at: it is read on the event loop."""
_WORD: Final = re.compile(r"[A-Z][A-Z_]{1,58}")
_DURATION: Final = re.compile(r"(\d{1,6})(\.\d{1,9})?s", re.ASCII)


class _Blob(msgspec.Struct, rename="camel"):
    mime_type: str = ""
    data: str = ""


class _Part(msgspec.Struct, rename="camel"):
    inline_data: _Blob | None = None
    thought: bool = False


class _Content(msgspec.Struct):
    parts: list[_Part] = []


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str = ""


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str = ""


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0
    total_token_count: int = 0


class _Answer(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] = []
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Usage | None = None


def read(
    body: bytes, takes: OutputFormat | None = None, size: Size | None = None
) -> tuple[Pixels | Bare, dict[str, int]]:
    """The picture and the token usage of a 200; a file where it is what may come back so. Raises ContentRefused where
    Google's policy kept the picture back, UpstreamFailed where there is none for another reason."""
    if is_too_deep(body):
        raise UpstreamFailed("Google's answer is nested too deeply.")
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise UpstreamFailed(f"Google's answer could not be read ({type(broken).__name__}).") from broken
    blob = _picture(answer)
    try:
        data = pybase64.b64decode(blob.data, validate=True)
        whole = None if size is None else as_wanted(data, takes, size, max_pixels=_MAX_PIXELS)
        content = whole or decode(data, max_pixels=_MAX_PIXELS)
    except (binascii.Error, ValueError, BadImage) as broken:
        raise UpstreamFailed(f"Google's picture could not be read ({type(broken).__name__}).") from broken
    return content, _usage(answer.usage_metadata)


def failure(status: int, headers: Mapping[str, str], body: bytes) -> TollbrushError:
    """What a status other than 200 means for our caller. Google's words stay out of it: they may quote keys."""
    error = _error(body)
    code, reasons = _word(error.get("status")), _reasons(error)
    if status == 429:
        wait = _wait(headers, error)
        return RateLimited("Google's rate limit is reached.", retry_after=wait, source="upstream",
                           advice=f"Nothing was charged. Wait {wait} s.")  # fmt: skip
    if refuses_key(status, body):
        return UpstreamFailed(f"Google refused this gateway's key (HTTP {status}).")
    if status == 404:
        return UpstreamFailed("Google does not know the model or the address asked (HTTP 404).")
    if status in (408, 504):
        return EditTimeout(f"Google ran out of time (HTTP {status}).")
    said = ", ".join(word for word in (code, *reasons) if word)
    return UpstreamFailed(f"Google answered HTTP {status}{f' ({said})' if said else ''}.")


def refuses_key(status: int, body: bytes) -> bool:
    """Whether the operator must act: the key is wrong, blocked, or may not use the model. A wrong key is a 400."""
    return status in (401, 403) or (status == 400 and "API_KEY_INVALID" in _reasons(_error(body)))


def _picture(answer: _Answer) -> _Blob:
    """The last picture that is an answer: a thinking model's drafts are marked as thoughts."""
    if answer.prompt_feedback is not None and (reason := answer.prompt_feedback.block_reason):
        raise _none(reason)
    if not answer.candidates:
        raise _none("")
    candidate = answer.candidates[0]
    if candidate.finish_reason in _REFUSALS:
        raise _none(candidate.finish_reason)
    parts = candidate.content.parts if candidate.content is not None else []
    blobs = [part.inline_data for part in parts if part.inline_data is not None and not part.thought]
    if not blobs:
        raise _none(candidate.finish_reason)
    return blobs[-1]


def _none(reason: str) -> TollbrushError:
    if reason in _REFUSALS:
        return ContentRefused("the model's content policy refused this edit.")
    said = _word(reason)
    return UpstreamFailed(f"Google answered without a picture{f' ({said})' if said else ''}.")


def _usage(usage: _Usage | None) -> dict[str, int]:
    if usage is None:
        return {}
    return {
        "input_tokens": usage.prompt_token_count,
        "output_tokens": usage.candidates_token_count + usage.thoughts_token_count,
        "total_tokens": usage.total_token_count,
    }


def _error(body: bytes) -> dict[str, Any]:
    """google.rpc.Status as JSON; empty where the body is something else."""
    if len(body) > _MAX_ERROR or is_too_deep(body):
        return {}
    try:
        error = msgspec.json.decode(body)["error"]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _details(error: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    details = error.get("details")
    rows = details if isinstance(details, list) else []
    return [
        row for row in rows if isinstance(row, dict) and row.get("@type") == f"type.googleapis.com/google.rpc.{kind}"
    ]


def _reasons(error: dict[str, Any]) -> list[str]:
    return [_word(row.get("reason")) for row in _details(error, "ErrorInfo")]


def _word(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def _wait(headers: Mapping[str, str], error: dict[str, Any]) -> int:
    """Seconds: `Retry-After`, else google.rpc.RetryInfo's delay (`"37.4s"`)."""
    value = headers.get("retry-after", "")
    if value.isascii() and value.isdigit() and len(value) < 6:
        return max(1, min(600, int(value)))
    delays = [_DURATION.fullmatch(str(row.get("retryDelay"))) for row in _details(error, "RetryInfo")]
    seconds = [math.ceil(float(found[0][:-1])) for found in delays if found]
    return max(1, min(600, max(seconds))) if seconds else _DEFAULT_WAIT
