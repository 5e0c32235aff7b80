"""The ledger's rows: jobs and charges in SQL, each function within a transaction of its caller's."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

import msgspec

from tollbrush.domain.changed import changed
from tollbrush.domain.charges import Charge, ClaimKey
from tollbrush.domain.jobs import Job, JobState
from tollbrush.storage.interface import Claimed, JobTaken, OverBalance, TooManyOpen

_JOB: Final = (
    "id, payer, model, requested_model, size, n, amount, created, state, images, error_code, error, updated, "
    "deadline, owner, lease_until, usage"
)
_CHARGE: Final = (
    "id, network, asset, payer, nonce, amount, pay_to, valid_until, request_hash, job_id, payload, created, state, "
    "tx_hash, reason, updated, refused_at"
)


def _upsert(table: str, columns: str) -> str:
    names = columns.split(", ")
    changes = ", ".join(f"{n} = excluded.{n}" for n in names[1:])
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {changes}"


_SAVE_JOB: Final = _upsert("jobs", _JOB)
_SAVE_CHARGE: Final = _upsert("charges", _CHARGE)
OPEN: Final = "state NOT IN ('settled', 'released')"
UNFINISHED: Final = "state IN ('queued', 'in_progress')"
LITTER: Final = "images <> '[]' AND state IN ('failed', 'cancelled')"
UNCOLLECTED: Final = (
    "images <> '[]' AND state = 'completed' AND updated < ? "
    "AND id IN (SELECT job_id FROM charges WHERE state = 'released') "
    "AND NOT EXISTS (SELECT 1 FROM charges c WHERE c.job_id = jobs.id AND c.state <> 'released')"
)
"""From those released, who are few: most pictures that are kept are paid for."""
PAID: Final = (
    "images <> '[]' AND updated < ? "
    "AND EXISTS (SELECT 1 FROM charges c WHERE c.job_id = jobs.id AND c.state = 'settled' AND c.updated < ?)"
)


def claim(
    db: sqlite3.Connection, charge: Charge, job: Job, balance: int, max_open: int, refused_since: int | None
) -> Claimed:
    if held := find_claim(db, charge.key):
        owner = find_job(db, held.job_id)
        assert owner is not None  # the foreign key says so
        return Claimed(held, owner, fresh=False)
    known = find_job(db, job.id)
    if known and (known.state is not JobState.COMPLETED or _held(db, job.id)):
        raise JobTaken
    key = charge.key
    count, total = db.execute(
        f"SELECT COUNT(*), COALESCE(SUM(amount), 0) FROM charges WHERE network = ? AND asset = ? AND payer = ? "
        f"AND {OPEN}",
        (key.network, key.asset, key.payer),
    ).fetchone()
    if refused_since is not None:
        refused = "network = ? AND asset = ? AND payer = ? AND refused_at >= ?"
        if find_charge(db, refused, key.network, key.asset, key.payer, refused_since):
            max_open = 1
    if count >= max_open:
        raise TooManyOpen
    if total + charge.amount > balance:
        raise OverBalance
    save(db, None if known else job, charge, None)
    return Claimed(charge, known or job, fresh=True)


def save(db: sqlite3.Connection, job: Job | None, charge: Charge | None, was: Charge | None) -> bool:
    if was is not None:
        stored = db.execute("SELECT state FROM charges WHERE id = ?", (was.id,)).fetchone()
        if stored is None or stored[0] != was.state:
            return False
        if (
            job is not None
            and not db.execute("SELECT 1 FROM jobs WHERE id = ? AND owner = ?", (job.id, job.owner)).fetchone()
        ):
            return False
    if job is not None:
        images, usage = (msgspec.json.encode(part).decode() for part in (job.images, job.usage))
        row: tuple[Any, ...] = (
            job.id, job.payer, job.model, job.requested_model, job.size, job.n, job.amount, job.created,
            job.state.value, images, job.error_code, job.error, job.updated, job.deadline, job.owner, job.lease_until,
            usage,
        )  # fmt: skip
        db.execute(_SAVE_JOB, row)
    if charge is not None:
        key = charge.key
        row = (
            charge.id, key.network, key.asset, key.payer, key.nonce, charge.amount, charge.pay_to, charge.valid_until,
            charge.request_hash, charge.job_id, charge.payload, charge.created, charge.state.value, charge.tx_hash,
            charge.reason, charge.updated, charge.refused_at,
        )  # fmt: skip
        db.execute(_SAVE_CHARGE, row)
    return True


def _held(db: sqlite3.Connection, job_id: str) -> bool:
    return find_charge(db, "job_id = ? AND state <> 'released'", job_id) is not None


def retire(db: sqlite3.Connection, job: Job) -> Job | None:
    stored = find_job(db, job.id)
    if stored is None or _held(db, job.id):
        return None
    retired = changed(job, images=stored.images)
    save(db, retired, None, None)
    return retired


def lease(db: sqlite3.Connection, job_id: str, owner: str, now: int, until: int) -> Job | None:
    taken = db.execute(
        f"UPDATE jobs SET owner = ?, lease_until = ? WHERE id = ? AND {UNFINISHED} AND (owner = ? OR lease_until < ?)",
        (owner, until, job_id, owner, now),
    )
    return find_job(db, job_id) if taken.rowcount else None


def find_job(db: sqlite3.Connection, job_id: str) -> Job | None:
    return next(iter(find_jobs(db, "id = ?", job_id)), None)


def find_jobs(db: sqlite3.Connection, where: str, *values: str | int) -> list[Job]:
    rows = db.execute(f"SELECT {_JOB} FROM jobs WHERE {where} ORDER BY created, id", values).fetchall()
    decoded = ({name: msgspec.json.decode(row[name]) for name in ("images", "usage")} for row in rows)
    return [msgspec.convert(dict(row) | parts, Job) for row, parts in zip(rows, decoded, strict=True)]


def find_history(db: sqlite3.Connection, where: str, *values: str | int) -> list[tuple[Job, Charge]]:
    charges = find_charges(db, where, *values)
    jobs = {j.id: j for j in find_jobs(db, f"id IN (SELECT job_id FROM charges WHERE {where})", *values)}
    return [(jobs[c.job_id], c) for c in charges]


def find_claim(db: sqlite3.Connection, key: ClaimKey) -> Charge | None:
    where = "network = ? AND asset = ? AND payer = ? AND nonce = ? AND state <> 'released'"
    return find_charge(db, where, key.network, key.asset, key.payer, key.nonce)


def find_charge(db: sqlite3.Connection, where: str, *values: str | int) -> Charge | None:
    return next(iter(find_charges(db, where, *values)), None)


def find_charges(db: sqlite3.Connection, where: str, *values: str | int) -> list[Charge]:
    rows = db.execute(f"SELECT {_CHARGE} FROM charges WHERE {where} ORDER BY created, id", values)
    return [msgspec.convert({**dict(row), "key": dict(row)}, Charge) for row in rows]
