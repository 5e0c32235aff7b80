"""Subjects found, against outlines drawn by hand: overlap (IoU), boundary F, and whether the confidence is right.

Peer: OpenCV's GrabCut from a centred box, which is what one gets without knowing where the subject is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bench.quality.line import Line
from bench.quality.photographs import Scene, scenes
from tollbrush.engines.studio.subject.find import SURE, find_subject

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

TITLE = "subjects (IoU, boundary F: higher is better)"
_TOLERANCE = 0.0075  # of the diagonal: how far a boundary pixel may lie from the true one
_RIGHT = 0.75  # overlap from which a cut-out is worth keeping
_MARGIN = 0.1  # of each side: what the centred box leaves out


def run() -> list[Line]:
    lines = []
    for scene in scenes():
        found = find_subject(scene.pixels)
        lines.append(_judged(scene, "studio", found.mask, {"confidence": found.confidence}))
        lines.append(_judged(scene, "studio, rough hint", find_subject(scene.pixels, rough(scene.mask)).mask, {}))
        lines.append(_judged(scene, "the rough hint itself", rough(scene.mask), {}))
        lines.append(_judged(scene, "GrabCut, centred box", _boxed(scene.pixels), {}))
    return lines


def gate(lines: list[Line]) -> list[Line]:
    """What the confidence gate lets through, for gates around ours: the parts acted on, right, wrong, and right ones
    turned away."""
    own = [line.figures for line in lines if line.method == "studio"]
    steps = []
    for level in sorted({0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, SURE}):
        acted = [f for f in own if f["confidence"] >= level]
        right = [f for f in acted if f["IoU"] >= _RIGHT]
        all_right = sum(f["IoU"] >= _RIGHT for f in own)
        figures = {
            "acted": len(acted) / len(own),
            "mean IoU": float(np.mean([f["IoU"] for f in acted])) if acted else float("nan"),
            "wrong": (len(acted) - len(right)) / len(own),
            "right, refused": (all_right - len(right)) / len(own),
        }
        steps.append(Line(f"gate {level:g}" + (" (ours)" if level == SURE else ""), "studio", figures))
    return steps


def rough(mask: Mask) -> Mask:
    """As painted in a hurry: the outline off by some hundredths of the picture, here in, there out."""
    random = np.random.default_rng(1)
    height, width = mask.shape
    waves = cv2.resize(
        random.standard_normal((9, 9)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(inside - outside > 0.02 * max(height, width) * waves, np.bool_)


def _judged(scene: Scene, method: str, mask: Mask, figures: dict[str, float]) -> Line:
    either = (mask | scene.mask).sum()
    overlap = float((mask & scene.mask).sum() / either) if either else 1.0
    return Line(scene.name, method, {"IoU": overlap, "boundary F": boundary_f(mask, scene.mask), **figures})


def boundary_f(mask: Mask, truth: Mask) -> float:
    """Harmonic mean of the parts of each outline that lie near the other (Martin, Fowlkes, Malik 2004)."""
    reach = _TOLERANCE * float(np.hypot(*truth.shape))
    ours, theirs = _outline(mask), _outline(truth)
    if not ours.any() or not theirs.any():
        return 0.0
    precision = float((_distance(theirs)[ours] <= reach).mean())
    recall = float((_distance(ours)[theirs] <= reach).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _outline(mask: Mask) -> Mask:
    ink = mask.astype(np.uint8)
    return np.asarray(mask & (cv2.erode(ink, np.ones((3, 3), np.uint8), borderValue=1) == 0))


def _distance(outline: Mask) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(cv2.distanceTransform((~outline).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _boxed(pixels: Pixels) -> Mask:
    height, width = pixels.shape[:2]
    left, top = int(_MARGIN * width), int(_MARGIN * height)
    labels = np.zeros((height, width), np.uint8)
    cv2.setRNGSeed(1)
    box = (left, top, width - 2 * left, height - 2 * top)
    cv2.grabCut(pixels, labels, box, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
