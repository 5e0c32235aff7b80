"""What is asked of a hosted x402 facilitator over HTTP, and what counts as its answer.

`/verify`, `/settle` and `/supported` are section 7 of the x402 v2 specification; one that speaks version 1 only is
spoken to in version 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from tollbrush.domain.breaker import Breaker
from tollbrush.domain.networks import Network
from tollbrush.payments.checks import SCHEME
from tollbrush.payments.interface import Verified
from tollbrush.payments.pooled import PooledWeb
from tollbrush.payments.web import NoAnswer
from tollbrush.wire.nesting import is_too_deep
from tollbrush.wire.x402 import Resource, accepts_v1, accepts_v2

_RESOURCE: Final = Resource("urn:tollbrush:image-edit", "An edited image")
_DECIDES: Final = {"verify": "isValid", "settle": "success"}


class Facilitator:
    """`seconds` bounds each call. After `failures` in a row of one kind of call that kind is left alone for `cooldown`
    seconds of `clock`."""

    def __init__(
        self,
        network: Network,
        url: str,
        *,
        seconds: float,
        failures: int,
        cooldown: float,
        clock: Callable[[], float],
    ) -> None:
        self._network, self._version = network, 2
        self._web = PooledWeb(url.rstrip("/"), seconds)
        # One for each: a facilitator that verifies and cannot settle must not have edits made on its word.
        self._breakers = {
            what: Breaker(NoAnswer, failures=failures, seconds=cooldown, clock=clock) for what in _DECIDES
        }

    @property
    def wait(self) -> int:
        """Seconds for which it is left alone; 0 when it is not."""
        return max(breaker.wait for breaker in self._breakers.values())

    async def verify(self, verified: Verified) -> dict[str, Any]:
        """Not asked while it cannot settle either. Raises NoAnswer, CircuitOpen."""
        self._breakers["settle"].require()
        return await self._judge("verify", verified)

    async def settle(self, verified: Verified) -> dict[str, Any]:
        """Raises NoAnswer, CircuitOpen."""
        return await self._judge("settle", verified)

    async def supported(self) -> Mapping[str, Any] | None:
        """What it says of our network, in the newest version that it speaks, which it is spoken to in from then on;
        None when it does not serve it. Raises NoAnswer."""
        status, answer = await self._call("GET", "supported")
        kinds = answer.get("kinds") if status == 200 else None
        names = {2: self._network.id, 1: self._network.v1}
        offered = {
            kind["x402Version"]: kind
            for kind in (kinds if isinstance(kinds, list) else ())
            if isinstance(kind, dict)
            and kind.get("scheme") == SCHEME
            and kind.get("x402Version") in (1, 2)
            and kind.get("network") == names[kind["x402Version"]]
        }
        if not offered:
            return None
        self._version = max(offered)
        return offered[self._version]

    async def close(self) -> None:
        await self._web.close()

    async def _judge(self, what: Literal["verify", "settle"], verified: Verified) -> dict[str, Any]:
        """An object with the field that decides. A facilitator may say no with a status of 4xx."""
        with self._breakers[what].call():
            status, answer = await self._call("POST", what, self._body(verified))
            decided = answer.get(_DECIDES[what])
            if status >= 500 or not isinstance(decided, bool) or (status != 200 and decided):
                raise NoAnswer(f"http_{status}" if status != 200 else "answer_malformed")
            return answer

    def _body(self, verified: Verified) -> dict[str, Any]:
        payload, due = dict(verified.payload), verified.requirement
        if self._version == 1:
            payment = {"scheme": SCHEME, "network": self._network.v1, "payload": payload}
            entry = accepts_v1([due], _RESOURCE)[0]
        else:
            entry = accepts_v2([due])[0]
            payment = {"payload": payload, "accepted": entry}
        version = {"x402Version": self._version}
        return version | {"paymentPayload": version | payment, "paymentRequirements": entry}

    async def _call(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        status, content = await self._web.send(verb, "/" + path, None if body is None else msgspec.json.encode(body))
        try:
            answer = None if is_too_deep(content) else json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise NoAnswer("answer_malformed")
        return status, answer
