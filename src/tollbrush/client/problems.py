"""The one table from HTTP answers to our errors: by the code that the answer names, else by its status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tollbrush.client.transport import Answer
from tollbrush.errors import (
    BadRequest,
    ContentRefused,
    Detail,
    EditTimeout,
    EngineFailed,
    JobCancelled,
    NotFound,
    PaymentBusy,
    PaymentRefused,
    PaymentRequired,
    RateLimited,
    TollbrushError,
    TooLarge,
    Unavailable,
    UpstreamFailed,
    WrongHost,
)


def _tree(root: type[TollbrushError]) -> Iterator[type[TollbrushError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from _tree(kind)


_BY_CODE: Final = {kind.code: kind for kind in _tree(TollbrushError)}
_BY_STATUS: Final[Mapping[int, type[TollbrushError]]] = {
    400: BadRequest,
    402: PaymentRequired,
    404: NotFound,
    409: PaymentBusy,
    413: TooLarge,
    421: WrongHost,
    422: BadRequest,
    429: RateLimited,
    503: Unavailable,
    504: EditTimeout,
}
_REFUSALS: Final = (BadRequest, ContentRefused, TooLarge, RateLimited, EngineFailed, EditTimeout, JobCancelled)
_MAX_TEXT: Final = 500
_MAX_DETAILS: Final = 20
_DEFAULT_RETRY: Final = 5


def from_answer(answer: Answer, where: str) -> TollbrushError:
    """The error that an answer of `where` (a URL) means. Foreign text is shortened and made safe to print."""
    body = answer.json()
    if body is None:
        kind = printable(answer.headers.get("content-type", "") or "nothing")
        return UpstreamFailed(
            f"{where} answered HTTP {answer.status} with {kind} where JSON belongs.",
            advice="Check the address: nothing there speaks this API.",
        )
    nested = body.get("error")
    said: Mapping[str, Any] = nested if isinstance(nested, dict) else body
    kind_ = _kind(said.get("code"), answer.status)
    message, hint = _texts(said)
    details = said.get("details")
    return build(
        kind_,
        message or f"{where} answered HTTP {answer.status}.",
        hint,
        details=tuple(_details(details)) if isinstance(details, list) else (),
        reason=printable(said.get("reason")) or "refused",
        retry_after=answer.retry_after,
        source=printable(said.get("source")) or "gateway",
    )


def from_code(code: Any, message: Any, fallback: type[TollbrushError]) -> TollbrushError:
    """The error of a failed job, which has a code and a sentence but no HTTP status."""
    kind = _BY_CODE.get(code, fallback) if isinstance(code, str) else fallback
    return build(kind, printable(message) or "the edit failed", None)


def refuses(code: str) -> bool:
    """Whether a gateway that ends an edit with this code says that it has charged nothing, and will not."""
    return issubclass(_BY_CODE.get(code, TollbrushError), _REFUSALS)


def build(
    kind: type[TollbrushError],
    message: str,
    hint: str | None,
    *,
    details: tuple[Detail, ...] = (),
    reason: str = "refused",
    retry_after: int | None = None,
    source: str = "gateway",
) -> TollbrushError:
    """An error of this class with what its constructor asks for. `hint` None: the class's own advice."""
    if issubclass(kind, PaymentRefused):
        return kind(message, reason=reason, advice=hint, details=details)
    seconds = _DEFAULT_RETRY if retry_after is None else retry_after
    if issubclass(kind, RateLimited):
        return kind(message, retry_after=seconds, source=source, advice=hint, details=details)
    if issubclass(kind, Unavailable):
        return kind(message, retry_after=seconds, advice=hint, details=details)
    return kind(message, advice=hint, details=details)


def printable(value: Any) -> str:
    """Foreign text on one line, without control characters, at most 500 characters. "" for what is no text."""
    if not isinstance(value, str):
        return ""
    return "".join(c if c.isprintable() else " " for c in value[:_MAX_TEXT]).strip()


def _kind(code: Any, status: int) -> type[TollbrushError]:
    kind = _BY_CODE.get(code) if isinstance(code, str) else None
    if kind is not None and kind.status == status:
        return kind
    return _BY_STATUS.get(status, UpstreamFailed if status >= 500 or status < 400 or status == 403 else BadRequest)


def _texts(said: Mapping[str, Any]) -> tuple[str, str | None]:
    # Ours says what is wrong in `error`, and that with the advice in `message`; others use one or the other.
    error, message = printable(said.get("error")), printable(said.get("message"))
    if error and message.startswith(error):
        return error, message[len(error) :].strip()
    return (message or error), None


def _details(listed: list[Any]) -> Iterator[Detail]:
    for entry in listed[:_MAX_DETAILS]:
        if isinstance(entry, dict):
            yield Detail(printable(entry.get("path")), printable(entry.get("message")))
