"""`python -m bench.contact_sheet [FOLDER] [few]`: what the studio makes of real photographs, to be looked at.

Writes `studio-sheet-1.webp` and so on with a row for every example that the studio tells of, its refusals in words, one
column for each photograph; with `few`, only `studio-sheet.webp`, the small one of the documentation.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps
from skimage import data

from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.plan import offers, understand
from tollbrush.errors import CannotHonour

FEW = (
    "turn it into a watercolour", "turn it into an oil painting", "turn it into a pencil sketch",
    "turn it into a cartoon", "make it look vintage", "turn it into pixel art", "turn it into pop art", "add snow",
    "add rain", "add fog", "change the sky to a sunset", "make it black and white", "make it cinematic",
    "make it moody", "keep only red in colour",
    "add a vignette", 'write "tollbrush" at the bottom', "crop it to a square",
    "change the background to a starry sky", "change the background to a beach", "add a witch hat",
    "add a flower crown", "add sunglasses",
)  # fmt: skip
ROWS = 12  # of a page
TILE = 150  # pixels: a tile's height

Pixels = NDArray[np.uint8]


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build")
    folder.mkdir(parents=True, exist_ok=True)
    photos = [_sized(np.asarray(p())) for p in (data.astronaut, data.chelsea, data.coffee, data.rocket)]
    if sys.argv[2:] == ["few"]:
        _written(folder / "studio-sheet.webp", FEW, photos)
        return
    prompts = [offer.example for offer in offers() if not offer.needs]
    for page, first in enumerate(range(0, len(prompts), ROWS), 1):
        _written(folder / f"studio-sheet-{page}.webp", prompts[first : first + ROWS], photos)


def _written(path: Path, prompts: Sequence[str], photos: list[Pixels]) -> None:
    Image.fromarray(np.vstack([_row(prompt, photos) for prompt in prompts])).save(path, quality=72, method=6)
    print(f"Written to {path}.")


def _row(prompt: str, photos: list[Pixels]) -> Pixels:
    tiles = [_label(prompt, 190)]
    for photo in photos:
        wide = round(photo.shape[1] * TILE / photo.shape[0])
        try:
            (done,) = perform(understand(prompt, masked=False), photo, None, [3])
            tile = Image.fromarray(np.ascontiguousarray(done[..., :3]))
            tiles.append(np.asarray(ImageOps.pad(tile, (wide, TILE), color=(245, 245, 243))))
        except CannotHonour as refusal:
            tiles.append(_label(refusal.message, wide))
    return np.hstack(tiles)


def _sized(photo: Pixels) -> Pixels:
    scale = 768 / max(photo.shape[:2])
    return np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def _label(text: str, wide: int) -> Pixels:
    image = Image.new("RGB", (wide, TILE), (245, 245, 243))
    draw, font, lines = ImageDraw.Draw(image), ImageFont.load_default(15), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) > wide - 20:
            lines.append(word)
        else:
            lines[-1] = longer
    draw.multiline_text((10, 10), "\n".join(lines[:7]), (40, 40, 44), font)
    return np.asarray(image, np.uint8)


if __name__ == "__main__":
    main()
