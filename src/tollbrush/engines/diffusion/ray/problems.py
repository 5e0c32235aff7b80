"""What one of Serve's proxies answers, as a problem that the gateway's operator must see to; None where it is none."""

from __future__ import annotations

from typing import Final

import msgspec
import structlog

from tollbrush.engines.diffusion.ray.address import ROUTE

_log: Final = structlog.get_logger(__name__)


def of_routes(status: int, routes: bytes) -> str | None:
    """Of the proxy's list of applications."""
    if status != 200:
        return f"it takes no edits (HTTP {status}): it starts, or is being drained"
    try:
        there = msgspec.json.decode(routes, type=dict[str, str])
    except msgspec.DecodeError:
        return "something else than Ray Serve answers there"
    return None if ROUTE in there else of_answer(404, b"")


def of_answer(status: int, said: bytes) -> str | None:
    """What its operator must see to; None where nothing but a replica's end explains it."""
    if status in (401, 403):
        return "it refuses the secret: set engines.ray.secret to the cluster's"
    if status == 404:
        return "the application is not deployed there: `tollbrush ray deploy`"
    if 400 <= status < 500:
        _log.error("the Ray cluster refuses", status=status, said=said[:200].decode("utf-8", "replace"))
        return f"it refuses what is sent to it (HTTP {status}): the log says why"
    return None
