"""What must hold in every history, checked at every answer and when the world is at rest."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from simulation.chain import NETWORKS, SELLER, Chain
from simulation.disk import Disk
from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.domain.jobs import JobState
from tollbrush.domain.payments import Payment
from tollbrush.editing.service import Delivery, Pending
from tollbrush.errors import JobCancelled, NotFound, PaymentBusy, PaymentRefused, SettlementUnknown, TollbrushError

_MAYBE = (ChargeState.SETTLING, ChargeState.UNKNOWN, ChargeState.SETTLED)
_USED = ("payment_already_used", "invalid_exact_evm_nonce_already_used")


class Checks:
    """`wrong` collects what does not hold, in sentences."""

    def __init__(self, disk: Disk, chains: list[Chain]) -> None:
        self._disk, self._chains = disk, {NETWORKS[c.family]: c for c in chains}
        self.wrong: list[str] = []

    # ── at every answer ─────────────────────────────────────────────────────────────────────────────────

    def within_means(self) -> None:
        """The claims of unfinished work, together, are not above what their payer has. (A claim made by a poll counts
        nowhere: it ends within it.)"""
        claimed: dict[tuple[str, str], int] = {}
        seen: set[str] = set()
        for charge in self._charges().values():
            if charge.open and charge.job_id not in seen:
                whose = charge.key.network, charge.key.payer
                claimed[whose] = claimed.get(whose, 0) + charge.amount
            seen.add(charge.job_id)
        for (network, payer), amount in claimed.items():
            self._must(amount <= self._chains[network].means[payer], "{} has claims of {} open", payer, amount)

    def delivered(self, what: str, answer: Delivery) -> None:
        """Pictures leave only when they are paid for, on disk and on chain, and can be fetched."""
        charge = self._charges().get(answer.charge.id)
        landed = self._landed(answer.charge)
        self._must(charge is not None and charge.state is ChargeState.SETTLED, "{}: delivered on {}", what, charge)
        self._must(landed, "{}: delivered, and no money came for {}", what, answer.charge.key)
        self._must(answer.charge.job_id == answer.job.id, "{}: delivered on another job's charge", what)
        self._must(self._fetchable(answer.job.id), "{}: delivered without pictures", what)

    def pending(self, what: str, answer: Pending) -> None:
        """A job that ended without a result says that nothing was charged."""
        if answer.job.state in (JobState.FAILED, JobState.CANCELLED):
            held = [c for c in self._charges().values() if c.job_id == answer.job.id and c.state in _MAYBE]
            self._must(not held, "{}: {}, and yet {}", what, answer.job.state, held)

    def told(self, what: str, payment: Payment | None, failure: TollbrushError, *, begun: int, alone: bool) -> None:
        """Whoever hears `nothing was charged` must not be charged by the same payment afterwards. `begun`: how many
        charges there were when the request came; one that another gateway has made since, for a request of its own,
        may not have been seen yet by the gateway that answers, unless it is `alone`."""
        if payment is None or isinstance(failure, SettlementUnknown | PaymentBusy | NotFound | JobCancelled):
            return  # a cancelled job's payment may have bought another one since
        if isinstance(failure, PaymentRefused) and failure.reason in _USED:
            return
        key = (payment.payload["payer"], payment.payload["nonce"])
        seen = islice(self._charges().values(), None if alone else begun)
        held = [c for c in seen if (c.key.payer, c.key.nonce) == key and c.state in _MAYBE]
        self._must(not held, "{}: told {!r}, and yet {}", what, failure, held)

    # ── at rest ─────────────────────────────────────────────────────────────────────────────────────────

    def at_rest(self) -> None:
        charges, jobs = list(self._charges().values()), self._disk.ledger._jobs
        for charge in charges:
            self._must(not charge.open, "a claim is open for ever: {}", charge)
        for job in jobs.values():
            self._must(job.finished, "a job never ends: {}", job)
        listed = {image.key for job in jobs.values() for image in job.images}
        for key in self._disk.images._images:
            self._must(key in listed, "{} is nobody's picture", key)
        inputs = self._disk.inputs._inputs
        self._must(not inputs, "the inputs of {} are kept for ever", ", ".join(inputs))
        settled = [c for c in charges if c.state is ChargeState.SETTLED]
        for job_id, count in Counter(c.job_id for c in settled).items():
            self._must(count == 1, "job {} was paid {} times", job_id, count)
            self._must(jobs[job_id].state is JobState.COMPLETED, "a charged job is {}", jobs[job_id].state)
            self._must(self._fetchable(job_id), "charged, and the pictures of {} are gone", job_id)
        for charge in settled:
            self._must(self._landed(charge), "settled, and no money came: {}", charge)
        paid = {(c.key.network, c.key.nonce) for c in settled}
        for network, chain in self._chains.items():
            came = {tx.pay["nonce"]: tx for tx in chain.landed.values() if tx.moved}
            self._must(sum(tx.pay["value"] for tx in came.values()) == chain.balances.get(SELLER, 0), "bad chain")
            for nonce, tx in came.items():
                if tx.by_gateway:
                    self._must((network, nonce) in paid, "{}: we took {}, and no charge says so", tx.hash, nonce)

    @property
    def charges(self) -> int:
        """How many there have been."""
        return len(self._charges())

    def _must(self, holds: bool, sentence: str, *about: object) -> None:
        """`about` fills the braces of `sentence`."""
        if not holds:
            self.wrong.append(sentence.format(*about))

    def _charges(self) -> dict[str, Charge]:
        return self._disk.ledger._charges

    def _landed(self, charge: Charge) -> bool:
        tx = self._chains[charge.key.network].landed.get(charge.key.nonce)
        return tx is not None and tx.moved is True and tx.pay["value"] == charge.amount

    def _fetchable(self, job_id: str) -> bool:
        job, images = self._disk.ledger._jobs[job_id], self._disk.images._images
        return bool(job.images) and all(image.key in images for image in job.images)
