"""Real photographs that come with scikit-image, outlines drawn on them by hand, and scenes composed from both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import skimage.data
from PIL import Image

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

_OUTLINES = Path(__file__).parents[1] / "data" / "outlines.json"
# An outline's photograph, where it has another name.
_SOURCES = {"shuttle": "astronaut", "cameraman": "camera", "coin": "coins"}


@dataclass(frozen=True)
class Scene:
    """A picture whose subject is known."""

    name: str
    pixels: Pixels
    mask: Mask


@cache
def photograph(name: str) -> Pixels:
    """RGB, uint8."""
    if name == "motorcycle":
        with Image.open(Path(skimage.data.__file__).parent / "motorcycle_left.png") as file:
            return np.asarray(file.convert("RGB"))
    pixels = np.asarray(getattr(skimage.data, name)(), np.uint8)
    return np.dstack([pixels] * 3) if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., :3])


@cache
def outlined(name: str) -> Scene:
    """A whole photograph and the outline on it."""
    shapes = json.loads(_OUTLINES.read_text())[name]
    pixels = photograph(_SOURCES.get(name, name))
    canvas = np.zeros(pixels.shape[:2], np.uint8)
    for value, outlines in ((1, shapes["inside"]), (0, shapes["outside"])):
        for outline in outlines:
            cv2.fillPoly(canvas, [np.array(outline, np.int32)], (value,))
    return Scene(name, pixels, canvas > 0)


def cropped(scene: Scene, name: str, left: int, top: int, right: int, bottom: int) -> Scene:
    window = slice(top, bottom), slice(left, right)
    return Scene(name, np.ascontiguousarray(scene.pixels[window]), scene.mask[window])


def horse() -> Mask:
    return ~np.asarray(skimage.data.horse(), bool)


def ground(name: str, height: int, width: int) -> Pixels:
    """A photograph enlarged or cut to cover the size."""
    pixels = photograph(name)
    scale = max(height / pixels.shape[0], width / pixels.shape[1])
    large = cv2.resize(pixels, None, fx=scale + 1e-3, fy=scale + 1e-3, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.asarray(large, np.uint8)[:height, :width])


def tinted(pixels: Pixels, colour: tuple[float, float, float]) -> Pixels:
    """A grey photograph in a colour."""
    return np.asarray(np.clip(pixels * np.array(colour), 0, 255), np.uint8)


def defocused(pixels: Pixels, radius: int) -> Pixels:
    """As a lens shows it that is focused elsewhere: every point a disc."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.float32)
    return np.asarray(cv2.filter2D(pixels, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT), np.uint8)


def placed(scene: Scene, back: Pixels, scale: float, x: int, y: int) -> Scene:
    """The subject of `scene` before `back`, its own picture's corner at x, y of it."""
    move = np.array([[scale, 0, x], [0, scale, y]])
    size = (back.shape[1], back.shape[0])
    share = cv2.warpAffine(scene.mask.astype(np.float32), move, size, flags=cv2.INTER_LINEAR)
    share = cv2.GaussianBlur(share, (0, 0), 0.7)[..., None]
    front = cv2.warpAffine(scene.pixels, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    pixels = (front * share + back * (1 - share) + 0.5).astype(np.uint8)
    return Scene(scene.name, pixels, share[..., 0] > 0.5)


def _mirrored(scene: Scene) -> Scene:
    return Scene(scene.name, np.ascontiguousarray(scene.pixels[:, ::-1]), np.ascontiguousarray(scene.mask[:, ::-1]))


def _gradient(height: int, width: int) -> Pixels:
    """A studio's paper backdrop."""
    light = np.linspace(225, 170, height)[:, None, None] * np.ones((1, width, 3))
    return (light * (0.99, 0.98, 0.95)).astype(np.uint8)


def scenes() -> Iterator[Scene]:
    """Photographs as they are, parts of them, and subjects before other grounds."""
    astronaut, coffee, man = outlined("astronaut"), outlined("coffee"), outlined("cameraman")
    yield from (astronaut, coffee, man, outlined("motorcycle"), outlined("rocket"), outlined("chelsea"))
    yield cropped(astronaut, "portrait", 80, 0, 340, 340)
    yield cropped(outlined("shuttle"), "shuttle", 340, 0, 512, 300)
    yield cropped(outlined("coin"), "coin", 290, 0, 384, 90)
    yield cropped(outlined("cell"), "cell", 200, 200, 550, 560)
    yield cropped(man, "man's head", 60, 30, 400, 300)
    yield cropped(outlined("rocket"), "rocket, close", 210, 90, 440, 405)
    yield _named(placed(coffee, _gradient(512, 512), 0.7, 40, 140), "cup on paper")
    yield _named(placed(coffee, tinted(ground("gravel", 512, 512), (0.9, 0.95, 1.0)), 0.7, 40, 120), "cup on gravel")
    bike = outlined("motorcycle")
    yield _named(placed(bike, _gradient(500, 741), 0.9, 40, 30), "motorcycle on paper")
    yield _named(placed(bike, tinted(ground("brick", 500, 741), (1.0, 0.8, 0.7)), 0.9, 40, 30), "motorcycle on brick")
    grass = tinted(ground("grass", 512, 640), (0.7, 1.0, 0.5))
    fur = Scene("horse", ground("chelsea", 328, 400), horse())
    yield _named(placed(fur, grass, 1.2, 80, 60), "horse on grass")
    both = placed(astronaut, tinted(ground("brick", 512, 760), (1.0, 0.9, 0.8)), 0.85, -20, 77)
    second = placed(_mirrored(astronaut), both.pixels, 0.8, 370, 103)
    yield Scene("two people", second.pixels, both.mask | second.mask)
    yield _named(placed(astronaut, ground("coffee", 512, 640), 0.8, 120, 103), "person before wood")
    yield from _close()


def _close() -> Iterator[Scene]:
    """As pets and wares are photographed: cut off by the picture's sides, what is behind them out of focus."""
    astronaut, coffee, cat = outlined("astronaut"), outlined("coffee"), outlined("chelsea")
    yield cropped(astronaut, "face", 120, 0, 320, 200)
    yield cropped(astronaut, "astronaut, close", 150, 0, 512, 400)
    yield cropped(cat, "cat, square", 110, 0, 410, 300)
    yield cropped(cat, "cat, upright", 150, 0, 400, 300)
    yield cropped(cat, "cat's muzzle", 60, 60, 451, 300)
    garage = ground("motorcycle", 900, 1334)[:450, :640]
    yield _named(placed(cat, defocused(garage, 6), 1.5, 0, 0), "cat in a garage")
    yield _named(
        placed(cat, defocused(tinted(ground("gravel", 450, 640), (1.0, 0.95, 0.8)), 4), 1.5, 0, 0), "cat on gravel"
    )
    brick, grass = (
        tinted(ground("brick", 512, 640), (1.0, 0.8, 0.7)),
        tinted(ground("grass", 512, 640), (0.7, 1.0, 0.5)),
    )
    yield _named(placed(coffee, defocused(brick, 8), 0.9, 220, 200), "cup, two sides cut off")
    yield _named(placed(outlined("motorcycle"), defocused(grass, 5), 1.1, -110, 40), "motorcycle, three sides cut off")
    fur = Scene("horse", ground("chelsea", 328, 400), horse())
    yield _named(placed(fur, defocused(grass, 10), 2.0, -120, 20), "horse, close")
    yield _named(placed(outlined("cameraman"), defocused(brick, 3), 0.9, 0, 60), "cameraman before brick")


def _named(scene: Scene, name: str) -> Scene:
    return Scene(name, scene.pixels, scene.mask)
