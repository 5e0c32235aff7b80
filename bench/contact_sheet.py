"""`python -m bench.contact_sheet [FOLDER]`: what the studio makes of real photographs, to be looked at.

Writes `studio-sheet.webp`: a row for each prompt, its refusals in words; one column for each photograph.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps
from skimage import data

from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.plan import understand
from tollbrush.errors import CannotHonour

PROMPTS = (
    "turn it into a watercolour", "turn it into an oil painting", "turn it into a pencil sketch",
    "turn it into a cartoon", "make it look vintage", "turn it into pixel art", "turn it into pop art", "add snow",
    "add rain", "add fog", "change the sky to a sunset", "make it black and white", "make it warmer",
    "add a vignette", 'write "tollbrush" at the bottom', "crop it to a square",
    "change the background to a starry sky", "change the background to a beach", "add a witch hat",
    "add a flower crown", "add glasses",
)  # fmt: skip
TILE = 150  # pixels: a tile's height

Pixels = NDArray[np.uint8]


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build")
    folder.mkdir(parents=True, exist_ok=True)
    photos = [_sized(np.asarray(p())) for p in (data.astronaut, data.chelsea, data.coffee, data.rocket)]
    rows = [_row(prompt, photos) for prompt in PROMPTS]
    Image.fromarray(np.vstack(rows)).save(folder / "studio-sheet.webp", quality=72, method=6)
    print(f"Written to {folder / 'studio-sheet.webp'}.")


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
