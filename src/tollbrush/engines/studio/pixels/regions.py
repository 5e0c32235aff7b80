"""A small working copy of a picture cut into superpixels, on which the priors reason."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels

    Map = NDArray[np.float32]
    Table = NDArray[np.float64]

_COUNT = 350
_BINS = 12 * 20 * 20
_BOTTOM_WEIGHT = 0.35  # the lower border often cuts through the subject, so it is weaker evidence of background


@dataclass(frozen=True)
class Regions:
    """`pixels` is the small copy, h×w×3; `lab` the same in CIELAB, float32; `labels` numbers each pixel's region."""

    pixels: Pixels
    lab: Map
    labels: NDArray[np.int32]
    count: int

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.labels.shape
        return height, width

    @cached_property
    def size(self) -> Table:
        """Pixels per region."""
        return np.bincount(self.labels.ravel(), minlength=self.count).astype(np.float64)

    @cached_property
    def colour(self) -> Table:
        """Mean Lab colour, count×3."""
        return np.stack([self.mean(self.lab[..., i]) for i in range(3)], axis=1)

    @cached_property
    def place(self) -> Table:
        """Centre, count×2, in units of the longer side."""
        y, x = np.indices(self.shape, dtype=np.float32)
        return np.stack([self.mean(x), self.mean(y)], axis=1) / max(self.shape)

    @cached_property
    def difference(self) -> Table:
        """Distance in colour of every pair, count×count."""
        return pairwise(self.colour, self.colour)

    @cached_property
    def neighbours(self) -> NDArray[np.intp]:
        """Touching pairs, each once, pairs×2."""
        across = np.stack([self.labels[:, :-1].ravel(), self.labels[:, 1:].ravel()], axis=1)
        down = np.stack([self.labels[:-1].ravel(), self.labels[1:].ravel()], axis=1)
        pairs = np.concatenate([across, down]).astype(np.int64)
        pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
        codes = np.unique(pairs[:, 0] * self.count + pairs[:, 1])
        return np.stack(np.divmod(codes, self.count), axis=1).astype(np.intp)

    @cached_property
    def border(self) -> Table:
        """How much of each region lies on the picture's border, in pixels, the lower border counted less."""
        weight = np.zeros(self.shape, np.float32)
        weight[-1] = _BOTTOM_WEIGHT
        weight[0] = weight[:, 0] = weight[:, -1] = 1
        return np.bincount(self.labels.ravel(), weight.ravel(), self.count).astype(np.float64)

    @cached_property
    def edge(self) -> Map:
        """Steps of colour, h×w: about 1 at the picture's clear edges, at most 1.5."""
        lab = cv2.cvtColor(self.pixels, cv2.COLOR_RGB2LAB)
        soft = cv2.GaussianBlur(lab, (0, 0), 1).astype(np.float32)
        slopes = [np.asarray(cv2.Sobel(soft, cv2.CV_32F, dx, dy), np.float32) for dx, dy in ((1, 0), (0, 1))]
        size = np.sqrt(np.square(slopes[0]).sum(axis=2) + np.square(slopes[1]).sum(axis=2))
        return np.asarray(np.minimum(size / (np.percentile(size, 90) + 1e-6), 1.5), np.float32)

    def mean(self, values: NDArray[np.floating]) -> Table:
        """An h×w map → one mean per region."""
        return np.bincount(self.labels.ravel(), values.ravel(), self.count) / np.maximum(self.size, 1)

    def spread(self, values: Table) -> Map:
        """One value per region → a map, softened over the regions' seams."""
        return np.asarray(cv2.GaussianBlur(values[self.labels].astype(np.float32), (0, 0), 1.5), np.float32)


def cut_regions(small: Pixels) -> Regions:
    """SLICO superpixels (Achanta et al. 2012) of a small RGB picture."""
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    side = max(4, int(np.sqrt(lab.shape[0] * lab.shape[1] / _COUNT)))
    slic = cv2.ximgproc.createSuperpixelSLIC(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), cv2.ximgproc.SLICO, side, 10.0)
    slic.iterate(8)
    slic.enforceLabelConnectivity(40)
    return Regions(small, lab, np.asarray(slic.getLabels(), np.int32), slic.getNumberOfSuperpixels())


def colour_bins(pixels: Pixels) -> NDArray[np.intp]:
    """Each RGB pixel's place in a coarse Lab histogram: lightness by 22, a and b by 5."""
    light, a, b = (channel.astype(np.intp) for channel in cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)))
    return light // 22 * 400 + np.clip((a - 78) // 5, 0, 19) * 20 + np.clip((b - 78) // 5, 0, 19)


def separation(bins: NDArray[np.intp], one: Mask, other: Mask) -> float:
    """How little two areas share their colours: 0 the same, 1 none in common."""
    counts = [np.bincount(bins[area], minlength=_BINS) / (area.sum() + 1e-9) for area in (one, other)]
    return 1 - float(np.minimum(counts[0], counts[1]).sum())


def pairwise(a: Table, b: Table) -> Table:
    """Euclidean distances of the rows of `a` to the rows of `b`."""
    return np.asarray(np.sqrt(np.square(a[:, None] - b[None]).sum(axis=2)), np.float64)
