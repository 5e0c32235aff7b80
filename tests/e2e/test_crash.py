"""kill −9 at every step between a claim and its receipt, on both chains: nobody pays twice or for nothing, nothing
stays half done. `TOLLBRUSH_E2E=long` runs hundreds of rounds drawn from every step of every story, half of them with a
second death."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.crash_round import BASE, PRICE, SOLANA, Customer, Death, Mortal, Town, earned, open_town, reckon

pytestmark = [pytest.mark.e2e, pytest.mark.chain]

Story = Callable[[Customer], None]


# ── what customers do ───────────────────────────────────────────────────────────────────────────────────────


def inline(customer: Customer) -> None:
    customer.present(customer.sign())


def slow(customer: Customer) -> None:
    customer.present(customer.sign("slow"), "slow", wait=0)


def fresh(customer: Customer) -> None:
    """The polls carry another payment than the edit did."""
    customer.present(customer.sign("slow"), "slow", wait=0, fresh=True)


def refused(customer: Customer) -> None:
    """The engine says no; the payment is free for another edit."""
    header = customer.sign("refuse")
    assert customer.post(header, "refuse").json()["code"] == "content_policy"
    customer.present(header)


def cancelled(customer: Customer) -> None:
    header = customer.sign("slower")
    answer = customer.post(header, "slower", wait=0)
    assert answer.status_code == 202, answer.text
    ended = customer.cancel(answer.json()["poll_url"], header).json()
    assert ended["status"] in ("cancelled", "failed"), ended
    customer.present(header)


def broke(customer: Customer) -> None:
    """The money is gone when the job is ready, and comes back."""
    header = customer.sign("slower")
    answer = customer.post(header, "slower", wait=0)
    assert answer.status_code == 202, answer.text
    customer.spend_elsewhere()
    ended = customer.poll(answer.json()["poll_url"], header)
    if ended.json().get("status") == "failed":
        assert ended.json()["code"] == "interrupted", ended.text
        customer.fund()
        customer.present(customer.sign())
    else:
        customer.keep(ended)


def crowd(customer: Customer) -> None:
    """Three edits at once, one of them asked for twice with one payment."""
    headers = [customer.sign() for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(customer.present, [*headers, headers[0]]))


STORIES: dict[str, Story] = {s.__name__: s for s in (inline, slow, fresh, refused, cancelled, broke, crowd)}


# ── rounds ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Round:
    story: str
    network: str
    deaths: tuple[Death, ...] = ()

    def run(self, town: Town, folder: Path) -> tuple[Mortal, int]:
        """The gateway as it was left, and what it must have earned. Whatever fails says which round it was."""
        folder.mkdir(parents=True)
        gateway = Mortal(town, folder, list(self.deaths))
        try:
            customer = Customer(gateway, self.network)
            STORIES[self.story](customer)
            reckon(gateway, [customer])
        except BaseException as failure:
            failure.add_note(f"{self}; steps and log in {folder}")
            raise
        finally:
            gateway.kill()
        return gateway, PRICE * len(customer.receipts)


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with open_town() as opened:
        yield opened


def _around(*names: str) -> list[str]:
    return [f"{when} {name}" for name in names for when in ("before", "after")]


_MONEY = _around("save ready", "save settling", "settle", "send", "save settled", "answer 200")
_WORK = _around("verify", "claim", "save job in_progress", "work", "fsync", "put image", "delete inputs")
SHORT = [
    *(Round("inline", network, (Death(step),)) for step in _MONEY for network in (BASE, SOLANA)),
    *(Round("inline", (BASE, SOLANA)[i % 2], (Death(step),)) for i, step in enumerate(_WORK)),
    *(
        Round("slow", (BASE, SOLANA)[i % 2], (Death(step),))
        for i, step in enumerate(_around("put inputs", "answer 202"))
    ),
    *(Round("slow", (SOLANA, BASE)[i % 2], (Death(step),)) for i, step in enumerate(_MONEY)),
    # a fresh payment on the poll: Solana's kept one is given back, Base's is settled
    *(Round("fresh", SOLANA, (Death(step, nth),)) for step in _around("save released", "claim") for nth in (1,)),
    Round("fresh", SOLANA, (Death("after claim", 2),)),
    Round("fresh", BASE, (Death("after settle"),)),
    *(Round("refused", (BASE, SOLANA)[i % 2], (Death(step),)) for i, step in enumerate(_around("save released"))),
    *(Round("cancelled", (BASE, SOLANA)[i % 2], (Death(step),)) for i, step in enumerate(_around("save released"))),
    *(
        Round("broke", (BASE, SOLANA)[i % 2], (Death(step),))
        for i, step in enumerate(_around("save released", "settle"))
    ),
    # within the lease of the dead one
    Round("slow", BASE, (Death("after answer 202", lapse=False),)),
    Round("inline", SOLANA, (Death("after put image", lapse=False),)),
    Round("inline", BASE, (Death("after send", lapse=False),)),
    # and again while it recovers
    *(
        Round("slow", (BASE, SOLANA)[i % 2], (Death("after answer 202"), Death(step)))
        for i, step in enumerate(_around("adopt", "work", "save ready", "settle"))
    ),
    *(
        Round("inline", (BASE, SOLANA)[i % 2], (Death("after send"), Death(step)))
        for i, step in enumerate(_around("find", "save settled"))
    ),
    Round("crowd", BASE, (Death("after send", 2),)),
    Round("crowd", SOLANA, (Death("before save settled", 2),)),
]  # fmt: skip


LONG = os.environ.get("TOLLBRUSH_E2E") == "long"


CHOSEN = SHORT if LONG else [r for i, r in enumerate(SHORT) if (i + i // 2) % 2 == 0]  # the chains in turns


@pytest.mark.parametrize("round_", CHOSEN, ids=str)
def test_a_death_costs_nobody_anything(town: Town, tmp_path: Path, round_: Round) -> None:
    before = earned(town)
    gateway, due = round_.run(town, tmp_path / "round")
    assert gateway.died == list(round_.deaths)
    assert earned(town) == before + due


@pytest.mark.skipif(not LONG, reason="TOLLBRUSH_E2E=long runs it")
@pytest.mark.timeout(3600)
def test_deaths_at_every_step_of_every_story(town: Town, tmp_path: Path) -> None:
    """The steps that a story passes once undisturbed, drawn by `CRASH_SEED`; half of the rounds die a second time."""
    seed, count = int(os.environ.get("CRASH_SEED", "1")), int(os.environ.get("CRASH_ROUNDS", "240"))
    dice, begun, before = random.Random(seed), time.monotonic(), earned(town)
    plain = [Round(story, network) for story in STORIES for network in (BASE, SOLANA)]
    with ThreadPoolExecutor(4) as pool:
        undisturbed = list(pool.map(lambda at: at[1].run(town, tmp_path / f"plain-{at[0]}"), enumerate(plain)))
        passed = [Counter(gateway.trace.read_text().splitlines()) for gateway, _ in undisturbed]
        rounds = [
            _fatal(r, steps, step, dice) for r, steps in zip(plain, passed, strict=True) for step in sorted(steps)
        ]
        rounds = dice.sample(rounds, min(count, len(rounds)))
        disturbed = list(pool.map(lambda at: at[1].run(town, tmp_path / f"{at[0]}"), enumerate(rounds)))
    killed = sum(bool(gateway.died) for gateway, _ in disturbed)
    assert earned(town) == before + sum(sold for _, sold in undisturbed + disturbed)
    assert killed > 0.9 * len(rounds)
    print(f"seed {seed}: {killed} of {len(rounds)} rounds killed, nothing lost, {time.monotonic() - begun:.0f} s")


def _fatal(plain: Round, passed: Counter[str], step: str, dice: random.Random) -> Round:
    first = Death(step, dice.randint(1, min(3, passed[step])), lapse=dice.random() < 0.8)
    then = [Death(dice.choice(_MONEY + _WORK + _around("adopt", "find", "save released")))]
    return Round(plain.story, plain.network, (first, *then[: dice.randrange(2)]))
