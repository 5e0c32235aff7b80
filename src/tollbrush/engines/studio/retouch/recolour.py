"""Give things another colour and keep their shading: hue and colour strength move, the modelling in lightness stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.light import from_lab, to_lab
from tollbrush.engines.studio.pixels.strips import strips
from tollbrush.engines.studio.retouch.tones import tone
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]

RGB = tuple[int, int, int]
_SIDE: Final = 640  # longer side at which a colour is looked for
_NEUTRAL: Final = 14.0  # chroma below which a colour has no hue to be found by
_REACH: Final = 38.0  # degrees from a colour's name to what is still called so
_USUAL: Final = 15.0  # degrees, how strongly the name itself is preferred
_WIDEST: Final = 34.0  # degrees from a thing's usual hue to the last that is its
_CLEAR: Final = 42.0  # chroma from which a thing may be called by the name of a neighbouring hue
_FIT_SIDE: Final = 1024  # longer side at which a share is fitted to the picture's colours
_FEWEST: Final = 0.002  # of the picture, that must have the colour


def recoloured(pixels: Pixels, rgb: RGB, share: Map) -> Pixels:
    """H×W×3 `pixels` in the colour `rgb` where `share` (H×W) is 1."""
    height, width = share.shape
    step = max(1, round(max(height, width) / _SIDE))
    small = to_lab(np.ascontiguousarray(pixels[::step, ::step]).astype(np.float32) / np.float32(255))
    weight = np.ascontiguousarray(share[::step, ::step])
    chosen = small[weight > 0.5]
    if not len(chosen):
        chosen = small.reshape(-1, 3)
    lightness = float(np.median(chosen[:, 0]))
    chroma = max(float(np.median(np.hypot(chosen[:, 1], chosen[:, 2]))), 6.0)
    target = to_lab(np.array([[rgb]], np.float32) / np.float32(255))[0, 0]
    result = pixels.copy()
    for rows in strips(height):
        if not share[rows].any():
            continue
        before = pixels[rows].astype(np.float32) / np.float32(255)
        after = from_lab(_moved(to_lab(before), target, lightness, chroma))
        mixed = before + (after - before) * share[rows, :, None]
        result[rows] = (mixed * 255 + 0.5).astype(np.uint8)
    return result


def _moved(lab: Map, target: Map, lightness: float, chroma: float) -> Map:
    """Lab colours whose usual lightness and chroma are these, brought to `target`."""
    light = lab[..., 0]
    goal = float(np.clip(0.15 * lightness + 0.85 * float(target[0]), 9, 89))  # room for folds and highlights
    # Steps up and down keep their order: each side is pressed or stretched into the room that the goal leaves it, and
    # stays linear within, so that gradients correlate. A black thing still has folds, hence the floors.
    up = np.clip((100 - goal) / max(100 - lightness, 12), 0.45, 1.25)
    down = np.clip(goal / max(lightness, 12), 0.45, 1.25)
    relative = light - lightness
    moved = np.clip(goal + relative * np.where(relative > 0, up, down), 0, 100)
    # Of a grey thing, colour strength tells nothing.
    known = min(1.0, max(0.0, (chroma - 8) / 16))
    strength = 1 + known * (np.hypot(lab[..., 1], lab[..., 2]) / chroma - 1)
    # Highlights are the lamp's colour, deep shadows have none.
    fade = np.clip(0.50 + 0.50 * strength, 0.3, 1.15) * np.clip(1.15 - ((moved - goal) / 75) ** 2, 0.1, 1)
    return np.stack([moved, target[1] * fade, target[2] * fade], axis=-1).astype(np.float32)


def coloured_like(pixels: Pixels, name: str, rgb: RGB) -> Map:
    """H×W share 0..1 of what is of the colour `rgb`, called `name`: all that belongs to the picture's strongest hue
    near it. Raises CannotHonour for colours without a hue, and when there is nothing of it."""
    target = to_lab(np.array([[rgb]], np.float32) / np.float32(255))[0, 0]
    if np.hypot(target[1], target[2]) < _NEUTRAL:
        raise CannotHonour(f"What is {name} cannot be told apart by its colour alone.", advice=_MASK)
    height, width = pixels.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    lab = to_lab(small)
    chroma, hue = np.hypot(lab[..., 1], lab[..., 2]), np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360
    asked = float(np.degrees(np.arctan2(target[2], target[1])))
    peak, reach = _peak(chroma, hue, asked)
    near = _turn(hue, peak) < 0.7 * reach
    strong = chroma[near & (chroma > _NEUTRAL)]
    if strong.size < max(1, _FEWEST * chroma.size):
        raise CannotHonour(f"There is nothing clearly {name} in the picture.", advice=_MASK)
    # Skin has the hue of an orange suit at a third of its strength.
    usual = float(np.percentile(strong, 75))
    weak, enough = max(0.30 * usual, 9.0), max(0.48 * usual, 16.0)
    off = float((peak - asked + 180) % 360 - 180)
    if abs(off) > _USUAL and usual < _CLEAR:  # brown fur is no red thing
        raise CannotHonour(f"There is nothing clearly {name} in the picture.", advice=_MASK)
    # A red that is nearly orange ends sooner towards orange: what lies there has another name.
    beyond = np.sign(off) * ((hue - peak + 180) % 360 - 180) > 0
    own = np.where(beyond, reach * (1 - 0.5 * min(1.0, abs(off) / 20)), reach)
    share = np.clip((own - _turn(hue, peak)) / (0.35 * own), 0, 1)
    share = share * np.clip((chroma - weak) / (enough - weak), 0, 1)
    kept = _without_specks(np.asarray(share, np.float32))
    if kept.mean() < _FEWEST:
        raise CannotHonour(f"There is nothing clearly {name} in the picture.", advice=_MASK)
    return _refined(pixels, kept, small)


def exchanged(pixels: Pixels, first: tuple[str, RGB], second: tuple[str, RGB]) -> Pixels:
    """What is of each colour takes the other. Raises CannotHonour when one of them is not there."""
    shares = [coloured_like(pixels, name, rgb) for name, rgb in (first, second)]
    # What could be either is of the one that it is more of.
    own = [share * (share >= other) for share, other in (shares, shares[::-1])]
    return recoloured(recoloured(pixels, second[1], own[0]), first[1], own[1])


def splashed(pixels: Pixels, name: str, rgb: RGB) -> Pixels:
    """Black and white but for what is of the colour `rgb`. Raises CannotHonour when there is nothing of it."""
    share = coloured_like(pixels, name, rgb)
    result = tone(pixels, "black_and_white")
    for rows in strips(len(pixels)):
        grey = result[rows].astype(np.float32)
        result[rows] = grey + (pixels[rows] - grey) * share[rows, :, None] + 0.5
    return result


def _peak(chroma: Map, hue: Map, asked: float) -> tuple[float, float]:
    """The hue that most colour near the one asked for has, and how far it reaches on both sides: to where another
    thing's hue begins. Degrees."""
    counts, _ = np.histogram(hue, 180, (0, 360), weights=np.where(chroma > _NEUTRAL, chroma, 0))
    window = np.hanning(7) / np.hanning(7).sum()
    smooth = np.convolve(np.tile(counts, 3), window, mode="same")[180:360]
    away = _turn(np.arange(180, dtype=np.float32) * 2 + 1, asked)
    weighted = np.where(away < _REACH, smooth * np.exp(-np.square(away / _USUAL) / 2), 0)
    if not weighted.any():
        return asked % 360, _WIDEST
    top = int(weighted.argmax())
    sides = []
    for step in (-1, 1):
        lowest, at = smooth[top], 0
        while 2 * at < _WIDEST:
            value = smooth[(top + step * (at + 1)) % 180]
            if value < 0.06 * smooth[top] or value > 1.15 * lowest + 0.02 * smooth[top]:
                break
            lowest, at = min(lowest, value), at + 1
        sides.append(2.0 * at)
    return 2.0 * top + 1, float(np.clip(min(sides) + 5, 14, _WIDEST))


def _turn(hue: Map, other: float) -> Map:
    return np.asarray(np.abs((hue - other + 180) % 360 - 180), np.float32)


def _without_specks(share: Map) -> Map:
    """Without noise, and without strays far smaller than the largest thing of that colour."""
    calm = cv2.medianBlur((share * 255).astype(np.uint8), 3).astype(np.float32) / np.float32(255)
    _, labels, found, _ = cv2.connectedComponentsWithStats((calm > 0.4).astype(np.uint8))
    areas = found[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    keep = (areas > max(12, 0.01 * areas.max())).astype(np.uint8)[labels]
    return calm * cv2.dilate(keep, np.ones((5, 5), np.uint8)).astype(np.float32)


def _refined(pixels: Pixels, share: Map, guide: Map) -> Map:
    """A share found small, brought to the picture's size along the picture's own edges (fast guided
    filter, He and Sun 2015)."""
    height, width = pixels.shape[:2]
    if min(guide.shape[:2]) < 8:
        return np.asarray(cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    side = max(height, width)
    coarse = np.asarray(cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    radius = max(2, round(side / 160))
    soft = np.empty((height, width), np.float32)
    margin = 2 * radius
    reduced = min(1.0, _FIT_SIDE / side)
    for rows in strips(height):
        top, bottom = max(0, rows.start - margin), min(height, rows.stop + margin)
        band, rough = pixels[top:bottom], coarse[top:bottom]
        part = cv2.ximgproc.guidedFilter(band, rough, radius, 3e-4 * 255 * 255, scale=reduced)
        soft[rows] = part[rows.start - top : rows.stop - top]
    return np.asarray(np.clip((soft - 0.06) / 0.88, 0, 1), np.float32)


_MASK: Final = "Send a mask, white over what should get another colour."
