"""What a batch edits: its pictures, the mask of each, and where each result goes."""

from __future__ import annotations

import glob
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tollbrush.errors import BadImage, BadMask, BadRequest

_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif")
_MAX_BYTES: Final = 64 * 2**20


@dataclass(frozen=True)
class Item:
    """One picture of a batch. `name`: its path below the batch's folder; `mask`: a file, or None; `masks`: the folder
    that should hold one and does not; `target`: its result below the output folder."""

    name: str
    path: Path
    mask: Path | None
    masks: Path | None
    target: Path

    def read(self) -> tuple[bytes, bytes | None, str]:
        """The picture, its mask, and a hash of both. Raises BadImage, BadMask."""
        if self.masks is not None:
            raise BadMask(f"no mask named {Path(self.name).stem} in {self.masks}.", advice="Add it, or leave out -m.")
        picture, mask = _read(self.path), None if self.mask is None else _read(self.mask)
        parts = (picture, mask or b"")
        return picture, mask, hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in parts)).hexdigest()


@dataclass(frozen=True)
class Plan:
    """All items, in order, and the folder for the results."""

    items: tuple[Item, ...]
    folder: Path


def plan(words: Sequence[str], *, mask: str | None, output: str | None, suffix: str) -> Plan:
    """`words`: folders, files and patterns. Raises BadRequest when they name no picture."""
    found = list(dict.fromkeys(path for word in words for path in _pictures(word)))
    if not found:
        raise BadRequest(f"no picture in {', '.join(map(repr, words))}.", advice=f"Looked for {', '.join(_SUFFIXES)}.")
    root = Path(words[0]).expanduser() if len(words) == 1 else None
    top = root if root is not None and root.is_dir() else Path(os.path.commonpath([p.parent for p in found]))
    folder = Path(output).expanduser() if output else _beside(top)
    found = [path for path in found if not path.resolve().is_relative_to(folder.resolve())]
    if not found:
        raise BadRequest(f"the pictures are in {folder}, where the results would go.", advice="Choose another -o.")
    names = [path.relative_to(top) for path in found]
    chosen = _masks(mask)
    stems = Counter(str(name.with_suffix("")).casefold() for name in names)
    items = []
    for path, name in zip(found, names, strict=True):
        alone = stems[str(name.with_suffix("")).casefold()] == 1
        target = name.with_suffix(suffix) if alone else name.with_name(name.name + suffix)
        own = chosen if chosen is None or chosen.is_file() else _mask_of(name, chosen)
        items.append(Item(str(name), path, own, chosen if chosen and own is None else None, target))
    return Plan(tuple(items), folder)


def _pictures(word: str) -> Iterator[Path]:
    given = Path(word).expanduser()
    if given.is_dir():
        listed = sorted(given.iterdir())
    elif given.is_file():
        yield given
        return
    else:
        listed = sorted(map(Path, glob.glob(str(given), recursive=True)))  # noqa: PTH207 - a pattern may be absolute
    yield from (p for p in listed if p.suffix.lower() in _SUFFIXES and not p.name.startswith(".") and p.is_file())


def _beside(top: Path) -> Path:
    return Path("edited") if top.resolve() == Path.cwd() else top.with_name(f"{top.resolve().name}-edited")


def _masks(mask: str | None) -> Path | None:
    """The one mask, or the folder of masks. Raises BadMask."""
    if mask is None:
        return None
    path = Path(mask).expanduser()
    if not path.is_file() and not path.is_dir():
        raise BadMask(f"there is no mask {str(path)!r}, nor a folder of that name.", advice="")
    return path


def _mask_of(name: Path, folder: Path) -> Path | None:
    """The mask of the same name: the same file name, else the same stem."""
    candidates = (name, *(name.with_suffix(suffix) for suffix in _SUFFIXES))
    return next((folder / c for c in candidates if (folder / c).is_file()), None)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadImage(f"{str(path)!r} is larger than {_MAX_BYTES // 2**20} MB.")
        return path.read_bytes()
    except OSError as failure:
        raise BadImage(f"{str(path)!r} cannot be read: {failure.strerror}.", advice="") from failure
