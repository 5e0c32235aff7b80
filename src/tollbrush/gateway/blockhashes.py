"""A recent block to sign over, for wallets in a browser: a page may ask nobody but the gateway that served it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tollbrush.gateway.problems import answer
from tollbrush.payments.gate import Gate

PATHS: Final = ("/v1/networks/{name}/blockhash", "/api/v1/networks/{name}/blockhash")
_FRESH: Final = 3.0
"""Seconds for which one answer serves all: a blockhash lives sixty and more."""


class Blockhashes:
    """Answers GET. `clock` gives seconds."""

    def __init__(self, gate: Gate, *, clock: Callable[[], float]) -> None:
        self._gate, self._clock = gate, clock
        self._known: dict[str, tuple[float, str]] = {}

    async def get(self, request: Request) -> Response:
        """Raises NotFound for a network that is not sold on or needs none, Unavailable when its node is silent."""
        name, now = request.path_params["name"], self._clock()
        read, blockhash = self._known.get(name, (0.0, ""))
        if not blockhash or not 0 <= now - read < _FRESH:
            blockhash = await self._gate.blockhash(name)
            self._known[name] = (now, blockhash)
        return answer({"network": name, "blockhash": blockhash}, headers={"Cache-Control": "no-store"})
