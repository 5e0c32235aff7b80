"""Two chains as a till sees them: balances, single-use payments, and a network that delays, loses and forgets.

Base-like: an authorization moves its money once, within its time, by whoever submits it; transactions may stay in the
pool, fail, or never land. Solana-like: a transaction dies with its blockhash, and lands once, well or failed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Literal

from simulation.loop import NATURE, VirtualLoop
from simulation.story import Story
from tollbrush.domain.charges import ClaimKey
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.errors import PaymentRefused, Unavailable
from tollbrush.payments.interface import Outcome, Settlement, Verified
from tollbrush.payments.once import Once

EPOCH: Final = 1_800_000_000
SELLER: Final = "seller"
NETWORKS: Final[dict[Literal["evm", "svm"], str]] = {
    "evm": "eip155:84532",
    "svm": "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1",
}
_BLOCKHASH_SECONDS: Final = 90
_SETTLE_MARGIN: Final = 30


class Unreachable(Exception):
    """The node did not answer, whatever it did."""


class Reverted(Exception):
    """The contract says no, in x402's words."""


@dataclass
class Transaction:
    hash: str
    pay: dict[str, Any]
    by_gateway: bool
    moved: bool | None = None
    """None: in the pool, or lost."""


@dataclass
class Chain:
    """One chain. `faults` is the share of calls that go wrong."""

    loop: VirtualLoop
    rng: Random
    family: Literal["evm", "svm"]
    story: Story
    faults: float = 0.0
    balances: dict[str, int] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    landed: dict[str, Transaction] = field(default_factory=dict)
    """What spent a payment: by nonce."""
    cancelled: set[str] = field(default_factory=set)
    means: Counter[str] = field(default_factory=Counter)
    """All that a payer ever had."""

    @property
    def now(self) -> float:
        return EPOCH + self.loop.time()

    def fund(self, payer: str, amount: int) -> None:
        self.balances[payer] = self.balances.get(payer, 0) + amount
        self.means[payer] += amount

    def submit(self, pay: dict[str, Any], *, by_gateway: bool) -> Transaction:
        """To the pool; it lands later, or never. Solana's transactions are their payment's own."""
        same = self.family == "svm"
        tx = Transaction(f"tx-{pay['nonce']}" if same else f"tx{len(self.transactions)}", pay, by_gateway)
        self.transactions.append(tx)
        if not self.fails(0.5):
            late = self.rng.random() < self.faults
            delay = self.rng.uniform(0, 150) if late else self.rng.random() * 2
            self.loop.call_later(delay, self._land, tx, context=NATURE)
        return tx

    def refusal(self, pay: dict[str, Any]) -> str | None:
        """Why it would not pass in the next block."""
        if pay["nonce"] in self.landed or pay["nonce"] in self.cancelled:
            return "invalid_exact_evm_nonce_already_used"
        if self.now >= pay["until"]:
            return "expired"
        if self.now < pay["after"]:
            return "not_yet_valid"
        return None if self.balances[pay["payer"]] >= pay["value"] else "insufficient_funds"

    def _land(self, tx: Transaction) -> None:
        pay, refusal = tx.pay, self.refusal(tx.pay)
        if self.family == "svm" and (pay["nonce"] in self.landed or refusal == "expired"):
            return
        tx.moved = refusal is None
        self.story.note("{} lands: {}", tx.hash, refusal or "money moves")
        if tx.moved:
            self.balances[pay["payer"]] -= pay["value"]
            self.balances[SELLER] = self.balances.get(SELLER, 0) + pay["value"]
        if tx.moved or self.family == "svm":
            self.landed[pay["nonce"]] = tx

    def fails(self, share: float) -> bool:
        return self.faults > 0 and self.rng.random() < self.faults * share

    async def call(self) -> None:
        """One call's way there and back. Raises Unreachable."""
        slow = self.rng.random() < 0.05
        await self.loop.sleep(self.rng.uniform(1, 20) if slow and self.faults else self.rng.random() * 0.2)
        if self.fails(1):
            raise Unreachable


class SimTill:
    """A gateway's till on a simulated chain: as careful, and as blind, as the real ones."""

    def __init__(self, chain: Chain) -> None:
        self._chain, self._once = chain, Once()
        self.network = NETWORKS[chain.family]

    def requirement(self, amount: int) -> Requirement:
        return Requirement(self.network, "usdc", amount, SELLER)

    def identify(self, payment: Payment) -> ClaimKey:
        return ClaimKey(self.network, "usdc", payment.payload["payer"], payment.payload["nonce"])

    async def verify(self, payment: Payment, requirement: Requirement, *, now: int, deadline: int) -> Verified:
        pay, evm = payment.payload, self._chain.family == "evm"
        if evm and (pay["until"] < deadline + _SETTLE_MARGIN or pay["after"] > now):
            raise PaymentRefused("Not within its time.", reason="expired")
        try:
            await self._chain.call()
        except Unreachable as failure:
            raise Unavailable("The chain cannot be read.") from failure
        if refusal := self._chain.refusal(dict(pay)):
            raise PaymentRefused(refusal, reason=refusal)
        balance = self._chain.balances[pay["payer"]]
        until = pay["until"] if evm else now + _BLOCKHASH_SECONDS
        return Verified(self.identify(payment), requirement, pay, until, balance)

    async def settle(self, verified: Verified) -> Settlement:
        settle = self._settle_evm if self._chain.family == "evm" else self._settle_svm
        return await self._once.run(verified.key, lambda: settle(dict(verified.payload)))

    async def _settle_evm(self, pay: dict[str, Any]) -> Settlement:
        chain = self._chain
        try:
            await chain.call()
            if refusal := chain.refusal(pay):  # the gas estimate reverts: nothing is sent
                return await self._after_revert(pay, refusal)
            tx = chain.submit(pay, by_gateway=True)
            chain.story.note("{} sent for {}", tx.hash, pay["nonce"])
            await chain.call()
        except Unreachable:
            return Settlement(Outcome.UNKNOWN, None, "not_sent")
        for _ in range(4):
            await chain.loop.sleep(3)
            if tx.moved is not None:
                break
        if tx.moved is None:
            return Settlement(Outcome.UNKNOWN, tx.hash, "settlement_pending")
        return Settlement(Outcome.SETTLED, tx.hash) if tx.moved else await self._after_revert(pay, "transaction_failed")

    async def _after_revert(self, pay: dict[str, Any], reason: str) -> Settlement:
        """A revert is a refusal only when nobody else's transaction carried this authorization."""
        try:
            await self._chain.call()
        except Unreachable:
            return Settlement(Outcome.UNKNOWN, reason="chain_unreachable")
        if pay["nonce"] in self._chain.landed or pay["nonce"] in self._chain.cancelled:
            return self._spent(pay)
        return Settlement(Outcome.REFUSED, reason=reason)

    async def _settle_svm(self, pay: dict[str, Any]) -> Settlement:
        for _ in range(4):
            try:
                await self._chain.call()
                tx = self._chain.submit(pay, by_gateway=True)
                self._chain.story.note("{} sent", tx.hash)
            except Unreachable:
                pass  # a lost answer proves nothing: the chain is asked
            await self._chain.loop.sleep(3)
            found = await self._find(pay, f"tx-{pay['nonce']}")
            if found.outcome is not Outcome.UNKNOWN:
                break
        return found

    async def find(self, verified: Verified, tx_hash: str | None) -> Settlement:
        return await self._find(dict(verified.payload), tx_hash)

    async def _find(self, pay: dict[str, Any], tx_hash: str | None) -> Settlement:
        chain = self._chain
        try:
            await chain.call()
        except Unreachable:
            return Settlement(Outcome.UNKNOWN, tx_hash, "chain_unreachable")
        if pay["nonce"] in chain.landed or pay["nonce"] in chain.cancelled:
            return self._spent(pay)
        if chain.now >= pay["until"]:
            return Settlement(Outcome.REFUSED, reason="expired")
        return Settlement(Outcome.UNKNOWN, tx_hash)

    def _spent(self, pay: dict[str, Any]) -> Settlement:
        tx = self._chain.landed.get(pay["nonce"])
        if tx is None:
            return Settlement(Outcome.REFUSED, reason="authorization_canceled")
        return Settlement(Outcome.SETTLED, tx.hash) if tx.moved else Settlement(Outcome.REFUSED, tx.hash, "failed")

    async def check(self) -> str | None:
        return None

    async def fees(self) -> None:
        pass

    async def close(self) -> None:
        await self._once.drain()
