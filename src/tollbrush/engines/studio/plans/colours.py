"""Colours, as asked for and by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final


@dataclass(frozen=True)
class Colour:
    """`name` in the caller's words (`deep blue`, `#ff8800`); `rgb` 0..255."""

    name: str
    rgb: tuple[int, int, int]


def _listed() -> dict[str, str]:
    """Name → rrggbb: the less common ones."""
    text = (files("tollbrush.engines.studio.plans") / "colours.txt").read_text("utf-8")
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))


COLOURS: Final[Mapping[str, str]] = {
    **_listed(),
    "white": "ffffff", "black": "000000", "grey": "808080", "silver": "c0c3c7", "charcoal": "36393f",
    "red": "d7263d", "crimson": "b3122b", "maroon": "6d1a26", "burgundy": "6b1028", "coral": "ff7f61",
    "orange": "f58220", "peach": "ffc9a3", "brown": "7a4a26", "beige": "e9dcc3", "cream": "fbf3dc",
    "ivory": "fdfaec", "tan": "cfae85", "gold": "d4af37", "yellow": "ffd83d", "mustard": "d6a520",
    "lime": "a8d93a", "green": "2f9e44", "olive": "77803a", "mint": "aee8cd", "emerald": "159a64",
    "teal": "138086", "turquoise": "35c8c0", "cyan": "22c3e6", "sky blue": "87c8f0", "baby blue": "a9d4f2",
    "blue": "2463d1", "royal blue": "2b4bd0", "navy blue": "16284f", "indigo": "42309b", "purple": "7a3fb8",
    "violet": "8450d0", "lavender": "cbbcf0", "lilac": "c9a7e0", "magenta": "d02ba0", "pink": "f49ac2",
    "hot pink": "ff4fa3", "rose": "e8637f", "emerald green": "159a64", "forest green": "22592f", "lime green": "8fd12f",
    "mint green": "aee8cd", "olive green": "77803a", "sea green": "2e9b77", "blood red": "8a0f18",
    "cherry red": "c3142d",
    "wine red": "6b1028", "brick red": "a23b2c", "salmon": "fa8f7c", "rose pink": "f08aa5", "charcoal grey": "36393f",
    "silver grey": "b4b8bd", "golden yellow": "f2b91c", "lemon yellow": "fbe94b", "mustard yellow": "d6a520",
    "burnt orange": "c4581c", "chocolate brown": "4d2c18", "royal purple": "5c2a9d", "midnight blue": "131f45",
    "steel blue": "4c7ea8", "powder blue": "b3d6e6", "cobalt blue": "1d49a8", "electric blue": "1e6bff",
}  # fmt: skip
