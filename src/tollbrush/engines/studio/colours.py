"""A colour as asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """`name` in the caller's words (`deep blue`, `#ff8800`); `rgb` 0..255."""

    name: str
    rgb: tuple[int, int, int]
