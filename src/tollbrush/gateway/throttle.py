"""So many edits a minute from one address; beyond it 429 with the seconds to wait."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.responses import Response

from tollbrush.errors import RateLimited


class Throttle:
    """Wraps a handler; the address is the connection's, or a trusted proxy's word."""

    def __init__(self, handler: Callable[[Request], Awaitable[Response]], *, per_minute: int) -> None:
        self._handler = handler
        self._rate = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def post(self, request: Request) -> Response:
        address = request.client.host if request.client else "unknown"
        if not await self._limiter.hit(self._rate, address):
            reset, _ = await self._limiter.get_window_stats(self._rate, address)
            wait = max(1, math.ceil(reset - time.time()))
            raise RateLimited(
                f"more than {self._rate.amount} edits in a minute from {address}.",
                retry_after=wait,
                source="gateway",
                advice=f"Wait {wait} s.",
            )
        return await self._handler(request)
