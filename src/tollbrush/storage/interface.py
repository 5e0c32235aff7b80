"""Storage: the ledger of jobs and charges, and the pictures. One contract suite runs over every implementation."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tollbrush.domain.charges import Charge, ClaimKey
from tollbrush.domain.jobs import Job

SUFFIXES: Final = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}


@dataclass(frozen=True)
class Claimed:
    """`fresh`: this call made the claim; otherwise `charge` and `job` are the ones that already hold the payment."""

    charge: Charge
    job: Job
    fresh: bool


class OverBalance(Exception):
    """The payer's open claims and this one together exceed the balance read on chain."""


class TooManyOpen(Exception):
    """The payer already has the permitted number of open claims."""


class JobTaken(Exception):
    """The job has another payment that is not released, or its result is gone."""


class Ledger(Protocol):
    """Jobs and charges, durable: what a method returned survives a crash."""

    async def claim(
        self, charge: Charge, job: Job, *, balance: int, max_open: int, refused_since: int | None = None
    ) -> Claimed:
        """Bind a payment to a job, atomically. The key is unique among charges that are not released. A payer with a
        settlement refused at or after `refused_since` may have one open charge only. A job that exists must be
        completed and have no other unreleased charge. Raises OverBalance, TooManyOpen, JobTaken."""
        ...

    async def charge(self, charge_id: str) -> Charge | None: ...

    async def charge_of(self, key: ClaimKey) -> Charge | None:
        """The unreleased charge that holds this payment."""
        ...

    async def job(self, job_id: str) -> Job | None: ...

    async def charges_of_job(self, job_id: str) -> Sequence[Charge]: ...

    async def save(self, *, job: Job | None = None, charge: Charge | None = None, was: Charge | None = None) -> bool:
        """Write both in one transaction, synced. With `was`, only if the stored charge is still in `was.state`, and the
        stored job still of `job.owner` (compare and set): False, and nothing written, when another writer was first or
        the work has been handed on."""
        ...

    async def retire(self, job: Job) -> Job | None:
        """Write a job whose result goes, unless a payment holds it: None, and nothing written, while any of its charges
        is not released. The pictures on record stay listed, for `job` may be older than they are; as written."""
        ...

    async def open_charges(self) -> Sequence[Charge]:
        """Every charge that is neither settled nor released."""
        ...

    async def lease(self, job_id: str, owner: str, *, now: int, until: int) -> Job | None:
        """Take or renew the work on an unfinished job: None when another owner's lease still runs, or it is done."""
        ...

    async def orphans(self, now: int) -> Sequence[Job]:
        """Unfinished jobs whose lease has run out."""
        ...

    async def uncollected(self, before: int) -> Sequence[Job]:
        """Jobs completed before this moment, their pictures kept, that no payment holds any more."""
        ...

    async def paid(self, before: int) -> Sequence[Job]:
        """Jobs settled before this moment whose pictures are kept."""
        ...

    async def litter(self) -> Sequence[Job]:
        """Jobs that ended without a result and still list files."""
        ...

    async def history(self, *, since: int = 0) -> Sequence[tuple[Job, Charge]]:
        """Every charge claimed at or after `since` with its job, oldest first: what the operator's ledger shows."""
        ...

    async def probe(self) -> None:
        """Write something, to no effect. Raises Unavailable when that cannot be done."""
        ...

    async def close(self) -> None: ...


def new_key(mime_type: str) -> str:
    """An unguessable name for a picture: 192 random bits and the format's suffix."""
    return secrets.token_urlsafe(24) + SUFFIXES[mime_type]


class ImageStore(Protocol):
    """Finished pictures under the keys of `new_key`. The caller makes the key, so that it can be on record before the
    file is there. `put` returns after the bytes are synced."""

    async def put(self, key: str, data: bytes) -> None: ...

    async def get(self, key: str) -> tuple[bytes, str] | None:
        """Bytes and media type, or None. A malformed key is None, never an error."""
        ...

    async def delete(self, key: str) -> None: ...


class InputStore(Protocol):
    """What a job needs to be taken over by another process: private, synced, deleted at its end."""

    async def put(self, job_id: str, data: bytes) -> None: ...

    async def get(self, job_id: str) -> bytes | None: ...

    async def held(self) -> Sequence[str]:
        """The ids of all jobs that have inputs here, whole or half written."""
        ...

    async def delete(self, job_id: str) -> None: ...
