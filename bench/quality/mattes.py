"""Mattes of known alphas composed over real photographs: hair, fur, soft edges, holes and hard outlines.

`SAD` sums the error of alpha in thousands, `MSE` is its mean square × 1000 around the outline; `edge colour` is the
mean error in levels of 255 of the foreground that stays visible; `on white` and `on black` that of what one sees.
Peers: the mask as it is, and OpenCV's guided filter, each with the picture's own colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bench.quality.line import Line
from bench.quality.photographs import ground, horse, outlined, tinted
from tollbrush.engines.studio.subject.matting import matte

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels

    Map = NDArray[np.float32]

TITLE = "mattes (errors: lower is better)"
_SIDE = 640
_FINE = 4  # alphas are drawn this much larger, so that hairs are thinner than a pixel


@dataclass(frozen=True)
class Composed:
    name: str
    alpha: Map
    front: Map
    pixels: Pixels
    filled: bool = False  # whether the mask covers holes


def run() -> list[Line]:
    lines = []
    for case in composed():
        guess = given(case.alpha, case.filled)
        found = matte(case.pixels, guess)
        lines.append(_judged(case, "studio", found.alpha, found.foreground))
        own = np.asarray(case.pixels, np.float32) / np.float32(255)
        lines.append(_judged(case, "the mask itself", guess.astype(np.float32), own))
        filtered = cv2.ximgproc.guidedFilter(own, guess.astype(np.float32), 8, 1e-4)
        lines.append(_judged(case, "guided filter", np.asarray(np.clip(filtered, 0, 1), np.float32), own))
    return lines


def composed() -> Iterator[Composed]:
    """Every alpha before a calm and before a busy ground."""
    cat, suit, wood = ground("chelsea", _SIDE, _SIDE), ground("astronaut", _SIDE, _SIDE), ground("coffee", _SIDE, _SIDE)
    sky, garage = ground("rocket", _SIDE, _SIDE), ground("motorcycle", _SIDE, _SIDE)
    grass = tinted(ground("grass", _SIDE, _SIDE), (0.7, 1.0, 0.5))
    dark = (cat * 0.35).astype(np.uint8)
    cases = (
        ("hair, sky", hair(), dark, sky),
        ("hair, garage", hair(), dark, garage),
        ("fair hair, grass", hair(), wood, grass),
        ("fur, sky", fur(), cat, sky),
        ("fur, garage", fur(), cat, garage),
        ("soft, wood", soft(), suit, wood),
        ("soft, garage", soft(), suit, garage),
        ("holes, sky", holes(), wood, sky),
        ("holes, grass", holes(), suit, grass),
        ("limbs, grass", limbs(), cat, grass),
        ("outline, wood", outline(), suit, ground("brick", _SIDE, _SIDE)),
        ("handle, paper", handle(), wood, paper()),
        ("handle, sky", handle(), suit, sky),
    )
    for name, alpha, front, back in cases:
        share, colour = alpha[..., None], np.asarray(front, np.float32) / np.float32(255)
        pixels = colour * share + back.astype(np.float32) / 255 * (1 - share)
        yield Composed(name, alpha, colour, (pixels * 255 + 0.5).astype(np.uint8), name.startswith("handle"))


def given(alpha: Map, filled: bool = False) -> Mask:
    """What a segmentation hands over: the solid part, its outline some pixels off, hairs lost, holes `filled`."""
    random = np.random.default_rng(5)
    waves = cv2.resize(
        random.standard_normal((20, 20)).astype(np.float32), alpha.shape[::-1], interpolation=cv2.INTER_CUBIC
    )
    solid = cv2.morphologyEx((alpha > 0.5).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    if filled:
        outlines, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(solid, outlines, -1, (1,), -1)
    near = cv2.distanceTransform(solid, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    return np.asarray(near > 2.0 * waves, np.bool_)


def hair() -> Map:
    """A head with a parting and strands that leave it."""
    canvas, random = _canvas(), np.random.default_rng(2)
    centre = _SIDE * _FINE // 2
    cv2.ellipse(canvas, (centre, int(1.15 * centre)), (int(0.42 * centre), int(0.55 * centre)), 0, 0, 360, (255,), -1)
    for _ in range(420):
        angle = random.uniform(np.pi * 0.95, np.pi * 2.05)
        x, y = centre + 0.40 * centre * np.cos(angle), 1.15 * centre + 0.53 * centre * np.sin(angle)
        bend, length = angle + random.normal(0, 0.5), random.uniform(0.02, 0.09) * centre
        points = []
        for step in np.linspace(0, 1, 9):
            points.append((x, y))
            x, y = x + length / 4 * np.cos(bend), y + length / 4 * np.sin(bend)
            bend += random.normal(0, 0.12) + 0.03 * step
        cv2.polylines(canvas, [np.array(points, np.int32)], False, (255,), int(random.integers(2, 6)), cv2.LINE_AA)
    return _reduced(canvas)


def fur() -> Map:
    canvas, random = _canvas(), np.random.default_rng(3)
    centre = _SIDE * _FINE // 2
    cv2.circle(canvas, (centre, centre), int(0.6 * centre), (255,), -1)
    for angle in random.uniform(0, 2 * np.pi, 2600):
        way, length = angle + random.normal(0.25, 0.25), random.uniform(0.03, 0.07) * centre
        foot = centre + 0.59 * centre * np.array([np.cos(angle), np.sin(angle)])
        tip = foot + length * np.array([np.cos(way), np.sin(way)])
        points = np.array([foot, tip], np.int32)
        cv2.line(canvas, points[0].tolist(), points[1].tolist(), (255,), int(random.integers(2, 7)), cv2.LINE_AA)
    return _reduced(canvas)


def soft() -> Map:
    """An outline that is sharp above and out of focus below."""
    y, x = np.indices((_SIDE, _SIDE), dtype=np.float32) / _SIDE
    width = 0.003 + 0.03 * np.clip(y - 0.3, 0, 1)
    return np.asarray(np.clip((0.3 - np.hypot(x - 0.5, (y - 0.5) * 0.85)) / width + 0.5, 0, 1), np.float32)


def holes() -> Map:
    """A leaf that insects have eaten at."""
    canvas, random = _canvas(), np.random.default_rng(4)
    centre = _SIDE * _FINE // 2
    cv2.ellipse(canvas, (centre, centre), (int(0.7 * centre), int(0.45 * centre)), 20, 0, 360, (255,), -1)
    for _ in range(26):
        x, y = (random.normal(0.5, 0.13, 2) * 2 * centre).astype(int).tolist()
        wide, high = (random.uniform(0.02, 0.07, 2) * centre).astype(int).tolist()
        cv2.ellipse(canvas, (x, y), (wide, high), float(random.uniform(0, 180)), 0, 360, (0,), -1)
    return _reduced(canvas)


def handle() -> Map:
    """A mug."""
    canvas, unit = _canvas(), _SIDE * _FINE / 100
    box = [[int(unit * a) for a in corner] for corner in ((22, 25), (62, 85))]
    cv2.rectangle(canvas, box[0], box[1], (255,), -1)
    middle, axes = (int(64 * unit), int(54 * unit)), (int(16 * unit), int(19 * unit))
    cv2.ellipse(canvas, middle, axes, 0, -90, 90, (255,), int(6 * unit))
    return _reduced(canvas)


def paper() -> Pixels:
    """A studio's backdrop, a little grainy."""
    light = np.linspace(228, 176, _SIDE)[:, None, None] + np.random.default_rng(6).normal(0, 2, (_SIDE, _SIDE, 1))
    return np.asarray(light * (0.99, 0.98, 0.95), np.uint8)


def limbs() -> Map:
    return _placed(horse(), 1.4, 40, 90)


def outline() -> Map:
    return _placed(outlined("motorcycle").mask, 0.8, 20, 100)


def _placed(mask: Mask, scale: float, x: int, y: int) -> Map:
    large = np.array([[scale * 2, 0, 2 * x], [0, scale * 2, 2 * y]])
    shape = (2 * _SIDE, 2 * _SIDE)
    drawn = cv2.warpAffine(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8), large, shape, flags=cv2.INTER_CUBIC)
    return np.asarray(cv2.resize(np.clip((drawn - 0.5) * 2 + 0.5, 0, 1), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))


def _canvas() -> NDArray[np.uint8]:
    return np.zeros((_SIDE * _FINE, _SIDE * _FINE), np.uint8)


def _reduced(canvas: NDArray[np.uint8]) -> Map:
    small = cv2.resize(canvas, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def _judged(case: Composed, method: str, alpha: Map, front: Map) -> Line:
    wrong = alpha - case.alpha
    around = cv2.dilate(((case.alpha > 0.02) & (case.alpha < 0.98)).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    seen = (case.alpha > 0.05) & (case.alpha < 0.95)
    colour = np.abs(front - case.front)[seen].mean(axis=1)
    ours, theirs = alpha[..., None], case.alpha[..., None]
    shown = [np.abs((front * ours + b * (1 - ours)) - (case.front * theirs + b * (1 - theirs))) for b in (1.0, 0.0)]
    figures = {
        "SAD": float(np.abs(wrong).sum()) / 1000,
        "MSE": float(np.square(wrong)[around].mean()) * 1000,
        "edge colour": float(np.average(colour, weights=case.alpha[seen])) * 255,
        "on white": float(shown[0][around].mean()) * 255,
        "on black": float(shown[1][around].mean()) * 255,
    }
    return Line(case.name, method, figures)
