"""Pictures as files: one per key, in 256 folders, synced before `put` returns."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Final

from tollbrush.errors import Unavailable

_SUFFIX: Final = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
_MIME: Final = {suffix: mime for mime, suffix in _SUFFIX.items()}
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{32}\.(?:png|jpg|webp)", re.ASCII)


class FileImages:
    """Keys are 192 random bits and the format's suffix; anything else is nobody's picture."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def put(self, data: bytes, mime_type: str) -> str:
        """Raises Unavailable when the disk does not take it."""
        key = secrets.token_urlsafe(24) + _SUFFIX[mime_type]
        try:
            await asyncio.to_thread(write_synced, self._path(key), data)
        except OSError as failure:
            raise Unavailable(f"the result could not be stored ({failure.strerror}).", retry_after=30) from failure
        return key

    async def get(self, key: str) -> tuple[bytes, str] | None:
        if not _KEY.fullmatch(key):
            return None
        try:
            data = await asyncio.to_thread(self._path(key).read_bytes)
        except FileNotFoundError:
            return None
        return data, _MIME[Path(key).suffix]

    async def delete(self, key: str) -> None:
        if _KEY.fullmatch(key):
            await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key


class FileInputs:
    """A file per job. Job ids are ours: URL-safe base64."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def put(self, job_id: str, data: bytes) -> None:
        """Raises Unavailable when the disk does not take it."""
        try:
            await asyncio.to_thread(write_synced, self._folder / job_id, data)
        except OSError as failure:
            raise Unavailable(f"The job could not be stored ({failure.strerror}).", retry_after=30) from failure

    async def get(self, job_id: str) -> bytes | None:
        try:
            return await asyncio.to_thread((self._folder / job_id).read_bytes)
        except FileNotFoundError:
            return None

    async def delete(self, job_id: str) -> None:
        await asyncio.to_thread((self._folder / job_id).unlink, missing_ok=True)


def write_synced(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write whole or not at all: temporary file, fsync, rename, fsync of the folder. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).rename(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
