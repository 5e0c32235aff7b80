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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tollbrush.errors import NotFound, Unavailable

MIME_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}
_SUFFIX: Final = {mime: suffix for suffix, mime in MIME_TYPES.items()}
_KEY = re.compile(r"[0-9a-f]{64}\.(png|jpg|webp|gif)", re.ASCII)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY,
    finished REAL NOT NULL,
    digest TEXT NOT NULL,
    prompt TEXT NOT NULL,
    answer TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS history_digest ON history (digest, finished);
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
            files = sorted(((p.stat().st_mtime, p.stat().st_size, p) for p in self._folder.iterdir()), reverse=True)
            total = 0
            for _, size, path in files:
                total += size
                if total > self._quota and path.name != keep:
                    path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Bought:
    """A finished edit. `finished` in Unix seconds; `answer` as the router gave it."""

    finished: float
    prompt: str
    answer: Mapping[str, Any]


class History:
    """Finished edits, newest first. Thread-safe; survives a restart, so that a replay does too."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")

    def add(self, digest: str, bought: Bought) -> None:
        row = (bought.finished, digest, bought.prompt, json.dumps(bought.answer))
        with self._lock:
            self._db.execute("INSERT INTO history (finished, digest, prompt, answer) VALUES (?, ?, ?, ?)", row)

    def latest(self, digest: str, *, since: float) -> Bought | None:
        """The last edit of this digest that finished at or after `since`."""
        rows = self._read("WHERE digest = ? AND finished >= ?", (digest, since), 1)
        return rows[0] if rows else None

    def recent(self, limit: int) -> list[Bought]:
        return self._read("", (), limit)

    def close(self) -> None:
        self._db.close()

    def _read(self, where: str, values: tuple[Any, ...], limit: int) -> list[Bought]:
        query = f"SELECT finished, prompt, answer FROM history {where} ORDER BY id DESC LIMIT ?"  # noqa: S608
        with self._lock:
            rows = self._db.execute(query, (*values, limit)).fetchall()
        return [Bought(finished, prompt, json.loads(answer)) for finished, prompt, answer in rows]
