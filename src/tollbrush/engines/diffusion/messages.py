"""What the gateway and a diffusion worker say to each other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tollbrush.engines.diffusion.model import DiffusionModel, Tuning
from tollbrush.engines.interface import EditInput, EditOutput, Progress
from tollbrush.errors import TollbrushError


@dataclass(frozen=True)
class Setup:
    """The first message: what to serve, and on what. `device` as torch names it; None is the first GPU."""

    rows: tuple[DiffusionModel, ...]
    device: str | None = None
    tuning: Tuning | None = None
    cache: Path | None = None
    offline: bool = False
    token: str | None = field(default=None, repr=False)

    def pinned(self, name: str, commit: str | None) -> Setup:
        """For a worker that takes another one's place: it runs the same files."""
        if commit is None:
            return self
        return replace(
            self, rows=tuple(replace(row, revision=commit) if row.name == name else row for row in self.rows)
        )


@dataclass(frozen=True)
class Load:
    name: str


@dataclass(frozen=True)
class Edit:
    id: int
    name: str
    request: EditInput


@dataclass(frozen=True)
class Cancel:
    id: int


WARMING: Final = "warming up"


@dataclass(frozen=True)
class Loading:
    """`doing` in a word or two (`WARMING`, the last), `fraction` in 0..1."""

    name: str
    doing: str
    fraction: float


@dataclass(frozen=True)
class Loaded:
    """`commit`: that of a hub model."""

    name: str
    commit: str | None


@dataclass(frozen=True)
class NotLoaded:
    name: str
    error: TollbrushError


@dataclass(frozen=True)
class Waits:
    """A model is not in the device's memory until it is asked for: others are. `why` in a sentence."""

    name: str
    why: str


@dataclass(frozen=True)
class Slower:
    """A model runs in a slower way than it was to. `why` in a sentence."""

    name: str
    why: str


@dataclass(frozen=True)
class Told:
    id: int
    progress: Progress


@dataclass(frozen=True)
class Done:
    """The last word on an edit."""

    id: int
    result: EditOutput | TollbrushError


Answer = Loading | Loaded | NotLoaded | Waits | Slower | Told | Done
