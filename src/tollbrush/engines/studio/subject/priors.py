"""Where a picture's subject may be: maps from several ideas of what sets a subject apart, each 0..1.

No single idea holds for every photograph, so each becomes a hypothesis of its own (hypotheses.py), and they vote
(choice.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.kernels import kernel
from tollbrush.engines.studio.pixels.regions import Regions, pairwise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask
    from tollbrush.engines.studio.faces.find import Face
    from tollbrush.engines.studio.pixels.palette import Palette
    from tollbrush.engines.studio.pixels.regions import Map, Table

_CLUSTERS = 6  # colours that describe the border
SHOULDER = 1.55  # where the shoulders begin, in face heights below the face's top
_TRUNK = ((1.45, 99),)  # half the width of a body, in face widths, at heights below the face's top, in face heights
_SLEEVES = ((2.0, 2.2), (2.2, 3.2), (2.2, 99))  # the same with arms at rest
_ARMS = ((1.6, 2.2), (2.6, 3.2), (2.6, 99))  # and with what they hold
_RIM = 0.07  # of each side: how far in the picture's rim reaches


def prior_maps(regions: Regions, faces: Sequence[Face]) -> dict[str, Map]:
    """Every prior that applies, by name. `faces` in pixels of the small picture; with one, the body below it is a
    far better guess than the picture's centre."""
    centre, clear = regions.mean(_bell(regions.shape, 0.5, 0.53, 0.30, 0.36)), focus(regions)
    background, contrast = _background(regions)
    barrier = regions.mean(barrier_distance(np.ascontiguousarray(regions.lab), 4))
    barrier /= barrier.max() + 1e-9

    mixed = contrast * (0.4 + 0.6 * centre) + (0.5 * barrier + 0.35 * clear) * centre
    mixed /= np.percentile(mixed, 97) + 1e-9
    not_mixed = background * (1 - 0.5 * centre) + 0.3 * (1 - clear) * (1 - centre)
    sharp = clear * (0.3 + 0.7 * centre)
    sharp /= sharp.max() + 1e-9
    not_sharp = (1 - clear) ** 1.5 * (1 - 0.6 * centre) + 0.3 * (regions.border > 0)

    def settled(inside: Table, outside: Table) -> Map:
        return _stretch(regions.spread(_settle(regions, np.clip(inside, 0, 1), np.clip(outside, 0, 1))))

    maps = {
        "rbd": settled(contrast**1.2, background),
        "mix": settled(np.clip(mixed, 0, 1) ** 1.2, not_mixed),
        "mbd": _stretch(regions.spread(barrier)) * (0.5 + 0.5 * _bell(regions.shape, 0.5, 0.55, 0.35, 0.4)),
        "sharp": settled(sharp**1.5, not_sharp),
        "dist": _stretch(regions.spread(_unlike_border(regions) * (0.4 + 0.6 * centre))),
    }
    return maps | (_body_maps(regions, faces, maps) if faces else _centre_maps(regions.shape))


def _background(regions: Regions) -> tuple[Table, Table]:
    """Background probability by boundary connectivity, and contrast weighted by it
    (Zhu, Liang, Wei, Sun: Saliency optimization from robust background detection, CVPR 2014)."""
    pairs = regions.neighbours
    on_border = np.flatnonzero(regions.border > 0)
    first, second = np.triu_indices(len(on_border), 1)
    pairs = np.vstack([pairs, np.stack([on_border[first], on_border[second]], axis=1)])
    # A step of colour below what noise makes costs nothing.
    cost = np.maximum(regions.difference[pairs[:, 0], pairs[:, 1]] - 3, 0) + 1e-3
    paths = np.full((regions.count, regions.count), 1e9)
    paths[pairs[:, 0], pairs[:, 1]] = paths[pairs[:, 1], pairs[:, 0]] = cost
    np.fill_diagonal(paths, 0)
    shorten(paths)
    reach = np.exp(-np.square(paths) / (2 * 10.0**2))
    connectivity = reach @ regions.border / np.sqrt(reach @ regions.size)
    background = 1 - np.exp(-np.square(connectivity) / 2)
    nearness = np.exp(-np.square(pairwise(regions.place, regions.place)) / (2 * 0.25**2))
    contrast = (regions.difference * nearness) @ background
    return background, contrast / (contrast.max() + 1e-9)


@kernel
def shorten(paths: Table) -> None:
    """All-pairs shortest paths in place (Floyd and Warshall)."""
    for middle in range(len(paths)):
        for start in range(len(paths)):
            detour = paths[start, middle]
            for end in range(len(paths)):
                paths[start, end] = min(paths[start, end], detour + paths[middle, end])


@kernel
def barrier_distance(image: NDArray[np.float32], sweeps: int) -> NDArray[np.float32]:
    """Minimum barrier distance of each pixel of h×w×c to the border, summed over channels: the least range of values
    that a path to the border must cross (Zhang et al.: Minimum barrier salient object detection at 80 FPS, ICCV 2015).
    """
    height, width, channels = image.shape
    total = np.zeros((height, width), np.float32)
    for c in range(channels):
        distance = np.full((height, width), np.float32(1e9))
        distance[0, :] = distance[height - 1, :] = 0
        distance[:, 0] = distance[:, width - 1] = 0
        high, low = image[:, :, c].copy(), image[:, :, c].copy()
        for sweep in range(sweeps):
            step = 1 if sweep % 2 == 0 else -1  # raster, then the inverse
            for i in range(1, height - 1):
                y = i if step == 1 else height - 1 - i
                for j in range(1, width - 1):
                    x = j if step == 1 else width - 1 - j
                    for k in range(2):
                        ny, nx = (y - step, x) if k == 0 else (y, x - step)
                        top = max(high[ny, nx], image[y, x, c])
                        bottom = min(low[ny, nx], image[y, x, c])
                        if top - bottom < distance[y, x]:
                            distance[y, x] = top - bottom
                            high[y, x], low[y, x] = top, bottom
        total += distance
    return total


def focus(regions: Regions) -> Table:
    """How sharp each region is beside the others."""
    grey = np.asarray(cv2.cvtColor(regions.pixels, cv2.COLOR_RGB2GRAY), np.float32)
    detail = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.0))
    values = regions.mean(np.asarray(cv2.GaussianBlur(detail, (0, 0), max(regions.shape) / 60), np.float32))
    low, high = np.percentile(values, [5, 95])
    return np.asarray(np.clip((values - low) / (high - low + 1e-9), 0, 1), np.float64)


def _unlike_border(regions: Regions) -> Table:
    """Distance in colour to the nearest of the border's main colours."""
    border = regions.colour[regions.border > 0].astype(np.float32)
    cv2.setRNGSeed(1)
    rule = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.1)
    labels = np.zeros((len(border), 1), np.int32)
    _, _, centres = cv2.kmeans(border, min(_CLUSTERS, len(border)), labels, rule, 3, cv2.KMEANS_PP_CENTERS)
    nearest = pairwise(regions.colour, np.asarray(centres, np.float64)).min(axis=1)
    return np.asarray(np.clip(nearest / 35, 0, 1), np.float64)


def _settle(regions: Regions, inside: Table, outside: Table) -> Table:
    """The values nearest to both weights that are smooth where neighbours look alike (Zhu et al. 2014, section 4)."""
    a, b = regions.neighbours.T
    alike = np.exp(-np.square(regions.difference[a, b]) / (2 * 10.0**2)) + 0.05
    system = np.diag(inside + outside + 1e-6)
    system[a, b] -= alike
    system[b, a] -= alike
    np.add.at(system, (a, a), alike)
    np.add.at(system, (b, b), alike)
    return np.asarray(np.linalg.solve(system, inside), np.float64)


def _centre_maps(shape: tuple[int, int]) -> dict[str, Map]:
    return {
        "cen": _bell(shape, 0.5, 0.53, 0.28, 0.33),
        "cenS": _bell(shape, 0.5, 0.52, 0.17, 0.22),
        "cenB": _bell(shape, 0.5, 0.65, 0.30, 0.42),
        "cenW": _bell(shape, 0.5, 0.60, 0.36, 0.24),
    }


def _body_maps(regions: Regions, faces: Sequence[Face], maps: Mapping[str, Map]) -> dict[str, Map]:
    """Head, shoulders and what hangs below, for every face."""
    drawn = np.zeros(regions.shape, np.float32)
    for face in faces:
        drawn = np.maximum(drawn, _body(regions.shape, face, _TRUNK))
    body = _soft(drawn, faces)
    return {
        "body": np.clip(0.8 * body + 0.2 * maps["mix"] - 0.1 * (1 - body), 0, 1),
        "body2": 0.5 * body + 0.5 * maps["mix"],
        "body3": 0.65 * body + 0.35 * maps["sharp"],
    }


def palette_maps(palette: Palette, grain: Map) -> dict[str, Map]:
    """ "rim": colours that are commoner in the picture than along its rim, as a thing's are on however busy a ground.
    "crisp": what is in focus, wherever it lies; `grain` is the palette's."""
    height, width = palette.names.shape
    rows, columns = np.indices((height, width), dtype=np.float32)
    inward = np.minimum(np.minimum(columns / width, 1 - columns / width), rows / height)
    rim = np.square(np.clip(1 - inward / _RIM, 0, 1)).astype(np.float32)
    odds = cv2.GaussianBlur(palette.odds(np.ones_like(rim), rim), (0, 0), 1.5)
    low, high = np.percentile(grain, [5, 95])
    fine = np.asarray(np.clip((grain - low) / (high - low + 1e-6), 0, 1), np.float32)
    middle = cv2.threshold((fine * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)[0] / 255
    return {
        "rim": np.asarray(1 / (1 + np.exp(-2 * (odds - 0.3))), np.float32),
        "crisp": np.asarray(1 / (1 + np.exp(-6 * (cv2.GaussianBlur(fine, (0, 0), 2) - middle))), np.float32),
    }


def drawn_bodies(shape: tuple[int, int], faces: Sequence[Face]) -> tuple[Mask, Mask]:
    """Heads and shoulders with what hangs below, and how far arms with what they hold may reach."""
    body, reach = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for face in faces:
        body = np.maximum(body, _body(shape, face, _TRUNK))
        reach = np.maximum(reach, _body(shape, face, _ARMS))
    return body > 0, reach > 0


def drawn_sleeves(shape: tuple[int, int], faces: Sequence[Face]) -> Mask:
    """Where the picture's sides may cut off shoulders and sleeves."""
    drawn = np.zeros(shape, np.float32)
    for face in faces:
        drawn = np.maximum(drawn, _body(shape, face, _SLEEVES))
    return drawn > 0


def reach_map(shape: tuple[int, int], faces: Sequence[Face], mixed: Map) -> Map:
    """Like a body's map, but as wide as arms and what they hold; `mixed` is the prior map "mix"."""
    drawn = np.zeros(shape, np.float32)
    for face in faces:
        drawn = np.maximum(drawn, _body(shape, face, _ARMS))
    return 0.5 * _soft(drawn, faces) + 0.5 * mixed


def _soft(drawn: Map, faces: Sequence[Face]) -> Map:
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), 0.25 * max(face.w for face in faces)), np.float32)


def _body(shape: tuple[int, int], face: Face, below: Sequence[tuple[float, float]]) -> Map:
    """Head and shoulders, then the half widths at heights under the face's top that `below` lists, in face sizes."""
    drawn = np.zeros(shape, np.float32)
    x, y = face.x + face.w / 2, face.y + face.h / 2
    centre, axes = (int(x), int(y - 0.12 * face.h)), (int(0.62 * face.w), int(0.85 * face.h))
    cv2.ellipse(drawn, centre, axes, 0, 0, 360, 1.0, -1)  # the hair too
    half = [(0.32, 1.0), (1.25, SHOULDER), *below]
    outline = [(x + w * face.w, face.y + h * face.h) for w, h in half]
    outline += [(x - w * face.w, face.y + h * face.h) for w, h in reversed(half)]
    cv2.fillPoly(drawn, [np.array(outline, np.int32)], (1.0,))
    return drawn


def certain_body(shape: tuple[int, int], faces: Sequence[Face]) -> NDArray[np.bool_]:
    """Pixels that surely belong to a person whose face is there: the face with what covers the brow, and the middle of
    the trunk."""
    drawn = np.zeros(shape, np.uint8)
    for face in faces:
        x = face.x + face.w / 2
        centre = (int(x), int(face.y + 0.47 * face.h))
        cv2.ellipse(drawn, centre, (int(0.36 * face.w), int(0.50 * face.h)), 0, 0, 360, 1, -1)
        crown = (int(x), int(face.y + 0.27 * face.h))
        cv2.ellipse(drawn, crown, (int(0.38 * face.w), int(0.45 * face.h)), 0, 0, 360, 1, -1)
        chest = face.y + 1.25 * face.h
        waist = min(shape[0], face.y + (3.2 if len(faces) == 1 else 2.6) * face.h)
        if chest < shape[0]:
            half = [(0.25, chest), (0.62, chest + 0.75 * face.h), (0.55, waist)]
            outline = [(x + w * face.w, h) for w, h in half] + [(x - w * face.w, h) for w, h in reversed(half)]
            cv2.fillPoly(drawn, [np.array(outline, np.int32)], (1,))
    return drawn > 0


def _bell(shape: tuple[int, int], x: float, y: float, wide: float, high: float) -> Map:
    """A Gaussian hill; place and widths in parts of the picture."""
    rows, columns = np.indices(shape, dtype=np.float32)
    across, down = (columns / shape[1] - x) / wide, (rows / shape[0] - y) / high
    return np.exp(-(np.square(across) + np.square(down)) / 2).astype(np.float32)


def _stretch(values: Map) -> Map:
    low, high = np.percentile(values, [2, 98])
    return np.asarray(np.clip((values - low) / (high - low + 1e-9), 0, 1), np.float32)
