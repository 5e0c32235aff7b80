"""Who gets the next request."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbrush.domain.breaker import Breaker
from tollbrush.engines.fleet import Fleet
from tollbrush.errors import Unavailable, UnsupportedParameter


class Broken(Exception):
    """The server's own failure."""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class Server:
    name: str
    width: int = 1
    suits: int | None = 0
    well: bool = True
    outstanding: int = 0
    served: int = 0
    clock: Clock = field(default_factory=Clock)
    breaker: Breaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = Breaker(Broken, failures=2, seconds=30, clock=self.clock)


def rank(server: Server) -> int | None:
    return server.suits


def fail(fleet: Fleet[Server], server: Server, times: int = 2) -> None:
    for _ in range(times):
        with pytest.raises(Broken), fleet.at_work(server):
            raise Broken


def test_the_least_outstanding_for_its_width_is_next() -> None:
    small, large = Server("small", width=1), Server("large", width=3)
    fleet = Fleet([small, large])
    order = []
    for _ in range(8):
        chosen = fleet.choose(rank)
        chosen.outstanding += 1
        chosen.served += 1
        order.append(chosen.name)
    assert (order.count("small"), order.count("large")) == (2, 6)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(1, 40))
def test_nobody_is_far_ahead_of_the_others(widths: list[int], requests: int) -> None:
    servers = [Server(str(i), width) for i, width in enumerate(widths)]
    fleet = Fleet(servers)
    for _ in range(requests):
        fleet.choose(rank).outstanding += 1
    loads = [s.outstanding / s.width for s in servers]
    assert max(loads) - min(loads) <= 1


def test_equals_take_turns() -> None:
    fleet = Fleet([Server("a"), Server("b")])
    names = []
    for _ in range(4):
        with fleet.at_work(fleet.choose(rank)) as _:
            pass
        names.append([s.served for s in fleet.members])
    assert names[-1] == [2, 2]


def test_who_suits_best_comes_first_and_who_does_not_never() -> None:
    unable, poor, good = Server("unable", suits=None), Server("poor", suits=2), Server("good", outstanding=5)
    fleet = Fleet([unable, poor, good])
    assert fleet.choose(rank) is good
    assert fleet.choose(rank, avoiding={good}) is poor
    assert fleet.choose(rank, avoiding={good, poor}) is good
    with pytest.raises(UnsupportedParameter):
        Fleet([unable]).choose(rank)


def test_who_is_ill_or_left_alone_suits_nobody() -> None:
    ill, failing, unable = Server("ill", well=False), Server("failing"), Server("unable", suits=None)
    fleet = Fleet([ill, failing, unable])
    assert fleet.suits(rank)
    fail(fleet, failing)
    assert not fleet.suits(rank)
    ill.well = True
    assert fleet.suits(rank)


def test_who_is_not_well_is_the_last_choice() -> None:
    ill, well = Server("ill", well=False), Server("well", outstanding=9)
    assert Fleet([ill, well]).choose(rank) is well
    assert Fleet([ill]).choose(rank) is ill  # a health check may be wrong


def test_who_keeps_failing_is_left_alone_for_a_while() -> None:
    clock = Clock()
    failing, other = Server("failing", clock=clock), Server("other", clock=clock, outstanding=9)
    fleet = Fleet([failing, other])
    fail(fleet, failing)
    assert failing.outstanding == 0
    assert fleet.choose(rank) is other
    fail(fleet, other)
    with pytest.raises(Unavailable) as raised:
        fleet.choose(rank)
    assert raised.value.retry_after == 30
    clock.now = 31
    with fleet.at_work(fleet.choose(rank)):  # one is let through, to see
        other.suits = None
        with pytest.raises(Unavailable):
            fleet.choose(rank)
    assert fleet.choose(rank) is failing
