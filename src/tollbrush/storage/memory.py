"""The ledger and the pictures in memory: for simulations and tests; passes the same contract suite as SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from tollbrush.domain.changed import changed
from tollbrush.domain.charges import Charge, ChargeState, ClaimKey
from tollbrush.domain.jobs import Job, JobState
from tollbrush.storage.interface import SUFFIXES, Claimed, JobTaken, OverBalance, TooManyOpen


class MemoryLedger:
    """One event loop, no awaits inside a method: every method is atomic."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._charges: dict[str, Charge] = {}

    async def claim(
        self, charge: Charge, job: Job, *, balance: int, max_open: int, refused_since: int | None = None
    ) -> Claimed:
        if held := await self.charge_of(charge.key):
            return Claimed(held, self._jobs[held.job_id], fresh=False)
        if (known := self._jobs.get(job.id)) and (known.state is not JobState.COMPLETED or self._held(job.id)):
            raise JobTaken
        key = charge.key
        own = [
            c
            for c in self._charges.values()
            if (c.key.network, c.key.asset, c.key.payer) == (key.network, key.asset, key.payer)
        ]
        open_ = [c for c in own if c.open]
        if refused_since is not None and any((c.refused_at or -1) >= refused_since for c in own):
            max_open = 1
        if len(open_) >= max_open:
            raise TooManyOpen
        if sum(c.amount for c in open_) + charge.amount > balance:
            raise OverBalance
        self._jobs[job.id], self._charges[charge.id] = known or job, charge
        return Claimed(charge, job, fresh=True)

    async def charge(self, charge_id: str) -> Charge | None:
        return self._charges.get(charge_id)

    async def charge_of(self, key: ClaimKey) -> Charge | None:
        return next((c for c in self._charges.values() if c.key == key and c.state is not ChargeState.RELEASED), None)

    async def job(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    async def charges_of_job(self, job_id: str) -> Sequence[Charge]:
        return [c for c in self._charges.values() if c.job_id == job_id]

    async def save(self, *, job: Job | None = None, charge: Charge | None = None, was: Charge | None = None) -> bool:
        if was is not None and self._charges[was.id].state is not was.state:
            return False
        if was is not None and job is not None and self._jobs[job.id].owner != job.owner:
            return False
        if job is not None:
            self._jobs[job.id] = job
        if charge is not None:
            self._charges[charge.id] = charge
        return True

    async def retire(self, job: Job) -> Job | None:
        if self._held(job.id):
            return None
        self._jobs[job.id] = changed(job, images=self._jobs[job.id].images)
        return self._jobs[job.id]

    def _held(self, job_id: str) -> bool:
        return any(c.job_id == job_id and c.state is not ChargeState.RELEASED for c in self._charges.values())

    async def open_charges(self) -> Sequence[Charge]:
        return [c for c in self._charges.values() if c.open]

    async def lease(self, job_id: str, owner: str, *, now: int, until: int) -> Job | None:
        job = self._jobs.get(job_id)
        if job is None or job.finished or (job.owner != owner and job.lease_until >= now):
            return None
        self._jobs[job_id] = changed(job, owner=owner, lease_until=until)
        return self._jobs[job_id]

    async def orphans(self, now: int) -> Sequence[Job]:
        return [j for j in self._jobs.values() if not j.finished and j.lease_until < now]

    async def uncollected(self, before: int) -> Sequence[Job]:
        completed = [j for j in self._jobs.values() if j.images and j.state is JobState.COMPLETED]
        return [j for j in completed if j.updated < before and not self._held(j.id)]

    async def paid(self, before: int) -> Sequence[Job]:
        settled = (c for c in self._charges.values() if c.state is ChargeState.SETTLED and c.updated < before)
        return [job for job in (self._jobs[c.job_id] for c in settled) if job.images]

    async def litter(self) -> Sequence[Job]:
        return [j for j in self._jobs.values() if j.images and j.state in (JobState.FAILED, JobState.CANCELLED)]

    async def history(self, *, since: int = 0) -> Sequence[tuple[Job, Charge]]:
        found = sorted((c for c in self._charges.values() if c.created >= since), key=lambda c: (c.created, c.id))
        return [(self._jobs[c.job_id], c) for c in found]

    async def probe(self) -> None:
        pass

    async def close(self) -> None:
        pass


class MemoryImages:
    def __init__(self) -> None:
        self._images: dict[str, tuple[bytes, str]] = {}

    async def put(self, key: str, data: bytes) -> None:
        self._images[key] = (data, next(mime for mime, suffix in SUFFIXES.items() if key.endswith(suffix)))

    async def get(self, key: str) -> tuple[bytes, str] | None:
        return self._images.get(key)

    async def delete(self, key: str) -> None:
        self._images.pop(key, None)


class MemoryInputs:
    def __init__(self) -> None:
        self._inputs: dict[str, bytes] = {}

    async def put(self, job_id: str, data: bytes) -> None:
        self._inputs[job_id] = data

    async def held(self) -> Sequence[str]:
        return list(self._inputs)

    async def get(self, job_id: str) -> bytes | None:
        return self._inputs.get(job_id)

    async def delete(self, job_id: str) -> None:
        self._inputs.pop(job_id, None)
