"""Things given another colour: whether it is that colour, and whether their modelling is still there.

`hue error` is the median distance in degrees (CIELAB) between the hue of what was recoloured and the colour's own;
`gradients` the correlation of lightness gradients before and after, inside; `spill` the part of all other pixels that
changed by more than ΔE 5. Peer: the same places turned in HSV, which is what an image library offers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.quality.line import Line
from bench.quality.photographs import outlined, photograph
from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.plans.treatments import Recolour
from tollbrush.engines.studio.understanding.understand import understand

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

TITLE = "recolouring (hue error in degrees, spill: lower is better; gradients: higher is better)"
_NEAR = 15  # degrees: what has the hue that is named
_STRONG = 40  # chroma of what clearly has it
_CHANGED = 5  # ΔE

Map = NDArray[np.float32]


def run() -> list[Line]:
    lines = []
    for name, prompt, pixels, region, mask in cases():
        (operation,) = understand(prompt, masked=mask is not None).operations
        assert isinstance(operation, Recolour)
        rgb = operation.colour.rgb
        results = {
            "studio": next(perform(understand(prompt, masked=mask is not None), pixels, mask, [1])),
            "hue turned in HSV": _turned(pixels, region if mask is None else mask, rgb),
        }
        for method, result in results.items():
            lines.append(Line(name, method, judged(pixels, result, region, rgb)))
    return lines


def cases() -> Iterator[tuple[str, str, Pixels, Mask, Mask | None]]:
    """Name, prompt, picture, what should change, and the mask sent."""
    suit, cup = photograph("astronaut"), photograph("coffee")
    yield "suit, by its hue", "change the orange to blue", suit, _of_hue(suit, (245, 130, 32)), None
    yield (
        "saucer, by its hue",
        "change the red to green",
        cup,
        _of_hue(cup, (190, 45, 30)) & outlined("coffee").mask,
        None,
    )
    for name, prompt in (
        ("coffee", "make this purple"),
        ("shuttle", "make this yellow"),
        ("coffee", "make this white"),
    ):
        scene = outlined(name)
        yield f"{name}, {prompt.split()[-1]}, masked", prompt, scene.pixels, scene.mask, scene.mask
    badge = np.asarray(cv2.circle(np.zeros(suit.shape[:2], np.uint8), (166, 374), 32, 1, -1) > 0)
    for name, pixels, thing, colour in (
        ("suit", suit, _of_hue(suit, (245, 130, 32)), "blue"),
        ("badge", suit, badge, "red"),
        ("coffee", cup, outlined("coffee").mask, "blue"),
        ("rocket", photograph("rocket"), outlined("rocket").mask, "red"),
    ):
        oval = _oval(thing)
        yield f"{name}, {colour}, in an oval", f"make this {colour}", pixels, thing & oval, oval


def judged(before: Pixels, after: Pixels, region: Mask, rgb: tuple[int, int, int]) -> dict[str, float]:
    old, new = _lab(before), _lab(after)
    target = _lab(np.array([[rgb]], np.uint8))[0, 0]
    figures = {"gradients": _correlation(old[..., 0], new[..., 0], region)}
    if np.hypot(target[1], target[2]) > 10:  # white has no hue to miss
        figures["hue error"] = float(np.median(_apart(_hue(new), float(_hue(target)))[region]))
    figures["spill"] = float((np.linalg.norm(new - old, axis=2) > _CHANGED)[~_with_rim(region)].mean())
    return figures


def _oval(thing: Mask) -> Mask:
    """As one draws around a thing: most of it, and some of what lies beside it."""
    (top, foot), (left, right) = (np.flatnonzero(thing.any(axis=axis))[[0, -1]] for axis in (1, 0))
    y, x = np.indices(thing.shape)
    across, down = 0.56 * (right - left) + 4, 0.56 * (foot - top) + 4
    return np.asarray(np.hypot((x - (left + right) / 2) / across, (y - (top + foot) / 2) / down) < 1)


def _with_rim(region: Mask) -> Mask:
    """With the rim, which is partly both."""
    return np.asarray(cv2.dilate(region.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0)


def _of_hue(pixels: Pixels, rgb: tuple[int, int, int]) -> Mask:
    lab = _lab(pixels)
    near = _apart(_hue(lab), float(_hue(_lab(np.array([[rgb]], np.uint8))[0, 0]))) < _NEAR
    return np.asarray(near & (np.hypot(lab[..., 1], lab[..., 2]) > _STRONG))


def _turned(pixels: Pixels, region: Mask, rgb: tuple[int, int, int]) -> Pixels:
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    hue, strength, _ = cv2.cvtColor(np.array([[rgb]], np.uint8), cv2.COLOR_RGB2HSV)[0, 0]
    hsv[..., 0][region] = hue
    if strength < 20:
        hsv[..., 1][region] = strength
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)


def _lab(pixels: Pixels) -> Map:
    return np.asarray(cv2.cvtColor(pixels[..., :3].astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB))


def _hue(lab: Map) -> Map:
    return np.asarray(np.degrees(np.arctan2(lab[..., 2], lab[..., 1])), np.float32)


def _apart(hue: Map, other: float) -> Map:
    return np.asarray(np.abs((hue - other + 180) % 360 - 180), np.float32)


def _correlation(first: Map, second: Map, region: Mask) -> float:
    inside = cv2.erode(region.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    slopes = [
        np.concatenate([cv2.Sobel(plane, cv2.CV_32F, *way)[inside] for way in ((1, 0), (0, 1))])
        for plane in (first, second)
    ]
    return float(np.corrcoef(slopes[0], slopes[1])[0, 1])
