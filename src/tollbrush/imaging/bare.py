"""A picture as a file that may be passed on as it is. Light: whoever only carries one needs no pixel library."""

from __future__ import annotations

from dataclasses import dataclass

from tollbrush.domain.edits import OutputFormat, Size


@dataclass(frozen=True)
class Bare:
    """An encoded picture that is upright 8-bit sRGB and carries no metadata. `alpha`: it has such a channel."""

    data: bytes
    format: OutputFormat
    size: Size
    alpha: bool
