"""Where to look: the point that a crop keeps in view."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.domain.edits import Size
from tollbrush.imaging.codec import Pixels
from tollbrush.imaging.geometry import resize
from tollbrush.imaging.masks import Mask

_SIDE: Final = 256
_cascade_lock: Final = threading.Lock()


def focus_of(pixels: Pixels) -> tuple[float, float]:
    """The subject's point as fractions of width and height: above a face where there is one (hair and hats belong to
    it), else the middle of what stands out in colour and detail (Achanta 2009 and edge energy)."""
    height, width = pixels.shape[:2]
    scale = _SIDE / max(height, width)
    thumb = resize(pixels, Size(max(round(width * scale), 1), max(round(height * scale), 1)))
    opaque = thumb[..., 3] if thumb.shape[2] == 4 else None
    if opaque is not None:
        return _middle(opaque.astype(np.float32))
    return _face(thumb) or _middle(_salience(thumb))


def focus_of_mask(mask: Mask) -> tuple[float, float]:
    """The middle of the box around what is edited."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return (left + width / 2) / mask.shape[1], (top + height / 2) / mask.shape[0]


def _face(thumb: Pixels) -> tuple[float, float] | None:
    """The largest frontal face: its centre, moved up by a third of its height."""
    height, width = thumb.shape[:2]
    grey = cv2.equalizeHist(cv2.cvtColor(thumb, cv2.COLOR_RGB2GRAY))
    with _cascade_lock:  # a classifier keeps its buffers
        found = _cascade().detectMultiScale(grey, 1.1, 6, minSize=(height // 10, height // 10))
    if len(found) == 0:
        return None
    left, top, wide, high = (float(side) for side in max(found, key=lambda box: box[2] * box[3]))
    return (left + wide / 2) / width, max((top + high / 6) / height, 0.0)


@cache
def _cascade() -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_alt2.xml"))


def _salience(thumb: Pixels) -> NDArray[np.float32]:
    """How much each pixel stands out: its Lab distance from the mean, and how busy its neighbourhood is."""
    lab = cv2.cvtColor(thumb, cv2.COLOR_RGB2LAB).astype(np.float32)
    colour = np.linalg.norm(cv2.GaussianBlur(lab, (0, 0), 2) - lab.mean(axis=(0, 1)), axis=2)
    edges = np.hypot(cv2.Scharr(lab[..., 0], cv2.CV_32F, 1, 0), cv2.Scharr(lab[..., 0], cv2.CV_32F, 0, 1))
    busy = cv2.GaussianBlur(edges, (0, 0), 6)
    height, width = colour.shape
    y, x = np.mgrid[:height, :width]
    central = np.exp(-2 * (((x + 0.5) / width - 0.5) ** 2 + ((y + 0.5) / height - 0.5) ** 2) / 0.5)
    total = (colour / (colour.max() + 1e-6) + busy / (busy.max() + 1e-6)) * central
    weights: NDArray[np.float32] = np.square(total).astype(np.float32)
    return weights


def _middle(weights: NDArray[np.float32]) -> tuple[float, float]:
    total = float(weights.sum())
    if total <= 0:
        return 0.5, 0.5
    height, width = weights.shape
    x = float(weights.sum(axis=0) @ (np.arange(width) + 0.5)) / total
    y = float(weights.sum(axis=1) @ (np.arange(height) + 0.5)) / total
    return x / width, y / height
