"""The ledger in SQLite: WAL, synchronous FULL, one thread that owns the connection, group commit.

Every write waiting when the thread comes round shares one transaction and so one fsync; each has its own savepoint,
so that one that fails takes nothing of the others with it. Reads go the same way: the ledger is small and its
answers must see every write before them.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tollbrush.domain.charges import Charge, ClaimKey
from tollbrush.domain.jobs import Job, JobState
from tollbrush.errors import BadSettings, Unavailable
from tollbrush.storage.interface import Claimed, JobTaken, OverBalance, TooManyOpen

_OTHER_FILE: Final = "Is another file in its place?"
T = TypeVar("T")
_Work = tuple[Callable[[sqlite3.Connection], Any], "Future[Any]"]
_GROUP: Final = 32

MIGRATIONS: Final = (
    """
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY, payer TEXT NOT NULL, model TEXT NOT NULL, requested_model TEXT NOT NULL,
        size TEXT NOT NULL, n INTEGER NOT NULL, amount INTEGER NOT NULL, created INTEGER NOT NULL,
        state TEXT NOT NULL, images TEXT NOT NULL, error_code TEXT, error TEXT, updated INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE charges (
        id TEXT PRIMARY KEY, network TEXT NOT NULL, asset TEXT NOT NULL, payer TEXT NOT NULL, nonce TEXT NOT NULL,
        amount INTEGER NOT NULL, pay_to TEXT NOT NULL, valid_until INTEGER NOT NULL, request_hash TEXT NOT NULL,
        job_id TEXT NOT NULL REFERENCES jobs(id), payload TEXT NOT NULL, created INTEGER NOT NULL,
        state TEXT NOT NULL, tx_hash TEXT, reason TEXT, updated INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX one_claim ON charges (network, asset, payer, nonce) WHERE state <> 'released';
    CREATE INDEX open_of_payer ON charges (network, asset, payer) WHERE state NOT IN ('settled', 'released');
    CREATE INDEX charges_of_job ON charges (job_id);
    """,
    """
    ALTER TABLE charges ADD COLUMN refused_at INTEGER;
    ALTER TABLE jobs ADD COLUMN deadline INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX unfinished ON jobs (lease_until) WHERE state IN ('queued', 'in_progress');
    CREATE INDEX refused_of_payer ON charges (network, asset, payer, refused_at) WHERE refused_at IS NOT NULL;
    CREATE INDEX charges_by_time ON charges (created);
    """,
    """
    CREATE UNIQUE INDEX one_charge_a_job ON charges (job_id) WHERE state <> 'released';
    CREATE INDEX litter ON jobs (id) WHERE images <> '[]' AND state IN ('failed', 'cancelled');
    """,
    """
    ALTER TABLE jobs ADD COLUMN usage TEXT NOT NULL DEFAULT '{}';
    """,
    """
    CREATE INDEX hosted ON jobs (updated) WHERE images <> '[]';
    CREATE INDEX released ON charges (job_id) WHERE state = 'released';
    """,
)

_JOB: Final = (
    "id, payer, model, requested_model, size, n, amount, created, state, images, error_code, error, updated, "
    "deadline, owner, lease_until, usage"
)
_CHARGE: Final = (
    "id, network, asset, payer, nonce, amount, pay_to, valid_until, request_hash, job_id, payload, created, state, "
    "tx_hash, reason, updated, refused_at"
)
OPEN: Final = "state NOT IN ('settled', 'released')"
_UNFINISHED: Final = "state IN ('queued', 'in_progress')"
_LITTER: Final = "images <> '[]' AND state IN ('failed', 'cancelled')"
_UNCOLLECTED: Final = (
    "images <> '[]' AND state = 'completed' AND updated < ? "
    "AND id IN (SELECT job_id FROM charges WHERE state = 'released') "
    "AND NOT EXISTS (SELECT 1 FROM charges c WHERE c.job_id = jobs.id AND c.state <> 'released')"
)
"""From those released, who are few: most pictures that are kept are paid for."""
_PAID: Final = (
    "images <> '[]' AND updated < ? "
    "AND EXISTS (SELECT 1 FROM charges c WHERE c.job_id = jobs.id AND c.state = 'settled' AND c.updated < ?)"
)


class SqliteLedger:
    """`path` is the database file. Methods raise Unavailable when the disk fails, the constructor BadSettings."""

    def __init__(self, path: Path) -> None:
        self._inbox: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(path, opened), name="ledger", daemon=True)
        self._thread.start()
        opened.result()

    async def claim(
        self, charge: Charge, job: Job, *, balance: int, max_open: int, refused_since: int | None = None
    ) -> Claimed:
        return await self._do(lambda db: _claim(db, charge, job, balance, max_open, refused_since))

    async def charge(self, charge_id: str) -> Charge | None:
        return await self._do(lambda db: _charge(db, "id = ?", charge_id))

    async def charge_of(self, key: ClaimKey) -> Charge | None:
        return await self._do(lambda db: _charge_of(db, key))

    async def job(self, job_id: str) -> Job | None:
        return await self._do(lambda db: _job(db, job_id))

    async def charges_of_job(self, job_id: str) -> Sequence[Charge]:
        return await self._do(lambda db: _charges(db, "job_id = ?", job_id))

    async def save(self, *, job: Job | None = None, charge: Charge | None = None, was: Charge | None = None) -> bool:
        return await self._do(lambda db: _save(db, job, charge, was))

    async def retire(self, job: Job) -> Job | None:
        return await self._do(lambda db: _retire(db, job))

    async def open_charges(self) -> Sequence[Charge]:
        return await self._do(lambda db: _charges(db, OPEN))

    async def lease(self, job_id: str, owner: str, *, now: int, until: int) -> Job | None:
        return await self._do(lambda db: _lease(db, job_id, owner, now, until))

    async def orphans(self, now: int) -> Sequence[Job]:
        return await self._do(lambda db: _jobs(db, f"{_UNFINISHED} AND lease_until < ?", now))

    async def uncollected(self, before: int) -> Sequence[Job]:
        return await self._do(lambda db: _jobs(db, _UNCOLLECTED, before))

    async def paid(self, before: int) -> Sequence[Job]:
        return await self._do(lambda db: _jobs(db, _PAID, before, before))

    async def litter(self) -> Sequence[Job]:
        return await self._do(lambda db: _jobs(db, _LITTER))

    async def history(self, *, since: int = 0) -> Sequence[tuple[Job, Charge]]:
        return await self._do(lambda db: find_history(db, "created >= ?", since))

    async def probe(self) -> None:
        await self._do(lambda db: db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}"))

    async def close(self) -> None:
        self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        done: Future[T] = Future()
        self._inbox.put((work, done))
        try:
            # Shielded: a caller that goes away must not turn a write that happened into one that did not.
            return await asyncio.shield(asyncio.wrap_future(done))
        except sqlite3.Error as failure:
            raise Unavailable(f"the ledger could not be written ({failure}).", retry_after=30) from failure

    def _run(self, path: Path, opened: Future[None]) -> None:
        try:
            db = _open(path)
        except (OSError, sqlite3.Error) as failure:
            refused = BadSettings(
                f"the ledger {path} cannot be opened: {failure}.",
                advice=f"Is its disk full or read-only? {_OTHER_FILE}",
            )
            refused.__cause__ = failure
            opened.set_exception(refused)
            return
        except BaseException as failure:  # noqa: BLE001 - handed to the constructor, which raises it
            opened.set_exception(failure)
            return
        opened.set_result(None)
        while (first := self._inbox.get()) is not None:
            group, last = [first], False
            while len(group) < _GROUP and not self._inbox.empty():
                more = self._inbox.get()
                if more is None:
                    last = True
                    break
                group.append(more)
            _commit_group(db, group)
            if last:
                break
        db.close()


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = sqlite3.connect(path, isolation_level=None, timeout=10)
    db.row_factory = sqlite3.Row
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        db.execute(f"PRAGMA {pragma}")
    path.chmod(0o600)
    _migrate(db, path)
    return db


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    """All of it or nothing, and of several processes that start together, one. Raises BadSettings."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise BadSettings(
                f"the ledger {path} is of version {version}, and this tollbrush knows {len(MIGRATIONS)}.",
                advice="Run the version that it was last used with, or a newer one.",
            )
        if not version and db.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise BadSettings(f"{path} is another program's database.", advice=f"{_OTHER_FILE} Set another data_dir.")
        for script in MIGRATIONS[version:]:
            for statement in script.split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _commit_group(db: sqlite3.Connection, group: Sequence[_Work]) -> None:
    answers: list[tuple[Future[Any], Any, BaseException | None]] = []
    try:
        db.execute("BEGIN IMMEDIATE")
        for work, done in group:
            db.execute("SAVEPOINT one")
            try:
                answers.append((done, work(db), None))
            except Exception as failure:  # noqa: BLE001 - handed to the caller who asked, as it is
                answers.append((done, None, failure))
                db.execute("ROLLBACK TO one")
            db.execute("RELEASE one")
        db.execute("COMMIT")
    except sqlite3.Error as failure:
        # A full disk may end the transaction at once: what failed first says why, not the savepoint that is gone.
        cause = next((error for _, _, error in answers if isinstance(error, sqlite3.Error)), failure)
        if db.in_transaction:
            db.execute("ROLLBACK")
        answers = [(done, None, cause) for _, done in group]
    for done, value, error in answers:
        if error is None:
            done.set_result(value)
        else:
            done.set_exception(error)


def _claim(
    db: sqlite3.Connection, charge: Charge, job: Job, balance: int, max_open: int, refused_since: int | None
) -> Claimed:
    if held := _charge_of(db, charge.key):
        owner = _job(db, held.job_id)
        assert owner is not None  # the foreign key says so
        return Claimed(held, owner, fresh=False)
    known = _job(db, job.id)
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
        if _charge(db, refused, key.network, key.asset, key.payer, refused_since):
            max_open = 1
    if count >= max_open:
        raise TooManyOpen
    if total + charge.amount > balance:
        raise OverBalance
    _save(db, None if known else job, charge, None)
    return Claimed(charge, known or job, fresh=True)


def _save(db: sqlite3.Connection, job: Job | None, charge: Charge | None, was: Charge | None) -> bool:
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
        _upsert(db, "jobs", _JOB, row)
    if charge is not None:
        key = charge.key
        row = (
            charge.id, key.network, key.asset, key.payer, key.nonce, charge.amount, charge.pay_to, charge.valid_until,
            charge.request_hash, charge.job_id, charge.payload, charge.created, charge.state.value, charge.tx_hash,
            charge.reason, charge.updated, charge.refused_at,
        )  # fmt: skip
        _upsert(db, "charges", _CHARGE, row)
    return True


def _upsert(db: sqlite3.Connection, table: str, columns: str, row: tuple[Any, ...]) -> None:
    names = columns.split(", ")
    changes = ", ".join(f"{n} = excluded.{n}" for n in names[1:])
    marks = ", ".join("?" * len(names))
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {changes}", row)


def _held(db: sqlite3.Connection, job_id: str) -> bool:
    return _charge(db, "job_id = ? AND state <> 'released'", job_id) is not None


def _retire(db: sqlite3.Connection, job: Job) -> Job | None:
    stored = _job(db, job.id)
    if stored is None or _held(db, job.id):
        return None
    retired = replace(job, images=stored.images)
    _save(db, retired, None, None)
    return retired


def _lease(db: sqlite3.Connection, job_id: str, owner: str, now: int, until: int) -> Job | None:
    taken = db.execute(
        f"UPDATE jobs SET owner = ?, lease_until = ? WHERE id = ? AND {_UNFINISHED} AND (owner = ? OR lease_until < ?)",
        (owner, until, job_id, owner, now),
    )
    return _job(db, job_id) if taken.rowcount else None


def _job(db: sqlite3.Connection, job_id: str) -> Job | None:
    return next(iter(_jobs(db, "id = ?", job_id)), None)


def _jobs(db: sqlite3.Connection, where: str, *values: str | int) -> list[Job]:
    rows = db.execute(f"SELECT {_JOB} FROM jobs WHERE {where} ORDER BY created, id", values).fetchall()
    decoded = ({name: msgspec.json.decode(row[name]) for name in ("images", "usage")} for row in rows)
    return [msgspec.convert(dict(row) | parts, Job) for row, parts in zip(rows, decoded, strict=True)]


def find_history(db: sqlite3.Connection, where: str, *values: str | int) -> list[tuple[Job, Charge]]:
    charges = _charges(db, where, *values)
    jobs = {j.id: j for j in _jobs(db, f"id IN (SELECT job_id FROM charges WHERE {where})", *values)}
    return [(jobs[c.job_id], c) for c in charges]


def _charge_of(db: sqlite3.Connection, key: ClaimKey) -> Charge | None:
    where = "network = ? AND asset = ? AND payer = ? AND nonce = ? AND state <> 'released'"
    return _charge(db, where, key.network, key.asset, key.payer, key.nonce)


def _charge(db: sqlite3.Connection, where: str, *values: str | int) -> Charge | None:
    return next(iter(_charges(db, where, *values)), None)


def _charges(db: sqlite3.Connection, where: str, *values: str | int) -> list[Charge]:
    rows = db.execute(f"SELECT {_CHARGE} FROM charges WHERE {where} ORDER BY created, id", values)
    return [msgspec.convert({**dict(row), "key": dict(row)}, Charge) for row in rows]
