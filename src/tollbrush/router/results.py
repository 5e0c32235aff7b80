"""What was bought: pictures by content hash under the data folder, and a row of history for each edit."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from tollbrush.errors import NotFound, Unavailable
from tollbrush.payments.payer import SignedPayment

MIME_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}
_SUFFIX: Final = {mime: suffix for suffix, mime in MIME_TYPES.items()}
_KEY = re.compile(r"[0-9a-f]{64}\.(png|jpg|webp|gif)", re.ASCII)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    digest TEXT NOT NULL,
    prompt TEXT NOT NULL,
    bought TEXT NOT NULL,
    answer TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS history_digest ON history (digest, at);
CREATE TABLE IF NOT EXISTS unfinished (
    digest TEXT PRIMARY KEY,
    at REAL NOT NULL,
    payment TEXT NOT NULL,
    poll_url TEXT NOT NULL
) STRICT;
"""


class Pictures:
    """Files named by the SHA-256 of their bytes. Past `quota` bytes the least lately used go. Thread-safe."""

    def __init__(self, folder: Path, *, quota: int) -> None:
        self._folder, self._quota = folder, quota
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def save(self, data: bytes, mime_type: str) -> str:
        """Its key. Raises Unavailable when the disk refuses."""
        key = f"{hashlib.sha256(data).hexdigest()}.{_SUFFIX[mime_type]}"
        try:
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(self._folder / key)
        except OSError as failure:
            raise Unavailable(
                f"the result cannot be saved in {self._folder}: {failure.strerror}.",
                advice="Make room there. The picture is paid for: the same request again fetches it.",
            ) from failure
        self._prune(keep=key)
        return key

    def find(self, key: str) -> Path:
        """Raises NotFound."""
        path = self._folder / key
        if not _KEY.fullmatch(key) or not path.is_file():
            raise NotFound(f"no picture {key[:80]!r}.")
        with suppress(OSError):
            path.touch()
        return path

    def has(self, key: str) -> bool:
        return bool(_KEY.fullmatch(key)) and (self._folder / key).is_file()

    def _prune(self, *, keep: str) -> None:
        with self._lock:
            files = []
            for path in self._folder.iterdir():
                with suppress(FileNotFoundError):  # another thread's draft, renamed meanwhile
                    files.append((path.stat().st_mtime, path.stat().st_size, path))
            total = 0
            for _, size, path in sorted(files, reverse=True):
                total += size
                if total > self._quota and path.name != keep:
                    path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Row:
    """An edit that was paid for. `at` in Unix seconds; `bought` as the gateway answered; `answer` once its pictures
    are saved here."""

    id: int
    at: float
    prompt: str
    bought: Mapping[str, Any]
    answer: Mapping[str, Any] | None


@dataclass(frozen=True)
class Unfinished:
    """An edit that was signed for and not delivered. `payment` is as good as cash; `poll_url` once it is a job."""

    payment: SignedPayment = field(repr=False)
    poll_url: str


class History:
    """Paid edits and payments under way, in one private SQLite file. Thread-safe; survives a restart, so that neither
    a replay nor a second signature depends on this process. Raises Unavailable when the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")

    def paid(self, digest: str, prompt: str, bought: Mapping[str, Any], *, at: float) -> int:
        """A new row's id."""
        row = (at, digest, prompt, json.dumps(bought))
        cursor = self._run("INSERT INTO history (at, digest, prompt, bought) VALUES (?, ?, ?, ?)", row)
        self._run("DELETE FROM unfinished WHERE digest = ?", (digest,))
        return int(cursor.lastrowid or 0)

    def signed(self, digest: str, unfinished: Unfinished, *, at: float) -> None:
        """Before the payment leaves this machine, and again when the edit has become a job."""
        row = (digest, at, msgspec.json.encode(unfinished.payment).decode(), unfinished.poll_url)
        self._run("INSERT OR REPLACE INTO unfinished VALUES (?, ?, ?, ?)", row)

    def unfinished(self, digest: str, *, since: float) -> Unfinished | None:
        """The payment that was signed for this digest at or after `since` and brought nothing yet."""
        query = "SELECT payment, poll_url FROM unfinished WHERE digest = ? AND at >= ?"
        row = self._run(query, (digest, since)).fetchone()
        return Unfinished(msgspec.json.decode(row[0], type=SignedPayment), row[1]) if row else None

    def home(self, row: int, answer: Mapping[str, Any]) -> None:
        """Its pictures are saved."""
        self._run("UPDATE history SET answer = ? WHERE id = ?", (json.dumps(answer), row))

    def latest(self, digest: str, *, since: float) -> Row | None:
        """The last edit of this digest that was paid at or after `since`."""
        rows = self._rows("WHERE digest = ? AND at >= ?", (digest, since), 1)
        return rows[0] if rows else None

    def recent(self, limit: int) -> list[Row]:
        """Newest first."""
        return self._rows("", (), limit)

    def close(self) -> None:
        self._db.close()

    def _rows(self, where: str, values: tuple[Any, ...], limit: int) -> list[Row]:
        query = f"SELECT id, at, prompt, bought, answer FROM history {where} ORDER BY id DESC LIMIT ?"  # noqa: S608
        found = self._run(query, (*values, limit)).fetchall()
        return [Row(i, at, prompt, json.loads(b), json.loads(a) if a else None) for i, at, prompt, b, a in found]

    def _run(self, query: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        try:
            with self._lock:
                return self._db.execute(query, values)
        except sqlite3.Error as failure:
            raise Unavailable(
                f"the router's history cannot be used: {failure}.", advice="Is the disk full?"
            ) from failure
