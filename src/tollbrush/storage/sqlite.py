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
from pathlib import Path
from typing import Any, Final, TypeVar

from tollbrush.domain.charges import Charge, ClaimKey
from tollbrush.domain.jobs import Job
from tollbrush.errors import BadSettings, Unavailable
from tollbrush.storage import rows
from tollbrush.storage.interface import Claimed
from tollbrush.storage.schema import MIGRATIONS, OTHER_FILE, open_ledger

T = TypeVar("T")
_Work = tuple[Callable[[sqlite3.Connection], Any], "Future[Any]"]
_GROUP: Final = 32


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
        return await self._do(lambda db: rows.claim(db, charge, job, balance, max_open, refused_since))

    async def charge(self, charge_id: str) -> Charge | None:
        return await self._do(lambda db: rows.find_charge(db, "id = ?", charge_id))

    async def charge_of(self, key: ClaimKey) -> Charge | None:
        return await self._do(lambda db: rows.find_claim(db, key))

    async def job(self, job_id: str) -> Job | None:
        return await self._do(lambda db: rows.find_job(db, job_id))

    async def charges_of_job(self, job_id: str) -> Sequence[Charge]:
        return await self._do(lambda db: rows.find_charges(db, "job_id = ?", job_id))

    async def save(self, *, job: Job | None = None, charge: Charge | None = None, was: Charge | None = None) -> bool:
        return await self._do(lambda db: rows.save(db, job, charge, was))

    async def retire(self, job: Job) -> Job | None:
        return await self._do(lambda db: rows.retire(db, job))

    async def open_charges(self) -> Sequence[Charge]:
        return await self._do(lambda db: rows.find_charges(db, rows.OPEN))

    async def lease(self, job_id: str, owner: str, *, now: int, until: int) -> Job | None:
        return await self._do(lambda db: rows.lease(db, job_id, owner, now, until))

    async def orphans(self, now: int) -> Sequence[Job]:
        return await self._do(lambda db: rows.find_jobs(db, f"{rows.UNFINISHED} AND lease_until < ?", now))

    async def uncollected(self, before: int) -> Sequence[Job]:
        return await self._do(lambda db: rows.find_jobs(db, rows.UNCOLLECTED, before))

    async def paid(self, before: int) -> Sequence[Job]:
        return await self._do(lambda db: rows.find_jobs(db, rows.PAID, before, before))

    async def litter(self) -> Sequence[Job]:
        return await self._do(lambda db: rows.find_jobs(db, rows.LITTER))

    async def history(self, *, since: int = 0) -> Sequence[tuple[Job, Charge]]:
        return await self._do(lambda db: rows.find_history(db, "created >= ?", since))

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
            db = open_ledger(path)
        except (OSError, sqlite3.Error) as failure:
            refused = BadSettings(
                f"the ledger {path} cannot be opened: {failure}.",
                advice=f"Is its disk full or read-only, or held by another program? {OTHER_FILE}",
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
