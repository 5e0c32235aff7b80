"""The book of a wallet's spending: reservations, receipts and pinned recipients, in one SQLite file.

    reserved ──► spent        a receipt came
        │  └───► doubtful ──► spent | unspent     sent, but no receipt: only the chain may clear it
        └──────► unspent      never left this machine

All but `unspent` count against the caps. Reservations are serialised across threads and processes by SQLite's write
lock, and durable before anything is signed.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from tollbrush.domain.networks import BY_ID
from tollbrush.domain.payments import Requirement
from tollbrush.errors import Unavailable
from tollbrush.payments.policy import DAY, HOUR, Caps, Spent, check_caps, check_pin

_BUSY_SECONDS: Final = 30
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS spending (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, gateway TEXT NOT NULL, network TEXT NOT NULL, pay_to TEXT NOT NULL,
    amount INTEGER NOT NULL, state TEXT NOT NULL, life TEXT NOT NULL, expires INTEGER NOT NULL, tx_hash TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS spending_at ON spending (at);
CREATE INDEX IF NOT EXISTS spending_doubtful ON spending (network, expires) WHERE state IN ('reserved', 'doubtful');
CREATE TABLE IF NOT EXISTS pins (
    gateway TEXT NOT NULL, network TEXT NOT NULL, pay_to TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (gateway, network)
) STRICT;
"""
_RESERVE: Final = """
INSERT INTO spending (at, gateway, network, pay_to, amount, life, expires, state)
VALUES (?, ?, ?, ?, ?, ?, ?, 'reserved') RETURNING id
"""
_SPENT: Final = """
SELECT coalesce(sum(amount) FILTER (WHERE at > :hour), 0), coalesce(sum(amount) FILTER (WHERE at > :day), 0),
       coalesce(sum(amount), 0)
FROM spending WHERE state <> 'unspent'
"""


class SpendState(StrEnum):
    RESERVED = "reserved"
    SPENT = "spent"
    DOUBTFUL = "doubtful"
    UNSPENT = "unspent"


@dataclass(frozen=True)
class Spend:
    """One payment as booked. Times in Unix seconds, `amount` in atomic units; `life` is its nonce (EVM) or
    blockhash (Solana)."""

    id: int
    at: int
    gateway: str
    network: str
    pay_to: str
    amount: int
    state: SpendState
    life: str
    expires: int
    tx_hash: str | None


class SpendingBook:
    """`path` is the database file, made private with its folder. Thread-safe; every method raises Unavailable when
    the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._translated():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._lock = threading.Lock()
        self._connections: dict[int, sqlite3.Connection] = {}  # by process: none is carried across a fork
        with self._writing() as db:
            for statement in _SCHEMA.split(";"):
                db.execute(statement)

    def reserve(self, requirement: Requirement, *, gateway: str, caps: Caps, now: int, pin: bool, life: str) -> int:
        """Set the amount aside and, with `pin`, hold the recipient to this gateway's first one. One transaction:
        concurrent calls never pass a cap together. Raises SpendingPolicy."""
        expires = now + requirement.max_timeout
        with self._writing(flush=True) as db:
            if pin:
                _pin(db, requirement, gateway, now)
            check_caps(requirement.amount, caps, _spent(db, now))
            row = (now, gateway, requirement.network, requirement.pay_to, requirement.amount, life, expires)
            (spend,) = db.execute(_RESERVE, row).fetchone()
            return int(spend)

    def confirm(self, spend: int, tx_hash: str | None) -> None:
        """A receipt came."""
        self._move(spend, SpendState.SPENT, tx_hash)

    def doubt(self, spend: int) -> None:
        """It was sent, and no receipt came."""
        self._move(spend, SpendState.DOUBTFUL)

    def release(self, spend: int) -> None:
        """It never left this machine, or the chain shows that it can no longer be used and was not."""
        self._move(spend, SpendState.UNSPENT)

    def spent(self, now: int) -> Spent:
        with self._writing() as db:
            return _spent(db, now)

    def unresolved(self, network: str, *, now: int, limit: int = 20) -> Sequence[Spend]:
        """Payments on this network that expired without a receipt: their chain may tell what became of them."""
        where = "network = ? AND state IN ('reserved', 'doubtful') AND expires <= ? ORDER BY expires LIMIT ?"
        return self._list(where, (network, now, limit))

    def recent(self, limit: int = 50) -> Sequence[Spend]:
        """Newest first."""
        return self._list("1 ORDER BY id DESC LIMIT ?", (limit,))

    def pins(self) -> dict[tuple[str, str], str]:
        """(gateway origin, CAIP-2 network) → recipient."""
        with self._writing() as db:
            rows = db.execute("SELECT gateway, network, pay_to FROM pins ORDER BY gateway, network")
            return {(gateway, network): pay_to for gateway, network, pay_to in rows}

    def unpin(self, gateway: str) -> None:
        """Forget this gateway's recipients: its next ones are pinned."""
        with self._writing() as db:
            db.execute("DELETE FROM pins WHERE gateway = ?", (gateway,))

    def close(self) -> None:
        """It opens anew when it is used again."""
        with self._lock:
            if db := self._connections.pop(os.getpid(), None):
                db.close()

    def _move(self, spend: int, state: SpendState, tx_hash: str | None = None) -> None:
        # A receipt is final: what is spent stays spent.
        with self._writing() as db:
            db.execute(
                "UPDATE spending SET state = ?, tx_hash = coalesce(?, tx_hash) WHERE id = ? AND state <> 'spent'",
                (state, tx_hash, spend),
            )

    def _list(self, where: str, values: tuple[int | str, ...]) -> Sequence[Spend]:
        columns = "id, at, gateway, network, pay_to, amount, state, life, expires, tx_hash"
        with self._lock, self._translated():
            rows = self._connection().execute(f"SELECT {columns} FROM spending WHERE {where}", values)  # noqa: S608 - our own words
            return [_spend(row) for row in rows]

    @contextmanager
    def _writing(self, *, flush: bool = False) -> Iterator[sqlite3.Connection]:
        """`flush`: what is written is on the disk at the end. Otherwise a power cut may undo it, which only leaves a
        payment counted as reserved."""
        with self._lock, self._translated():
            db = self._connection()
            db.execute(f"PRAGMA synchronous = {'FULL' if flush else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            with db:  # commits, or rolls back what raised
                yield db

    def _connection(self) -> sqlite3.Connection:
        db = self._connections.get(os.getpid())
        if db is None:
            db = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA journal_mode = WAL")
            self._connections[os.getpid()] = db
        return db

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as failure:
            raise Unavailable(
                f"The spending book {self._path} cannot be used: {failure}.",
                advice="Nothing was signed. Make room, or mend the file's permissions.",
            ) from failure


def _pin(db: sqlite3.Connection, requirement: Requirement, gateway: str, now: int) -> None:
    network = BY_ID[requirement.network]
    row = db.execute("SELECT pay_to FROM pins WHERE gateway = ? AND network = ?", (gateway, network.id)).fetchone()
    check_pin(requirement, network, gateway=gateway, pinned=row[0] if row else None)
    if row is None:
        db.execute("INSERT INTO pins VALUES (?, ?, ?, ?)", (gateway, network.id, requirement.pay_to, now))


def _spend(row: tuple[Any, ...]) -> Spend:
    values = (*row[:6], SpendState(row[6]), *row[7:])
    return Spend(*values)


def _spent(db: sqlite3.Connection, now: int) -> Spent:
    return Spent(*db.execute(_SPENT, {"hour": now - HOUR, "day": now - DAY}).fetchone())
