"""Where pictures go: standard output when it is piped, a named file, or a free name in the working folder."""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from io import UnsupportedOperation
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tollbrush.client import Edit
from tollbrush.errors import BadRequest

SUFFIX: Final = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}
_ODD = re.compile(r"[^\w.-]+")
_AGAIN: Final = "It is paid for: `tollbrush history` lists it, and saves it elsewhere."


def stdout_is_piped() -> bool:
    """Whether a program or a file takes what we print."""
    try:
        mode = os.fstat(sys.stdout.fileno()).st_mode
    except (UnsupportedOperation, OSError, AttributeError):  # no real stdout
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def check_target(output: str) -> None:
    """Before anything is paid for. Raises BadRequest when the file cannot be written."""
    path = Path(output).expanduser()
    if path.is_dir():
        raise BadRequest(f"{path} is a folder.", advice=f"Name a file in it: -o {path / 'out.png'}")
    if not path.parent.is_dir():
        raise BadRequest(f"{path} cannot be written: there is no folder {path.parent}.", advice="Make it first.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise BadRequest(f"{path} cannot be written: no permission.", advice="Choose another -o.")


def save(edit: Edit, output: str | None, source: str) -> list[Path]:
    """The files written: as named, `-2`, `-3` … for further pictures, or `<stem>-edited.png` in the working folder
    under a number that is free. Raises BadRequest."""
    files = []
    for number, image in enumerate(edit.images, 1):
        if output is not None:
            path = Path(output).expanduser()
            path = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        else:
            path = _free(stem_of(source), SUFFIX[image.mime_type])
        files.append(write(path, image.bytes))
    return files


def write(path: Path, data: bytes) -> Path:
    """The whole file or none, and a device or a pipe as it is. Raises BadRequest."""
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return path
        target = path.resolve()  # through a link, as any program writes
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".part", delete=False) as draft:
            try:
                draft.write(data)
                draft.flush()
                Path(draft.name).chmod(_mode(target))
                Path(draft.name).replace(target)
            except BaseException:
                Path(draft.name).unlink(missing_ok=True)
                raise
    except OSError as failure:
        raise BadRequest(f"{path} cannot be written: {failure.strerror}.", advice=_AGAIN) from failure
    return path


def stem_of(source: str) -> str:
    """A name for the result of this source: of its file, of its URL's last part, else `image`."""
    scheme = source[:8].lower()
    if source == "-" or scheme.startswith("data:"):
        return "image"
    path = urlsplit(source).path if scheme.startswith(("http://", "https://")) else source
    return _ODD.sub("-", Path(path).stem).strip("-.")[:80] or "image"


def _mode(target: Path) -> int:
    """What the file had, else what the user's mask leaves of 0666."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def _free(stem: str, suffix: str) -> Path:
    path, number = Path(f"{stem}-edited{suffix}"), 1
    while path.exists():
        number += 1
        path = Path(f"{stem}-edited-{number}{suffix}")
    return path
