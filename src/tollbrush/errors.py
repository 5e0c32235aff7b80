"""Every error tollbrush raises on purpose.

TollbrushError
├─ BadRequest                400   a field, JSON, multipart or size is wrong
│  ├─ BadImage               400   bytes that are not a picture we edit
│  ├─ BadMask                400   a mask that does not fit its picture
│  ├─ UnknownModel           400   no such model
│  ├─ ModelUnavailable       400   a model without a configured engine
│  ├─ UnsupportedParameter   400   this model cannot honour that parameter
│  └─ CannotHonour           400   the studio understood that it cannot do this
├─ PaymentRequired           402   no payment came
├─ PaymentRefused            402   a payment came and a named check failed
├─ ContentRefused            403   the upstream model's content policy
├─ SpendingPolicy            403   the router's owner did not mean to pay this
├─ NoFunds                   403   the router's wallet is empty
├─ WalletLocked              403   the router's wallet cannot be opened
├─ ForeignOrigin             403   another origin or machine calls the router
├─ NotFound                  404
├─ PaymentBusy               409   this payment is at work on another request
├─ JobCancelled              409   the job was cancelled
├─ TooLarge                  413
├─ WrongHost                 421
├─ RateLimited               429
├─ InternalError             500
│  ├─ UpstreamFailed         500
│  ├─ EngineFailed           500
│  │  └─ WorkerDied          500   an engine's process ended, or never got ready
│  └─ BadSettings            500   an operator's setting is wrong; told at start, never to a caller
│     └─ NoRoom              500   a model's weights do not fit on its device; with less there, they might
├─ Unavailable               503
│  └─ SettlementUnknown      503   the chain has not said yet; the same payment delivers later
└─ EditTimeout               504

`str(error)` says what is wrong and with which value; `advice` says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Detail:
    """One wrong field: `path` as in the request (`mask`, `image[1]`), `message` in words."""

    path: str
    message: str


class TollbrushError(Exception):
    """Root of the tree. `code` is stable and machine-readable, `status` the HTTP status."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    advice: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        advice: str | None = None,
        details: Sequence[Detail] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.advice if advice is None else advice
        self.details = tuple(details)
        self.extra = dict(extra or {})

    def sentence(self) -> str:
        """What is wrong and what to do, as the user reads it."""
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process boundaries (studio workers); keyword-only state must survive pickling.
        return (_rebuild, (type(self), self.message, vars(self)))


def _rebuild(kind: type[TollbrushError], message: str, state: dict[str, Any]) -> TollbrushError:
    error = kind.__new__(kind)
    error.args = (message,)
    vars(error).update(state)
    return error


class BadRequest(TollbrushError):
    code, status = "bad_request", 400

    def __init__(self, message: str, *, path: str = "", **kw: Any) -> None:
        kw.setdefault("details", (Detail(path, message),) if path else ())
        super().__init__(message, **kw)
        self.path = path


class BadImage(BadRequest):
    code = "bad_image"
    advice = "Send a PNG, JPEG, WebP or still GIF."


class BadMask(BadRequest):
    code = "bad_mask"
    advice = "Send a mask of the picture's size: white where to edit, black where to keep."


class UnknownModel(BadRequest):
    code = "unknown_model"
    advice = "GET /api/v1/models lists the models."


class ModelUnavailable(BadRequest):
    code = "model_unavailable"


class UnsupportedParameter(BadRequest):
    code = "unsupported_parameter"


class CannotHonour(BadRequest):
    code = "cannot_honour"


class PaymentRequired(TollbrushError):
    code, status = "payment_required", 402
    advice = "Sign one of the `accepts` entries and send the request again with the X-Payment header."


class PaymentRefused(TollbrushError):
    """`reason` is the named check that failed, as on the wire (`expired`, `wrong_recipient`, …)."""

    code, status = "payment_refused", 402
    advice = "Sign a fresh payment for one of the `accepts` entries."

    def __init__(self, message: str, *, reason: str, **kw: Any) -> None:
        super().__init__(message, **kw)
        self.reason = reason


class ContentRefused(TollbrushError):
    code, status = "content_policy", 403
    advice = "Nothing was charged. Change the prompt or the picture."


class SpendingPolicy(TollbrushError):
    code, status = "spending_policy", 403


class NoFunds(TollbrushError):
    code, status = "no_funds", 403
    advice = "Fund the wallet: `tollbrush wallet fund`."


class WalletLocked(TollbrushError):
    code, status = "wallet_locked", 403


class ForeignOrigin(TollbrushError):
    code, status = "foreign_origin", 403
    advice = "The router serves programs on this machine and its own page."


class NotFound(TollbrushError):
    code, status = "not_found", 404


class PaymentBusy(TollbrushError):
    code, status = "payment_busy", 409
    advice = "Wait for that request, or sign a fresh payment for this one."


class JobCancelled(TollbrushError):
    code, status = "cancelled", 409
    advice = "Nothing was charged. Send the edit again to have it after all."


class TooLarge(TollbrushError):
    code, status = "too_large", 413


class WrongHost(TollbrushError):
    code, status = "wrong_host", 421


class RateLimited(TollbrushError):
    """`retry_after` in seconds; `source` says whose limit it is: `gateway` or `upstream`."""

    code, status = "rate_limited", 429

    def __init__(self, message: str, *, retry_after: int, source: str, **kw: Any) -> None:
        super().__init__(message, **kw)
        self.retry_after, self.source = retry_after, source


class InternalError(TollbrushError):
    code, status = "internal_error", 500
    advice = "Nothing was charged. Try again; if it persists, give the operator the id."


class UpstreamFailed(InternalError):
    code = "upstream_failed"


class EngineFailed(InternalError):
    code = "engine_failed"


class WorkerDied(EngineFailed):
    code = "worker_died"


class BadSettings(InternalError):
    code = "bad_settings"
    advice = "`tollbrush doctor` shows the settings in force."


class NoRoom(BadSettings):
    code = "no_room"


class Unavailable(TollbrushError):
    """`retry_after` in seconds."""

    code, status = "unavailable", 503
    advice = "Nothing was charged. Try again later."

    def __init__(self, message: str, *, retry_after: int = 5, **kw: Any) -> None:
        super().__init__(message, **kw)
        self.retry_after = retry_after


class SettlementUnknown(Unavailable):
    code = "settlement_unknown"
    advice = "Send the same request with the same payment again: it delivers without a second charge."


class EditTimeout(TollbrushError):
    code, status = "timeout", 504
    advice = "Nothing was charged. Try a smaller picture or a simpler edit."
