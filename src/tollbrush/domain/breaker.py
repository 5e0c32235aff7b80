"""A circuit breaker: a service that keeps failing is left alone for a while, instead of being waited for each time.

closed ── `failures` in a row ──► open ── `seconds` later ──► half-open: one call is let through
   ▲                               ▲                              │
   └───────── it succeeds ─────────┼──────────────────────────────┤
                                   └────────── it fails ──────────┘
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class CircuitOpen(Exception):
    """Nothing was sent. `retry_after` in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("circuit_open")
        self.retry_after = retry_after


class Breaker:
    """`counts` are the exceptions that are the service's failures; all others say nothing of it. Used by one event
    loop. `clock` gives seconds that never run backwards."""

    def __init__(
        self,
        counts: type[Exception],
        *,
        failures: int = 5,
        seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counts, self._limit, self._seconds, self._clock = counts, failures, seconds, clock
        self._failed = 0
        self._opened: float | None = None
        self._probing = False

    @property
    def wait(self) -> int:
        """Seconds until a call may be tried; 0 when it may be now."""
        if self._opened is None:
            return 0
        return max(0, math.ceil(self._opened + self._seconds - self._clock()))

    def require(self) -> None:
        """Raises CircuitOpen when a call may not be tried now."""
        if self._probing or self.wait:
            raise CircuitOpen(max(1, self.wait))

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around one call. Raises CircuitOpen."""
        self.require()
        probe = self._probing = self._opened is not None
        try:
            yield
        except self._counts:
            self._failed += 1
            if probe or self._failed >= self._limit:
                self._opened = self._clock()
            raise
        else:
            self._failed, self._opened = 0, None
        finally:
            if probe:
                self._probing = False
