"""Where a picture comes from: a data URI, a file on this machine, or a public URL.

A file is read only below the allowed roots, by a walk that follows no link, and only given away when its bytes are
a picture: the router acts with its owner's rights for callers who may not have them.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from tollbrush.errors import BadImage, BadRequest
from tollbrush.imaging.header import sniff
from tollbrush.router.fetch import Fetcher
from tollbrush.settings import LimitSettings, RouterSettings
from tollbrush.wire import datauri

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII | re.IGNORECASE)
_WHY: Final = {
    errno.ENOENT: "does not exist",
    errno.ENOTDIR: "does not exist",
    errno.EACCES: "may not be read",
    errno.EPERM: "may not be read",
    errno.ENAMETOOLONG: "is neither a data URI, nor a URL, nor a path",
    errno.ELOOP: "is a link that goes in circles or was changed meanwhile",
}


class Sources:
    """Reads what `image` and `mask` name."""

    def __init__(self, router: RouterSettings, limits: LimitSettings, *, fetcher: Fetcher | None = None) -> None:
        self._roots = allowed_roots(router.allowed_roots)
        self._limits = limits
        self._fetcher = fetcher or Fetcher(max_bytes=limits.image_bytes, extra_hosts=router.extra_hosts)

    async def picture(self, given: str | bytes, *, path: str) -> bytes:
        """What came as bytes, checked, or what a reference names. Raises BadRequest."""
        if isinstance(given, str):
            return await self.read(given, path=path)
        return self._checked(given, f"the file of {path}", path)

    async def read(self, reference: str, *, path: str) -> bytes:
        """The encoded picture. `path`: the request's field (`image[1]`, `mask`), for messages. Raises BadRequest."""
        scheme = _SCHEME.match(reference)
        match scheme[1].lower() if scheme else "":
            case "data":
                data = datauri.decode(reference, path=path, max_bytes=self._limits.image_bytes)
            case "http" | "https":
                data = await self._fetcher.get(reference, path=path)
            case "file":
                local = unquote(urlsplit(reference).path)
                data = await asyncio.to_thread(self._read_file, local, path)
            case _:
                data = await asyncio.to_thread(self._read_file, reference, path)
        return self._checked(data, _shown(reference), path)

    def _checked(self, data: bytes, shown: str, path: str) -> bytes:
        if len(data) > self._limits.image_bytes:
            raise BadImage(f"{shown} has {len(data):,} bytes; {self._cap()}.", path=path)
        sniff(data, max_pixels=self._limits.image_pixels, path=path)
        return data

    def _cap(self) -> str:
        return f"at most {self._limits.image_bytes:,}"

    def _read_file(self, name: str, path: str) -> bytes:
        shown = _shown(name)
        if "\0" in name:
            raise BadRequest(f"{shown} is not a path.", path=path)
        try:
            real = Path(os.path.realpath(Path(name).expanduser(), strict=True))
            root = next((r for r in self._roots if real.is_relative_to(r)), None)
            if root is None:
                raise BadRequest(
                    f"{shown} is outside the folders that may be read.",
                    path=path,
                    advice=f"Allowed: {', '.join(map(str, self._roots))}; the setting router.allowed_roots changes it.",
                )
            return self._read_below(root, real, shown, path)
        except OSError as failure:
            why = _WHY.get(failure.errno or 0, f"cannot be read ({failure.strerror})")
            raise BadRequest(f"{shown} {why}.", path=path) from failure
        except RuntimeError as homeless:  # expanduser: no such user
            raise BadRequest(f"{shown} does not exist.", path=path) from homeless

    def _read_below(self, root: Path, real: Path, shown: str, path: str) -> bytes:
        """Open each step without following links, so that nothing swapped in since the check is read."""
        parts = real.relative_to(root).parts or (".",)
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in parts[:-1]:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = inner
            # O_NONBLOCK: opening a pipe must not wait for its writer.
            file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        finally:
            os.close(folder)
        try:
            self._check_kind(os.fstat(file), shown, path)
            with os.fdopen(file, "rb", closefd=False) as handle:
                return handle.read(self._limits.image_bytes + 1)
        finally:
            os.close(file)

    def _check_kind(self, file: os.stat_result, shown: str, path: str) -> None:
        if stat.S_ISDIR(file.st_mode):
            raise BadImage(f"{shown} is a folder.", path=path)
        if not stat.S_ISREG(file.st_mode):
            raise BadImage(f"{shown} is a device or a pipe, not a file.", path=path)
        if file.st_size > self._limits.image_bytes:
            raise BadImage(f"{shown} has {file.st_size:,} bytes; {self._cap()}.", path=path)


def allowed_roots(configured: Sequence[Path]) -> tuple[Path, ...]:
    """The real folders below which files may be read: as configured, else home, the working and temporary folders."""
    wanted = configured or (Path.home(), Path.cwd(), Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108
    roots: dict[Path, None] = {}
    for folder in wanted:
        with suppress(OSError, RuntimeError):  # a folder that is not there allows nothing
            roots[folder.expanduser().resolve(strict=True)] = None
    return tuple(roots)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:117] + "…")
