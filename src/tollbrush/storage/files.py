"""Pictures as files: one per key, in 256 folders, synced before `put` returns."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from tollbrush.errors import Unavailable
from tollbrush.storage.interface import SUFFIXES

_MIME: Final = {suffix: mime for mime, suffix in SUFFIXES.items()}
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{32}\.(?:png|jpg|webp)", re.ASCII)
_NEW: Final = ".new-"


P = ParamSpec("P")
T = TypeVar("T")


class FileImages:
    """What is no key of `new_key` is nobody's picture. Methods raise Unavailable
    when the disk fails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def put(self, key: str, data: bytes) -> None:
        await _on_disk(write_synced, self._path(key), data)

    async def get(self, key: str) -> tuple[bytes, str] | None:
        if not _KEY.fullmatch(key):
            return None
        data = await _on_disk(_read, self._path(key))
        return None if data is None else (data, _MIME[Path(key).suffix])

    async def delete(self, key: str) -> None:
        if _KEY.fullmatch(key):
            await _on_disk(_remove, self._path(key))

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key


class FileInputs:
    """A file per job. Job ids are ours: URL-safe base64. Methods raise Unavailable when the disk fails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def put(self, job_id: str, data: bytes) -> None:
        await _on_disk(write_synced, self._folder / job_id, data)

    async def get(self, job_id: str) -> bytes | None:
        return await _on_disk(_read, self._folder / job_id)

    async def delete(self, job_id: str) -> None:
        await _on_disk(_remove, self._folder / job_id)

    async def held(self) -> Sequence[str]:
        names = await _on_disk(os.listdir, self._folder)
        return sorted({name.removeprefix(_NEW) for name in names})


async def _on_disk(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """In a thread, to its end even for a caller that goes away: a write must not come after its own removal. Raises
    Unavailable."""
    done = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait({done})
        raise
    except OSError as failure:
        raise Unavailable(f"the data folder's disk fails ({failure.strerror}).", retry_after=30) from failure


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def write_synced(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write whole or not at all: temporary file, fsync, rename, fsync of the folder. One writer of a path at a time.
    Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = _temporary(path)
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _temporary(path: Path) -> Path:
    """By name, so that what a crash leaves half written goes with the rest."""
    return path.with_name(_NEW + path.name)


def _remove(path: Path) -> None:
    _temporary(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)
