"""`python -m bench.contact_sheet [FOLDER] [few]`: what the studio makes of real photographs, to be looked at.

Writes `studio-sheet-1.webp` and so on with a row for every example that the studio tells of, its refusals in words, one
column for each photograph; with `few`, only `studio-sheet.webp`, the small one of the documentation. What needs a mask
gets one: an oval of each photograph.
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
from tollbrush.engines.studio.understanding.understand import offers, understand
from tollbrush.errors import CannotHonour

FEW = (
    "change the background to a starry sky", "change the background to a beach", "change the background to mountains",
    "change the background to a foggy landscape", "remove the background", "blur the background",
    "change the sky to a sunset", "change the sky to a starry sky", "change the sky to a stormy sky",
    "extend the picture to the right", "remove this", "make this red", "add a witch hat", "add a flower crown",
    "add headphones", "add sunglasses", "add snow", "add rain", "add fog", "turn it into a watercolour",
    "turn it into an oil painting", "turn it into a pencil sketch", "turn it into a cartoon", "make it look vintage",
    "turn it into pop art", "make it black and white", "make it cinematic", "keep only red in colour",
    'write "tollbrush" at the bottom', "crop it to a square",
)  # fmt: skip
PHOTOS = {  # name: the oval of its mask (centre and half axes, of its width and height)
    "astronaut": (0.61, 0.73, 0.06, 0.05), "chelsea": (0.10, 0.80, 0.08, 0.14), "coffee": (0.15, 0.80, 0.10, 0.10),
    "rocket": (0.70, 0.56, 0.04, 0.30),
}  # fmt: skip
ROWS = 12  # of a page
TILE = 150  # pixels: a tile's height

Pixels = NDArray[np.uint8]
Photo = tuple[Pixels, tuple[float, float, float, float]]


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build")
    folder.mkdir(parents=True, exist_ok=True)
    photos = [(_sized(np.asarray(getattr(data, name)())), oval) for name, oval in PHOTOS.items()]
    if sys.argv[2:] == ["few"]:
        _written(folder / "studio-sheet.webp", FEW, photos)
        return
    prompts = [offer.example for offer in offers()]
    for page, first in enumerate(range(0, len(prompts), ROWS), 1):
        _written(folder / f"studio-sheet-{page}.webp", prompts[first : first + ROWS], photos)


def _written(path: Path, prompts: Sequence[str], photos: list[Photo]) -> None:
    Image.fromarray(np.vstack([_row(prompt, photos) for prompt in prompts])).save(path, quality=56, method=6)
    print(f"Written to {path}.")


def _row(prompt: str, photos: list[Photo]) -> Pixels:
    masked = prompt in {offer.example for offer in offers() if offer.needs == "mask"}
    tiles = [_label(prompt + (" (with a mask)" if masked else ""), 190)]
    for photo, oval in photos:
        wide = round(photo.shape[1] * TILE / photo.shape[0])
        try:
            (done,) = perform(understand(prompt, masked=masked), photo, _oval(photo, oval) if masked else None, [3])
            tile = Image.fromarray(np.ascontiguousarray(done[..., :3]))
            tiles.append(np.asarray(ImageOps.pad(tile, (wide, TILE), color=(245, 245, 243))))
        except CannotHonour as refusal:
            tiles.append(_label(refusal.message, wide))
    return np.hstack(tiles)


def _oval(photo: Pixels, oval: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    (height, width), (x, y, across, down) = photo.shape[:2], oval
    rows, columns = np.indices((height, width))
    return np.asarray(np.hypot((columns / width - x) / across, (rows / height - y) / down) < 1)


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
