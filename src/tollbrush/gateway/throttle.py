"""So many edits a minute from one address; beyond it 429 with the seconds to wait."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tollbrush.errors import RateLimited

_ADDRESSES: Final = 65_536
"""Remembered at most, the latest seen: some 10 MB."""
_SUBNET: Final = 64
"""Bits of an IPv6 address that tell callers apart: one caller has all the others."""


class Throttle:
    """Wraps a handler; the address is the connection's, or a trusted proxy's word.

    The generic cell rate algorithm (ITU-T I.371): per address one number, the time at which its edits would all have
    come at the steady rate; a minute's worth may come at once. `clock` gives seconds.
    """

    def __init__(
        self,
        handler: Callable[[Request], Awaitable[Response]],
        *,
        per_minute: int,
        what: str = "edits",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._handler, self._per_minute, self._what, self._clock = handler, per_minute, what, clock
        self._paid_until: OrderedDict[str, float] = OrderedDict()

    async def post(self, request: Request) -> Response:
        address = caller(request.client.host if request.client else "unknown")
        if wait := self._hit(address):
            raise RateLimited(
                f"more than {self._per_minute} {self._what} in a minute from {address}.",
                retry_after=wait,
                source="gateway",
                advice=f"Wait {wait} s.",
            )
        return await self._handler(request)

    def _hit(self, address: str) -> int:
        """Count one edit: 0, or whole seconds to wait, and nothing is counted."""
        now, step = self._clock(), 60 / self._per_minute
        until = max(now, self._paid_until.get(address, now)) + step
        if (early := until - 60 - now) > 1e-6:
            return math.ceil(early)
        self._paid_until[address] = until
        self._paid_until.move_to_end(address)
        if len(self._paid_until) > _ADDRESSES:
            self._paid_until.popitem(last=False)
        return 0


def caller(host: str) -> str:
    """Whom an address stands for: itself, or for IPv6 its network."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _SUBNET), strict=False))
