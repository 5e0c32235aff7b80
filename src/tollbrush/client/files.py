"""Files of this machine, read for callers who may not have their owner's rights: a chat, an agent, a web page.

A file is read only below the allowed roots, by a walk that follows no link. Whether its bytes are a picture is for the
caller to check before anything of them is given away.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tollbrush.errors import BadImage, BadRequest

_WHY: Final = {
    errno.ENOENT: "does not exist",
    errno.ENOTDIR: "does not exist",
    errno.EACCES: "may not be read",
    errno.EPERM: "may not be read",
    errno.ENAMETOOLONG: "is neither a data URI, nor a URL, nor a path",
    errno.ELOOP: "is a link that goes in circles or was changed meanwhile",
}


class LocalFiles:
    """Reads below `roots`, see `allowed_roots`; at most `max_bytes` of a file."""

    def __init__(self, roots: Sequence[Path], *, max_bytes: int) -> None:
        self._roots, self._max_bytes = tuple(roots), max_bytes

    def read(self, name: str, *, path: str) -> bytes:
        """The bytes of the file of this name, at most one more than allowed; `path` names the field in messages.
        Raises BadRequest, BadImage."""
        shown = shorten(name)
        if "\0" in name:
            raise BadRequest(f"{shown} is not a path.", path=path)
        try:
            asked = Path(name).expanduser()
            root = self._root_of(Path(os.path.realpath(asked)))
            real = Path(os.path.realpath(asked, strict=root is not None))
            if root is None or not real.is_relative_to(root):  # whether it exists is told of what may be read alone
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

    def _root_of(self, real: Path) -> Path | None:
        return next((r for r in self._roots if real.is_relative_to(r)), None)

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
                return handle.read(self._max_bytes + 1)
        finally:
            os.close(file)

    def _check_kind(self, file: os.stat_result, shown: str, path: str) -> None:
        if stat.S_ISDIR(file.st_mode):
            raise BadImage(f"{shown} is a folder.", path=path)
        if not stat.S_ISREG(file.st_mode):
            raise BadImage(f"{shown} is a device or a pipe, not a file.", path=path)
        if file.st_size > self._max_bytes:
            raise BadImage(f"{shown} has {file.st_size:,} bytes; at most {self._max_bytes:,}.", path=path)


def allowed_roots(configured: Sequence[Path]) -> tuple[Path, ...]:
    """The real folders below which files may be read: as configured, else home, the working and temporary folders."""
    wanted = configured or (Path.home(), *_working(), Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108
    roots: dict[Path, None] = {}
    for folder in wanted:
        with suppress(OSError, RuntimeError):  # a folder that is not there allows nothing
            roots[folder.expanduser().resolve(strict=True)] = None
    return tuple(roots)


def shorten(text: str) -> str:
    """A name as messages quote it."""
    return repr(text if len(text) <= 120 else text[:117] + "…")


def _working() -> tuple[Path, ...]:
    # Started by a service manager or a desktop, a program works in /, which would allow every file.
    try:
        folder = Path.cwd()
    except FileNotFoundError:
        return ()
    return () if folder == folder.parent else (folder,)
