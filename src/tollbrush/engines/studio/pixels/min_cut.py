"""The least costly outline between two areas: what each pixel says for itself, against steps of colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels

    Map = NDArray[np.float32]

_CERTAIN = 6.0  # odds, ln, that are as good as certain
_SPAN = 19.0  # grey levels that odds take on either side of the middle: enough of them, and little of a step
_FAR = 1e6  # variance of what the models must not see


def steps_of(pixels: Pixels) -> Pixels:
    """Where outlines may run: the two directions of Lab in which the picture varies most, h×w×2."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float32)
    lab -= lab.mean(axis=0)
    _, axes = np.linalg.eigh(lab.T @ lab)
    planes = lab @ axes[:, :0:-1].astype(np.float32)
    return np.asarray(np.clip(planes + 127.5, 0, 255), np.uint8).reshape(*pixels.shape[:2], 2)


def min_cut(odds: Map, steps: Pixels, labels: NDArray[np.uint8], weight: float) -> Mask:
    """True inside, by the minimum cut of GrabCut's graph (Rother, Kolmogorov, Blake 2004), the colour models replaced
    by `odds`: ln of inside to outside. `steps` from steps_of; `labels` in cv2.GC_*; `weight` of certain
    odds beside 50 for a step between two pixels of one colour.

    OpenCV takes no odds, but frozen models: odds become the first channel of a picture in which either side is one
    Gaussian, so that the models' ratio is the odds again, and the other channels count for steps alone."""
    grey = np.rint(np.clip(odds / _CERTAIN, -1, 1) * _SPAN + 127.5)
    picture = np.dstack([np.asarray(np.clip(grey, 0, 255), np.uint8), steps])
    models = [np.zeros((1, 65)) for _ in range(2)]
    for model, side in zip(models, (-1, 1), strict=True):
        model[0, 0] = 1
        model[0, 5:8] = 127.5 + side * _SPAN, 127.5, 127.5
        model[0, 20:29] = np.diag([2 * _SPAN**2 / weight, _FAR, _FAR]).ravel()
    cut, _, _ = cv2.grabCut(picture, labels.copy(), (0, 0, 0, 0), models[0], models[1], 1, cv2.GC_EVAL_FREEZE_MODEL)
    return np.isin(cut, (cv2.GC_FGD, cv2.GC_PR_FGD))
