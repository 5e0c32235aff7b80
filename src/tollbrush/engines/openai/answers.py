"""What an upstream answers, as pixels or as trouble: the only table between the two."""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pybase64

from tollbrush.errors import BadImage, ContentRefused, RateLimited, TollbrushError, UpstreamFailed
from tollbrush.imaging.bare import Bare
from tollbrush.imaging.codec import decode
from tollbrush.imaging.strip import as_wanted
from tollbrush.wire.nesting import is_too_deep

if TYPE_CHECKING:
    from tollbrush.domain.edits import OutputFormat, Size
    from tollbrush.engines.interface import Pixels
    from tollbrush.imaging.bare import Bare

_MAX_PIXELS: Final = 40_000_000
_POLICY: Final = frozenset({"moderation_blocked", "content_policy_violation"})
_DEFAULT_WAIT: Final = 20


class Trouble(Exception):
    """One request to one upstream came to nothing. `error` is what our caller hears. `spent`: it may have been worked
    on, so nobody is asked again. `wait`: seconds after which this upstream will take it; None: it never said.
    `alarm`: what the operator must see to."""

    def __init__(
        self, error: TollbrushError, *, spent: bool = True, wait: int | None = None, alarm: str | None = None
    ) -> None:
        super().__init__(error.message)
        self.error, self.spent, self.wait, self.alarm = error, spent, wait, alarm


class Sick(Trouble):
    """The upstream's own failure: after some of them it is left alone for a while."""


@dataclass(frozen=True)
class Picture:
    """As it came: base64."""

    b64: str
    revised_prompt: str = ""


@dataclass(frozen=True)
class Answer:
    pictures: Sequence[Picture]
    usage: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Partial:
    """An unfinished picture, the `number`-th (from 0) on the way."""

    b64: str
    number: int


def read(body: bytes, n: int) -> Answer:
    """A 200 in JSON. Raises Sick on anything else than `n` pictures."""
    answer = _parse(body)
    try:
        pictures = [_picture(row) for row in answer["data"]]
    except (KeyError, TypeError) as broken:
        raise _unreadable(type(broken).__name__) from broken
    if len(pictures) != n:
        raise Sick(UpstreamFailed(f"The upstream answered {len(pictures)} pictures instead of {n}."))
    return Answer(pictures, _usage(answer))


def read_event(data: bytes) -> Answer | Partial | None:
    """One event of a stream; None for one that says nothing to us. Raises Trouble when it tells of a failure."""
    event = _parse(data)
    kind = event.get("type") if isinstance(event, dict) else None
    try:
        if kind == "image_edit.partial_image":
            return Partial(_text(event["b64_json"]), int(event.get("partial_image_index") or 0))
        if kind == "image_edit.completed":
            return Answer([_picture(event)], _usage(event))
    except (KeyError, TypeError, ValueError) as broken:
        raise _unreadable(type(broken).__name__) from broken
    if kind == "error" or (isinstance(event, dict) and "error" in event):
        code = _code_of(event.get("error", event))
        if code in _POLICY:
            raise Trouble(ContentRefused("the model's content policy refused this edit."))
        raise Sick(UpstreamFailed(f"The upstream broke its stream off{f' ({code})' if code else ''}."))
    return None


def content(picture: Picture, takes: OutputFormat | None, ready: Size | None) -> Pixels | Bare:
    """Pixels, or the file where it is in the format that is taken and of a size that is ready to be delivered. Heavy:
    belongs in a thread. Raises Sick."""
    try:
        data = pybase64.b64decode(picture.b64, validate=True)
        whole = None if ready is None else as_wanted(data, takes, ready, max_pixels=_MAX_PIXELS)
        return whole or decode(data, max_pixels=_MAX_PIXELS)
    except (binascii.Error, ValueError, BadImage) as broken:
        raise _unreadable(type(broken).__name__) from broken


def failure(status: int, headers: Mapping[str, str], body: bytes) -> Trouble:
    """What a status other than 200 means. The upstream's words stay out of it: they may quote keys."""
    code = _code(body)
    if code in _POLICY:
        return Trouble(ContentRefused("the model's content policy refused this edit."))
    if code in ("insufficient_quota", "billing_hard_limit_reached"):
        words = "This gateway's account at the upstream is out of quota."
        return Trouble(UpstreamFailed(words), spent=False, alarm=f"the account is out of quota ({code}): top it up")
    wait = _wait(headers)
    if status == 429:
        seconds = _DEFAULT_WAIT if wait is None else wait
        limited = RateLimited("The upstream's rate limit is reached.", retry_after=seconds, source="upstream",
                              advice=f"Nothing was charged. Wait {seconds} s.")  # fmt: skip
        return Trouble(limited, spent=False, wait=seconds)
    if status in (401, 403):
        words = f"The upstream refused this gateway's key (HTTP {status})."
        return Trouble(UpstreamFailed(words), spent=False, alarm=f"it refuses the key (HTTP {status}): set another")
    error = UpstreamFailed(f"The upstream answered HTTP {status}{f' ({code})' if code else ''}.")
    if status == 503 and wait is not None:
        return Sick(error, spent=False, wait=wait)
    return Sick(error) if status >= 500 else Trouble(error)


def _parse(body: bytes) -> Any:
    if is_too_deep(body):
        raise _unreadable("nested too deeply")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise _unreadable(type(broken).__name__) from broken


def _unreadable(why: str) -> Sick:
    return Sick(UpstreamFailed(f"The upstream's answer could not be read ({why})."))


def _picture(row: Any) -> Picture:
    revised = row.get("revised_prompt") if isinstance(row, dict) else None
    return Picture(_text(row["b64_json"]), revised if isinstance(revised, str) else "")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _usage(answer: Any) -> Mapping[str, int]:
    """Token counts; the details' under dotted names."""
    found: dict[str, int] = {}
    usage = answer.get("usage")
    for name, value in usage.items() if isinstance(usage, dict) else ():
        parts = {f"{name}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {name: value}
        found |= {k: v for k, v in parts.items() if isinstance(v, int) and not isinstance(v, bool)}
    return found


def _code(body: bytes) -> str:
    if is_too_deep(body):
        return ""
    try:
        return _code_of(msgspec.json.decode(body)["error"])
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return ""


def _code_of(error: Any) -> str:
    """A machine's word, or nothing: free text might quote a key."""
    code = (error.get("code") or error.get("type")) if isinstance(error, dict) else None
    return code if isinstance(code, str) and code.replace("_", "").isalnum() and len(code) < 60 else ""


def _wait(headers: Mapping[str, str]) -> int | None:
    value = headers.get("retry-after", "")
    return max(1, min(600, int(value))) if value.isascii() and value.isdigit() and len(value) < 6 else None
