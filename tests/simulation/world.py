"""One seeded history: payers and their orders, gateways that crash, stop and skew, chains and disks that fail; then
quiet, in which everything must come right."""

from __future__ import annotations

import json
import secrets
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal

from simulation.chain import EPOCH, NETWORKS, Chain
from simulation.checks import Checks
from simulation.disk import Disk
from simulation.engine import SimEngine
from simulation.house import PRICE, Gone, House
from simulation.loop import VirtualLoop
from simulation.story import Story
from tollbrush.domain.charges import Charge
from tollbrush.domain.payments import Payment
from tollbrush.editing.cashier import Cashier
from tollbrush.editing.service import Delivery, Pending
from tollbrush.errors import PaymentBusy, TollbrushError, Unavailable

_FAMILIES: Final[tuple[Literal["evm", "svm"], ...]] = ("evm", "svm")
_FAULTS: Final = ("kill", "kill", "stop", "freeze", "drain", "cancel", "front-run", "top up")
_QUIET: Final = (60, 240, 1500, 4000, 30)
"""Pauses between the last sweeps, in seconds: past leases, deadlines, payments and uncollected results."""
_AWAKE: Final = 70
"""Before that: as long as the slowest edit and write together, so that a gateway that was frozen in one can clear up
after it. (Killed before it can, it leaves a picture that nobody can name.)"""


@dataclass
class Order:
    """An edit that somebody wants, and its payment. `skew`: by how many seconds the payer's clock is wrong."""

    payer: str
    chain: Chain
    payment: Payment
    skew: float


class World:
    """Everything of one history. `cashier` may be a broken one: the checks must tell. `faults` names those that happen
    for certain, `full` is the share of writes that find the disk full; without them the seed decides."""

    def __init__(
        self,
        seed: int,
        *,
        cashier: type[Cashier] = Cashier,
        faults: Sequence[str] = (),
        full: float | None = None,
        tell: bool = False,
    ) -> None:
        self.rng, self.loop = Random(seed), VirtualLoop()
        self._faults, self._full = faults, full
        self.story = Story(self.loop, tell=tell)
        self._cashier, self._names, self._nonces, self._tokens = cashier, 0, 0, 0
        self.disk = Disk(self.loop, self.rng)
        self.chains = [Chain(self.loop, self.rng, family, self.story) for family in _FAMILIES]
        self.engine = SimEngine(self.loop, self.rng)
        self.checks = Checks(self.disk, self.chains)
        self.houses: list[House] = []
        self._calls: dict[tuple[str, str], list[int]] = {}
        self._frozen = False

    def run(self) -> list[str]:
        """What went wrong, in sentences."""
        token = secrets.token_urlsafe
        secrets.token_urlsafe = self._token  # names that sort the same again
        try:
            self.loop.run(self._history())
        except Exception as failure:  # noqa: BLE001 - a surprise is a finding, with its seed
            self.checks.wrong.append(f"the history broke: {failure!r}")
        finally:
            secrets.token_urlsafe = token
        return self.checks.wrong + self.loop.surprises

    def _token(self, nbytes: int | None = None) -> str:
        self._tokens += 1
        return f"{self.rng.getrandbits(16):04x}-{self._tokens}"

    async def _history(self) -> None:
        rng = self.rng
        skewed = rng.random() < 0.1
        for _ in range(1 if rng.random() < 0.67 else 2):
            self.houses.append(self._open(rng.uniform(-30, 30) if skewed else 0.0))
        rough = rng.random() < 0.7
        for chain in self.chains:
            chain.faults = rng.choice((0.0, 0.05, 0.3)) if rough else 0.0
        self.disk.faults = 0.05 if rough and rng.random() < 0.1 else 0.0
        if self._full is not None:
            self.disk.faults = self._full
        visits = []
        for payer in range(1 if rng.random() < 0.85 else 2):
            visits += self._orders(f"payer{payer}")
        kinds = rng.choices(_FAULTS, k=rng.choice((0, 1, 1, 2, 3))) if rough else []
        under_way = [self.loop.create_task(going) for going in (*visits, *map(self._fault, self._faults or kinds))]
        for task in under_way:
            await task
        await self._calm()

    def _open(self, skew: float) -> House:
        self._names += 1
        house = House(f"gateway{self._names}", self.loop, self.disk, self.chains, self.engine, skew=skew,
                      cashier=self._cashier)  # fmt: skip
        self.story.note("{} starts", house.process.name)
        return house

    # ── those who pay ───────────────────────────────────────────────────────────────────────────────────

    def _orders(self, payer: str) -> list[Coroutine[Any, Any, None]]:
        """Callers: each order is asked for by one to three of them, with one and the same payment."""
        rng = self.rng
        chain = rng.choice(self.chains)
        chain.fund(payer, rng.choice((1, 2, 9)) * PRICE)
        skew = rng.uniform(-600, 600) if rng.random() < 0.1 else 0.0
        callers = []
        for _ in range(1 if rng.random() < 0.75 else 2):
            order = Order(payer, chain, self._sign(payer, chain, skew), skew)
            start, fits = rng.random() * 20, rng.random() < 0.9
            for i in range(rng.choice((1, 1, 1, 1, 2, 3))):
                body = 0 if i == 0 or fits else 1
                callers.append(self._caller(order, body, start + i * rng.choice((0.0, 0.1, 5.0)) * rng.random()))
        return callers

    def _sign(self, payer: str, chain: Chain, skew: float = 0.0) -> Payment:
        self._nonces += 1
        now = int(EPOCH + self.loop.time() + skew)
        if chain.family == "evm":
            window = {"after": now - 600, "until": now + 600}
        else:
            window = {"after": 0, "until": int(EPOCH + self.loop.time()) + self.rng.randint(40, 90)}
        pay = {"payer": payer, "nonce": f"n{self._nonces}", "value": PRICE, **window}
        return Payment(2, "exact", NETWORKS[chain.family], pay)

    async def _caller(self, order: Order, body: int, start: float) -> None:
        rng = self.rng
        await self.loop.sleep(start)
        payment = order.payment
        for _ in range(rng.randint(1, 4)):
            wait = rng.choice((0.0, 1.0, 30.0))
            what = f"edit {payment.payload['nonce']} body{body}"
            answer = await self._ask(what, payment, lambda h: h.edit(body, payment, wait))  # noqa: B023
            if isinstance(answer, Delivery):
                return
            if isinstance(answer, Pending):
                await self._collect(order, answer.job.id)
                return
            if answer is not None and not isinstance(answer, Unavailable | PaymentBusy):
                return
            await self.loop.sleep(rng.uniform(0.1, 8))

    async def _collect(self, order: Order, job: str) -> None:
        """Poll as clients do: with the payment kept, with a fresh one, or with a wallet's proof; or cancel."""
        rng = self.rng
        for _ in range(rng.randint(1, 6)):
            await self.loop.sleep(rng.choice((0.0, 2.0, 20.0)) * rng.random())
            kind, payment, wallet = rng.random(), order.payment, None
            if kind < 0.1:
                await self._ask(f"cancel {job}", payment, lambda h: h.cancel(job, order.payment))
                continue
            if kind < 0.5:
                payment = self._sign(order.payer, order.chain, order.skew)
            held: Payment | None = payment
            if kind > 0.95:
                held, wallet = None, order.payer
            nonce = payment.payload["nonce"] if held else "wallet"
            answer = await self._ask(f"poll {job} {nonce}", held, lambda h: h.poll(job, held, wallet))  # noqa: B023
            if isinstance(answer, Delivery) or (isinstance(answer, Pending) and answer.job.finished):
                return

    async def _ask(self, what: str, payment: Payment | None, request: Any) -> Any:
        """One request at any gateway that answers, its answer checked. None when the connection broke."""
        up = [house for house in self.houses if house.answers]
        if not up:
            return None
        house = self.rng.choice(up)
        self.story.note("{} ← {}", house.process.name, what)
        alone = self._names == 1
        # A request joins the work that an earlier one with this payment has begun here: it knows what that one knew.
        call = (house.process.name, payment.payload["nonce"] if payment else "")
        begun = min(self._calls.get(call, []), default=self.checks.charges)
        self._calls.setdefault(call, []).append(begun)
        try:
            answer = await house.ask(request(house))
        except Gone:
            answer = None
        except TollbrushError as failure:
            answer = failure.with_traceback(None)  # whose frames hold it
            self.checks.told(what, payment, failure, begun=begun, alone=alone)
        finally:
            self._calls[call].remove(begun)
        self.checks.within_means()
        if isinstance(answer, Delivery):
            self.checks.delivered(what, answer)
        elif isinstance(answer, Pending):
            self.checks.pending(what, answer)
        if self.story.told:
            self.story.note("{} → {}: {}", house.process.name, what, _shown(answer))
        return answer

    # ── what goes wrong ─────────────────────────────────────────────────────────────────────────────────

    async def _fault(self, kind: str) -> None:
        rng = self.rng
        await self.loop.sleep(rng.uniform(0, 45))
        if kind in ("kill", "stop", "freeze"):
            await self._trouble(kind)
            return
        claimed = await self.disk.ledger.open_charges()
        if claimed:
            self._meddle(kind, rng.choice(claimed))

    def _meddle(self, kind: str, charge: Charge) -> None:
        """Between claim and settlement a payer's money goes, comes, or is sent by somebody else."""
        chain = next(c for c in self.chains if NETWORKS[c.family] == charge.key.network)
        payer, nonce = charge.key.payer, charge.key.nonce
        self.story.note("{}: {}, {}", kind, payer, nonce)
        if kind == "drain":
            chain.balances[payer] = 0
        elif kind == "top up":
            chain.fund(payer, PRICE)
        elif chain.family == "evm" and kind == "cancel" and nonce not in chain.landed:
            chain.cancelled.add(nonce)
        elif chain.family == "evm" and kind == "front-run":
            chain.submit(json.loads(charge.payload), by_gateway=False)

    async def _trouble(self, kind: str) -> None:
        rng = self.rng
        i = rng.randrange(len(self.houses))
        house = self.houses[i]
        if not house.answers:
            return
        self.story.note("{} {}", kind, house.process.name)
        if kind == "freeze":
            self.loop.stop(house.process)
            self._frozen = True
            await self.loop.sleep(rng.uniform(1, 60))
            self.story.note("{} goes on", house.process.name)
            self.loop.resume(house.process)
            return
        if kind == "kill":
            house.kill()
        else:
            await house.stop(rng.uniform(0, 10))
        await self.loop.sleep(rng.choice((0.1, 5, 30)) * rng.random())
        self.houses[i] = self._open(0.0)

    # ── quiet ───────────────────────────────────────────────────────────────────────────────────────────

    async def _calm(self) -> None:
        """No more faults; one gateway sweeps until time has decided everything."""
        self.story.note("quiet")
        for chain in self.chains:
            chain.faults = 0.0
        self.disk.faults = 0.0
        if self._frozen:
            await self.loop.sleep(_AWAKE)
        for house in self.houses[1:]:
            house.kill()
        last = self.houses[0]
        last.background.cancel()
        for pause in (sum(_QUIET),) if self.disk.at_rest else _QUIET:
            await self.loop.sleep(pause)
            await last.ask(last.sweeper.sweep())
        self.checks.at_rest()


def _shown(answer: object) -> str:
    if isinstance(answer, Delivery):
        return f"delivery of {answer.job.id}, paid by {answer.charge.key.nonce}"
    if isinstance(answer, Pending):
        return f"job {answer.job.id} {answer.job.state.value}"
    return "connection lost" if answer is None else f"{type(answer).__name__} {answer}"
