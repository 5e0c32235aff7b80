"""Several servers behind one model: who gets the next request."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from tollbrush.domain.breaker import Breaker, CircuitOpen
from tollbrush.errors import Unavailable, UnsupportedParameter


class Member(Protocol):
    """One server. `well` as its last health check found it; `outstanding` of at most `width` requests; `served` in
    all."""

    breaker: Breaker
    well: bool
    outstanding: int
    served: int

    @property
    def width(self) -> int: ...


M = TypeVar("M", bound=Member)


class Fleet(Generic[M]):
    """Shared by the tasks of one event loop."""

    def __init__(self, members: Sequence[M]) -> None:
        self.members = tuple(members)

    def suits(self, rank: Callable[[M], int | None]) -> bool:
        """Whether any member that is well suits this request."""
        return any(m.well and _may_be_called(m) and rank(m) is not None for m in self.members)

    def choose(self, rank: Callable[[M], int | None], avoiding: Container[M] = ()) -> M:
        """The member for a request: `rank` tells how well it suits (0 is best, None: not at all), `avoiding` who
        should not be asked again so soon. Among equals the one with the least outstanding for its width. Raises
        UnsupportedParameter when none suits, Unavailable while all that do are left alone."""
        suiting = {m: found for m in self.members if (found := rank(m)) is not None}
        if not suiting:
            raise UnsupportedParameter("no server of this model does all of this at once.")
        callable_ = [m for m in suiting if _may_be_called(m)]
        if not callable_:
            wait = min(m.breaker.wait for m in suiting)
            raise Unavailable("The model's servers are down.", retry_after=max(1, wait))
        return min(
            callable_,
            key=lambda m: (m in avoiding, not m.well, suiting[m], m.outstanding / m.width, m.served),
        )

    @contextmanager
    def at_work(self, member: M) -> Iterator[None]:
        """Around one request to this member. Raises CircuitOpen."""
        member.outstanding += 1
        member.served += 1
        try:
            with member.breaker.call():
                yield
        finally:
            member.outstanding -= 1


def _may_be_called(member: Member) -> bool:
    try:
        member.breaker.require()
    except CircuitOpen:
        return False
    return True
