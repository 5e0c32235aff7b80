"""The book of edits: one row for each, from before its payment is signed until its pictures are home.

    running ──► paid ──► done        paid: bought, its pictures not saved here yet (routers save them)
        └─────► failed               keeps its payment: the same edit again sends that one, not a second

It outlives its process, so that nothing paid is lost and nothing is paid twice: what is signed and what is bought is on
the disk before the edit goes on. The rest may be lost with the machine's power: then it is found out again.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from tollbrush.client.orders import Upload
from tollbrush.errors import Unavailable
from tollbrush.payments.payer import SignedPayment

KEPT_ROWS: Final = 10_000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS edits (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    at REAL NOT NULL,
    digest TEXT NOT NULL,
    prompt TEXT NOT NULL,
    gateway TEXT NOT NULL,
    state TEXT NOT NULL,
    payment TEXT,
    job TEXT NOT NULL DEFAULT '',
    poll_url TEXT NOT NULL DEFAULT '',
    bought TEXT,
    answer TEXT,
    code TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS edits_digest ON edits (digest, at);
CREATE INDEX IF NOT EXISTS edits_job ON edits (job);
"""
_PRUNE: Final = "DELETE FROM edits WHERE row <= (SELECT max(row) FROM edits) - ? AND state <> 'running'"
_COLUMNS: Final = "id, at, digest, prompt, gateway, state, payment, job, poll_url, bought, answer, code, error"


class EditState(StrEnum):
    RUNNING = "running"
    PAID = "paid"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Row:
    """An edit. `at` in Unix seconds when it began; `job` and `poll_url` are the gateway's; `payment` is as good as
    cash; `bought` is the gateway's answer, `answer` the caller's."""

    id: str
    at: float
    digest: str
    prompt: str
    gateway: str
    state: EditState
    payment: SignedPayment | None = field(repr=False)
    job: str
    poll_url: str = field(repr=False)
    bought: Mapping[str, Any] | None = field(repr=False)
    answer: Mapping[str, Any] | None = field(repr=False)
    code: str
    error: str


class History:
    """One private SQLite file; the uploads of edits under way lie beside it. Thread-safe. Every method raises
    Unavailable when the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path, self._uploads = path, path.with_suffix(".uploads")
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._uploads.mkdir(exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
            self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")
            self._db.execute(_PRUNE, (KEPT_ROWS,))
        except (OSError, sqlite3.Error) as failure:
            raise _unusable(path, failure) from failure

    def begin(self, digest: str, prompt: str, gateway: str, *, at: float) -> str:
        """A new row's id: unguessable."""
        name = secrets.token_hex(12)
        row = (name, at, digest, prompt, gateway, EditState.RUNNING)
        self._run("INSERT INTO edits (id, at, digest, prompt, gateway, state) VALUES (?, ?, ?, ?, ?, ?)", row)
        return name

    def at_gateway(self, name: str, gateway: str) -> None:
        """Where it is bought is decided."""
        self._run("UPDATE edits SET gateway = ? WHERE id = ?", (gateway, name))

    def spool(self, name: str, upload: Upload) -> None:
        """Keep what is about to be uploaded, so that it can go up again after a crash."""
        try:
            with os.fdopen(os.open(self._uploads / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(upload.content_type.encode() + b"\n")
                file.write(upload.body)
        except OSError as failure:
            raise _unusable(self._uploads, failure) from failure

    def upload(self, name: str) -> Upload | None:
        try:
            content_type, _, body = (self._uploads / name).read_bytes().partition(b"\n")
        except OSError:
            return None
        return Upload(body, content_type.decode())

    def signed(self, name: str, payment: SignedPayment, job: str, poll_url: str) -> None:
        """Before the payment leaves this machine, and again when the edit has become a job."""
        row = (msgspec.json.encode(payment).decode(), job, poll_url, name)
        self._run("UPDATE edits SET payment = ?, job = ?, poll_url = ? WHERE id = ?", row, flush=True)
        if poll_url:
            self._forget_upload(name)

    def paid(self, name: str, bought: Mapping[str, Any]) -> None:
        """The gateway delivered."""
        self._run(
            "UPDATE edits SET state = 'paid', bought = ?, payment = NULL WHERE id = ?",
            (json.dumps(bought), name),
            flush=True,
        )
        self._forget_upload(name)

    def home(self, name: str, answer: Mapping[str, Any]) -> None:
        """Its pictures are saved."""
        row = (json.dumps(answer), name)
        self._run("UPDATE edits SET state = 'done', code = '', error = '', answer = ? WHERE id = ?", row)

    def failed(self, name: str, code: str, error: str, *, over: bool) -> None:
        """What is paid stays paid. `over`: the gateway's job has ended: asking for it again is of no use."""
        self._run(
            "UPDATE edits SET state = iif(state = 'running', 'failed', state), code = ?, error = ?, "
            "poll_url = iif(?, '', poll_url) WHERE id = ?",
            (code, error, over, name),
        )
        self._forget_upload(name)

    def reopen(self, name: str) -> None:
        """An edit that failed is tried again."""
        self._run("UPDATE edits SET state = 'running', code = '', error = '' WHERE id = ?", (name,))

    def get(self, name: str) -> Row | None:
        return next(iter(self._rows("WHERE id = ?", (name,), 1)), None)

    def of_job(self, job: str) -> Row | None:
        """By the gateway's own id."""
        return next(iter(self._rows("WHERE job = ? AND job <> ''", (job,), 1)), None)

    def latest(self, digest: str, *, since: float) -> Row | None:
        """The last edit of this digest that was bought, and begun at or after `since`."""
        where = "WHERE digest = ? AND at >= ? AND state IN ('paid', 'done')"
        return next(iter(self._rows(where, (digest, since), 1)), None)

    def unfinished(self, digest: str, *, since: float) -> Row | None:
        """The last edit of this digest that was signed for at or after `since` and brought nothing."""
        where = "WHERE digest = ? AND at >= ? AND payment IS NOT NULL AND state = 'failed'"
        return next(iter(self._rows(where, (digest, since), 1)), None)

    def under_way(self) -> list[Row]:
        """What was running, or not home yet, when its process ended."""
        return self._rows("WHERE state = 'running' OR (state = 'paid' AND code = '')", (), KEPT_ROWS)

    def recent(self, limit: int) -> list[Row]:
        """Newest first."""
        return self._rows("", (), limit)

    def close(self) -> None:
        self._db.close()

    def _forget_upload(self, name: str) -> None:
        with suppress(OSError):
            (self._uploads / name).unlink(missing_ok=True)

    def _rows(self, where: str, values: tuple[Any, ...], limit: int) -> list[Row]:
        query = f"SELECT {_COLUMNS} FROM edits {where} ORDER BY row DESC LIMIT ?"  # noqa: S608 - our own words
        with self._lock, _translated(self._path):
            return [_row(*found) for found in self._db.execute(query, (*values, limit))]

    def _run(self, query: str, values: tuple[Any, ...], *, flush: bool = False) -> None:
        with self._lock, _translated(self._path):
            self._db.execute(f"PRAGMA synchronous = {'FULL' if flush else 'NORMAL'}")
            self._db.execute(query, values)


def _row(
    name: str, at: float, digest: str, prompt: str, gateway: str, state: str, payment: str | None, *rest: Any
) -> Row:
    job, poll_url, bought, answer, code, error = rest
    return Row(
        name,
        at,
        digest,
        prompt,
        gateway,
        EditState(state),
        msgspec.json.decode(payment, type=SignedPayment) if payment else None,
        job,
        poll_url,
        json.loads(bought) if bought else None,
        json.loads(answer) if answer else None,
        code,
        error,
    )


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as failure:
        raise _unusable(path, failure) from failure


def _unusable(path: Path, failure: Exception) -> Unavailable:
    return Unavailable(
        f"the history {path} cannot be used: {failure}.", advice="Is the disk full, or the folder read-only?"
    )
