"""What an edit is: the request as the house understands it, and the rules its fields obey. No I/O."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tollbrush.errors import BadRequest

Fit = Literal["crop", "pad", "stretch"]
MaskMode = Literal["auto", "luma", "alpha"]
OutputFormat = Literal["png", "jpeg", "webp"]

FITS: Final = ("crop", "pad", "stretch")
MASK_MODES: Final = ("auto", "luma", "alpha")
OUTPUT_FORMATS: Final = ("png", "jpeg", "webp")
QUALITIES: Final = ("low", "medium", "high", "xhigh", "max")
BACKGROUNDS: Final = ("transparent", "opaque")
MAX_PREVIEWS: Final = 3
MAX_PROMPT: Final = 32_000
MAX_N: Final = 10
MAX_SEED: Final = 2**31 - 1

_FLATTEST: Final = 0.7
"""Of one ratio of sides to another: beyond it over three tenths of a picture would be cut away."""
_SIZE = re.compile(r"[1-9][0-9]{0,4}x[1-9][0-9]{0,4}", re.ASCII)


@dataclass(frozen=True, order=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    def passes_for(self, wanted: Size) -> bool:
        """Whether a picture of this size, fitted, is what was asked for: half the pixels at least, and about the
        shape. Models that make a picture anew answer near the size they are asked for, seldom at it."""
        ratio = self.width * wanted.height / (self.height * wanted.width)
        return 2 * self.pixels >= wanted.pixels and _FLATTEST <= ratio <= 1 / _FLATTEST

    @classmethod
    def parse(cls, text: str) -> Size:
        """`1536x1024` → Size. Raises BadRequest on anything else (`1024X1024`, `01x1`, non-ASCII digits)."""
        if not _SIZE.fullmatch(text):
            raise BadRequest(f"size {text[:40]!r} is not WIDTHxHEIGHT, for example 1024x1024, nor auto.", path="size")
        width, height = text.split("x")
        return cls(int(width), int(height))


def parse_size(text: str) -> Size | None:
    """A size, or None for `auto` (keep the source's)."""
    return None if text == "auto" else Size.parse(text)


@dataclass(frozen=True)
class EditRequest:
    """One edit as asked for. `sources` and `mask` are encoded picture bytes; `size` None means `auto`;
    `seed` None means drawn at random and reported; `fit` None means the caller named none (crop); `quality` and
    `background` None leave the choice to the model. `previews`: at most so many unfinished pictures of each image."""

    model: str | None
    prompt: str
    sources: Sequence[bytes]
    mask: bytes | None = None
    size: Size | None = Size(1024, 1024)
    n: int = 1
    seed: int | None = None
    fit: Fit | None = None
    mask_mode: MaskMode = "auto"
    output_format: OutputFormat | None = None
    quality: str | None = None
    background: str | None = None
    previews: int = 0

    def digest(self) -> str:
        """SHA-256 over the fields and decoded bytes: what a payment is bound to. Encodings and multipart
        boundaries differ per attempt, meaning does not; nor do `previews`, which are only seen on the way."""
        h = hashlib.sha256()
        fields = (
            self.model,
            self.prompt,
            self.size,
            self.n,
            self.seed,
            self.fit,
            self.mask_mode,
            self.output_format,
            self.quality,
            self.background,
        )
        for part in (repr(fields).encode(), self.mask or b"", *self.sources):
            h.update(len(part).to_bytes(8, "big"))
            h.update(part)
        h.update(b"masked" if self.mask is not None else b"unmasked")
        return h.hexdigest()


def check_prompt(prompt: object) -> str:
    """1–32,000 characters, not only white space. Raises BadRequest."""
    if not isinstance(prompt, str):
        raise BadRequest("prompt is required and must be text.", path="prompt")
    if not prompt.strip():
        raise BadRequest("prompt is empty; say what should change.", path="prompt")
    if len(prompt) > MAX_PROMPT:
        raise BadRequest(f"prompt has {len(prompt):,} characters; at most {MAX_PROMPT:,}.", path="prompt")
    return prompt


def check_int(value: object, name: str, low: int, high: int) -> int:
    """A JSON integer within [low, high]; `True`, `2.0` and `"two"` are not. Raises BadRequest."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest(f"{name} must be a whole number from {low} to {high}, not {str(value)[:40]!r}.", path=name)
    if not low <= value <= high:
        shown = value if abs(value) < 10**12 else "far out of range"
        raise BadRequest(f"{name} is {shown}; it must be {low} to {high}.", path=name)
    return value


def check_choice(value: object, name: str, choices: tuple[str, ...]) -> str:
    """One of `choices`. Raises BadRequest."""
    if not isinstance(value, str) or value not in choices:
        raise BadRequest(f"{name} must be one of {', '.join(choices)}, not {str(value)[:40]!r}.", path=name)
    return value
