"""`python -m bench.contact_sheet [FOLDER] [few]`: what the studio makes of real photographs, to be looked at.

Writes `studio-sheet-1.webp` and so on with a row for every example that the studio tells of, its refusals in words, one
column for each photograph; with `few`, only `studio-sheet.webp`, the small one of the documentation. What needs a mask
gets one: an oval of each photograph. Where the studio sees no clear subject it is asked again with a rough mask of the
background, as its refusal advises, and the tile says so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from bench.quality.photographs import outlined, photograph
from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.understanding.understand import offers, understand
from tollbrush.errors import CannotHonour

FEW = (
    "change the background to a starry sky", "change the background to a beach", "change the background to mountains",
    "change the background to a foggy landscape", "change the background to a studio", "remove the background",
    "blur the background", "change the sky to a sunset", "change the sky to a starry sky",
    "change the sky to a stormy sky", "extend the picture to the right", "remove this", "make this red",
    "add a witch hat", "add a flower crown", "add headphones", "add sunglasses", "add snow", "add rain", "add fog",
    "turn it into a watercolour", "turn it into an oil painting", "turn it into a pencil sketch",
    "turn it into a cartoon", "make it look vintage", "turn it into pop art", "make it black and white",
    "make it cinematic", "keep only red in colour", 'write "tollbrush" at the bottom', "crop it to a square",
)  # fmt: skip
ROWS = 12  # of a page
TILE = 132  # pixels: a tile's height
SIDE = 768  # pixels: the longer side at which each photograph is edited
ROUGH = 0.01  # of that side: how coarse a rough mask is
PAPER, INK = (245, 245, 243), (40, 40, 44)
SIZES = range(14, 6, -1)  # of letters, the first at which a text fits

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Photo:
    """`thing`: the oval (centre and half axes, of width and height) over what a mask marks; `outline`: the subject's,
    drawn by hand."""

    name: str
    thing: tuple[float, float, float, float]
    outline: str

    @cached_property
    def pixels(self) -> Pixels:
        pixels = photograph(self.name)
        scale = SIDE / max(pixels.shape[:2])
        return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)

    @cached_property
    def marked(self) -> Mask:
        (height, width), (x, y, across, down) = self.pixels.shape[:2], self.thing
        rows, columns = np.indices((height, width))
        return np.asarray(np.hypot((columns / width - x) / across, (rows / height - y) / down) < 1)

    @cached_property
    def background(self) -> Mask:
        """As someone marks it with a broad brush, over the subject's edge: only what is marked may change."""
        height, width = self.pixels.shape[:2]
        subject = cv2.resize(outlined(self.outline).mask.astype(np.float32), (width, height))
        return np.asarray(cv2.GaussianBlur(subject, (0, 0), ROUGH * SIDE) < 0.7)


PHOTOS = (  # a person, an animal, a thing, a landscape by night, and one by day
    Photo("astronaut", (0.335, 0.755, 0.08, 0.08), "astronaut"),
    Photo("chelsea", (0.88, 0.62, 0.08, 0.10), "chelsea"),
    Photo("coffee", (0.60, 0.62, 0.07, 0.15), "coffee"),
    Photo("rocket", (0.70, 0.56, 0.04, 0.30), "rocket"),
    Photo("camera", (0.645, 0.461, 0.03, 0.02), "cameraman"),
)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build")
    folder.mkdir(parents=True, exist_ok=True)
    if sys.argv[2:] == ["few"]:
        _written(folder / "studio-sheet.webp", FEW)
        return
    prompts = [offer.example for offer in offers()]
    for page, first in enumerate(range(0, len(prompts), ROWS), 1):
        _written(folder / f"studio-sheet-{page}.webp", prompts[first : first + ROWS])


def _written(path: Path, prompts: Sequence[str]) -> None:
    Image.fromarray(np.vstack([_row(prompt) for prompt in prompts])).save(path, quality=44, method=6)
    print(f"Written to {path}.")


def _row(prompt: str) -> Pixels:
    masked = prompt in {offer.example for offer in offers() if offer.needs == "mask"}
    return np.hstack(
        [_label(prompt + (" (with a mask)" if masked else ""), 170), *(_tile(prompt, p, masked) for p in PHOTOS)]
    )


def _tile(prompt: str, photo: Photo, masked: bool) -> Pixels:
    wide = round(photo.pixels.shape[1] * TILE / photo.pixels.shape[0])
    try:
        return _shown(_done(prompt, photo, photo.marked if masked else None), wide)
    except CannotHonour as refusal:
        if "no clear subject" not in refusal.message:
            return _label(refusal.message, wide)
    return _captioned(_shown(_done(prompt, photo, photo.background), wide), "with a rough mask")


def _done(prompt: str, photo: Photo, mask: Mask | None) -> Pixels:
    (done,) = perform(understand(prompt, masked=mask is not None), photo.pixels, mask, [3])
    return done


def _shown(pixels: Pixels, wide: int) -> Pixels:
    """On paper, and what is transparent on a chequered ground."""
    tile = Image.fromarray(pixels).convert("RGBA")
    ground = Image.fromarray(_chequered(*pixels.shape[:2])).convert("RGBA")
    ground.alpha_composite(tile)
    return np.asarray(ImageOps.pad(ground.convert("RGB"), (wide, TILE), color=PAPER), np.uint8)


def _chequered(height: int, width: int) -> Pixels:
    rows, columns = np.indices((height, width)) // (max(height, width) // 24 + 1)
    return np.repeat(np.where((rows + columns) % 2, 204, 250).astype(np.uint8)[..., None], 3, axis=2)


def _captioned(tile: Pixels, text: str) -> Pixels:
    image = Image.fromarray(tile)
    font = ImageFont.load_default(10)
    ImageDraw.Draw(image).text((5, TILE - 16), text, "white", font, stroke_width=2, stroke_fill=INK)
    return np.asarray(image, np.uint8)


def _label(text: str, wide: int) -> Pixels:
    image = Image.new("RGB", (wide, TILE), PAPER)
    draw = ImageDraw.Draw(image)
    for size in SIZES:
        font = ImageFont.load_default(size)
        lines = "\n".join(_lines(text, font, wide - 16))
        if draw.multiline_textbbox((8, 8), lines, font)[3] <= TILE - 6:
            break
    draw.multiline_text((8, 8), lines, INK, font)
    return np.asarray(image, np.uint8)


def _lines(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, wide: float) -> Iterator[str]:
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and font.getlength(longer) > wide:
            yield line
            longer = word
        line = longer
    yield line


if __name__ == "__main__":
    main()
