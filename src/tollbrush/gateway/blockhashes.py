"""A recent block to sign over, and what there is to pay with, for wallets in a browser: a page may ask nobody but the
gateway that served it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tollbrush.gateway.problems import answer
from tollbrush.payments.gate import Gate
from tollbrush.payments.interface import Clocked

PATHS: Final = ("/v1/networks/{name}/blockhash", "/api/v1/networks/{name}/blockhash")
_FRESH: Final = 3.0
"""Seconds for which one answer serves all: a blockhash lives sixty and more."""


class Blockhashes:
    """Answers GET. `clock` gives seconds."""

    def __init__(self, gate: Gate, *, clock: Callable[[], float]) -> None:
        self._gate, self._clock = gate, clock
        self._known: dict[str, tuple[float, str]] = {}

    async def get(self, request: Request) -> Response:
        """With `?payer=ADDRESS` its `balance` too, in atomic units: whether it is worth a signature. Raises NotFound
        for a network that is not sold on or needs none, BadRequest, Unavailable when its node is silent."""
        name, payer = request.path_params["name"], request.query_params.get("payer")
        till = self._gate.clocked(name)
        said = {"network": name, "blockhash": await self._recent(name, till)}
        if payer is not None:
            said["balance"] = str(await till.balance(payer))
        return answer(said, headers={"Cache-Control": "no-store"})

    async def _recent(self, name: str, till: Clocked) -> str:
        now = self._clock()
        read, blockhash = self._known.get(name, (0.0, ""))
        if not blockhash or not 0 <= now - read < _FRESH:
            blockhash = await till.blockhash()
            self._known[name] = (now, blockhash)
        return blockhash
