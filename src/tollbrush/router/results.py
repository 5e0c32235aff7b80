"""What was bought: pictures by content hash under the data folder."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from tollbrush.errors import NotFound, Unavailable

MIME_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}
_SUFFIX: Final = {mime: suffix for suffix, mime in MIME_TYPES.items()}
_KEY = re.compile(r"[0-9a-f]{64}\.(png|jpg|webp|gif)", re.ASCII)


class Pictures:
    """Files named by the SHA-256 of their bytes. Past `quota` bytes the least lately used go. Thread-safe. Raises
    Unavailable when the folder cannot be made."""

    def __init__(self, folder: Path, *, quota: int) -> None:
        self._folder, self._quota = folder, quota
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as failure:
            raise Unavailable(f"{folder} cannot be used: {failure.strerror}.", advice="Is it read-only?") from failure

    def save(self, data: bytes, mime_type: str, *, sha256: str = "") -> str:
        """Its key. `sha256`: of the data, when it is known. Raises Unavailable when the disk refuses."""
        key = f"{sha256 or hashlib.sha256(data).hexdigest()}.{_SUFFIX[mime_type]}"
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
