"""Errors of the tree on their way from a replica to the gateway."""

from __future__ import annotations

from typing import Final

from tollbrush.engines.diffusion.ray.messages import Failed
from tollbrush.errors import (
    BadImage,
    BadMask,
    BadRequest,
    CannotHonour,
    ContentRefused,
    EditTimeout,
    EngineFailed,
    RateLimited,
    TollbrushError,
    Unavailable,
    UnsupportedParameter,
)

_LONGEST: Final = 2_000  # characters of a message
_REQUESTS: Final = {e.code: e for e in (BadRequest, BadImage, BadMask, UnsupportedParameter, CannotHonour)}
_OTHERS: Final = {e.code: e for e in (ContentRefused, EngineFailed, EditTimeout)}
_DEFAULT_WAIT: Final = 5


def failed(error: TollbrushError) -> Failed:
    wait = error.retry_after if isinstance(error, Unavailable | RateLimited) else _DEFAULT_WAIT
    path = error.path if isinstance(error, BadRequest) else ""
    return Failed(error.code, error.message[:_LONGEST], error.hint[:_LONGEST], path, wait)


def error(failure: Failed) -> TollbrushError:
    """What the caller of the gateway is told. What is only the operator's to know (a model that cannot be loaded) is
    an Unavailable that does not say it."""
    if kind := _REQUESTS.get(failure.code):
        return kind(failure.message, path=failure.path, advice=failure.advice)
    if other := _OTHERS.get(failure.code):
        return other(failure.message, advice=failure.advice)
    if failure.code == Unavailable.code:
        wait = max(1, failure.retry_after)
        return Unavailable(failure.message, retry_after=wait, advice=failure.advice)
    return Unavailable("This model cannot be served now.", retry_after=60)


def hidden(failure: Failed) -> bool:
    """Whether it is the operator's matter: the caller is not told, and the replica's log says what."""
    return not (failure.code in _REQUESTS or failure.code in _OTHERS or failure.code == Unavailable.code)
