"""Knock-outs filled again. Blobs, within one texture or across several things, chosen or drawn by lot, are judged by
texture (what was there cannot be known), thin holes by PSNR.

`texture` is the sliced Wasserstein distance between 5×5 patches (levels of 255) of the fill and of what was removed.
Blobs are filled several times over, for some methods (G'MIC's and ours) draw lots: the figure is the mean.
Peers: OpenCV's Telea and Navier-Stokes, and G'MIC's matchpatch where the command `gmic` is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bench.quality.line import Line
from bench.quality.photographs import photograph, tinted
from tollbrush.engines.studio.fill.removal import fill
from tollbrush.engines.studio.fill.surround import variety

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

TITLE = "fills (texture: lower is better; PSNR in dB: higher is better)"
_PATCH = 5
_SLICES = 64
_RUNS = 3  # of a blob
_DRAWN = 2  # holes in each of these, wherever several things meet
_BUSY = ("motorcycle", "coffee", "astronaut", "chelsea", "camera", "coins")
_MEET = 1.25  # variety of the surround from which on they do

Method = Callable[["Pixels", "Mask", int], "Pixels"]  # the last is a seed


def run() -> list[Line]:
    lines = []
    for name, pixels, hole, thin in cases():
        for method, paint in methods().items():
            if thin:
                figure = {"PSNR": psnr(paint(pixels, hole, 0), pixels, hole)}
            else:
                runs = [texture(paint(pixels, hole, seed), pixels, hole) for seed in range(_RUNS)]
                figure = {"texture": float(np.mean(runs))}
            lines.append(Line(name, method, figure))
    return lines


def methods() -> dict[str, Method]:
    found: dict[str, Method] = {
        "studio": fill,
        "OpenCV, Telea": lambda pixels, hole, _: _inpainted(pixels, hole, cv2.INPAINT_TELEA),
        "OpenCV, Navier-Stokes": lambda pixels, hole, _: _inpainted(pixels, hole, cv2.INPAINT_NS),
    }
    if shutil.which("gmic"):
        found["G'MIC, matchpatch"] = _matched
    return found


def cases() -> Iterator[tuple[str, Pixels, Mask, bool]]:
    """Name, picture, hole, and whether the hole is thin."""
    grass = tinted(photograph("grass"), (0.7, 1.0, 0.5))
    brick = tinted(photograph("brick"), (1.0, 0.75, 0.65))
    wood = np.ascontiguousarray(photograph("coffee")[:, 380:])
    blobs = (
        ("blob in grass", grass, (256, 256), (60, 45)),
        ("blob in gravel", photograph("gravel"), (250, 270), (55, 70)),
        ("blob in bricks", brick, (260, 250), (60, 50)),
        ("blob in wood", wood, (150, 250), (35, 45)),
        ("blob on the moon", photograph("moon"), (340, 330), (50, 50)),
        ("blob in tissue", photograph("immunohistochemistry"), (300, 300), (45, 45)),
        ("blob in the sky", photograph("rocket"), (250, 180), (45, 60)),
        ("across a shoulder", photograph("astronaut"), (262, 290), (42, 52)),
        ("across a saucer's rim", photograph("coffee"), (470, 300), (45, 54)),
        ("across a brow", photograph("chelsea"), (270, 90), (40, 40)),
        ("across a fork", photograph("motorcycle"), (590, 190), (46, 46)),
        ("across a wheel", photograph("motorcycle"), (130, 330), (50, 42)),
        ("across a skyline", photograph("camera"), (420, 200), (40, 50)),
    )
    for name, pixels, centre, axes in blobs:
        hole = np.zeros(pixels.shape[:2], np.uint8)
        cv2.ellipse(hole, centre, axes, 15, 0, 360, (1,), -1)
        yield name, pixels, hole > 0, False
    yield from drawn()
    for name in ("astronaut", "chelsea", "coffee", "motorcycle"):
        pixels = photograph(name)
        yield f"scratches on {name}", pixels, scratches(pixels.shape[:2]), True
        yield f"text on {name}", pixels, writing(pixels.shape[:2]), True


def drawn() -> Iterator[tuple[str, Pixels, Mask, bool]]:
    """Blobs at places that nobody chose."""
    random = np.random.default_rng(3)
    for name in _BUSY:
        pixels, count = photograph(name), 0
        height, width = pixels.shape[:2]
        lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        while count < _DRAWN:
            x, y = (int(random.integers(60, side - 60)) for side in (width, height))
            axes = int(random.integers(28, 52)), int(random.integers(28, 52))
            hole = np.zeros((height, width), np.uint8)
            cv2.ellipse(hole, (x, y), axes, float(random.uniform(0, 180)), 0, 360, (1,), -1)
            if variety(np.asarray(lab, np.float32), hole > 0) > _MEET:
                count += 1
                yield f"among things, {name} {count}", pixels, hole > 0, False


def scratches(shape: tuple[int, ...]) -> Mask:
    height, width = shape[:2]
    random, hole = np.random.default_rng(6), np.zeros((height, width), np.uint8)
    for _ in range(9):
        points = np.cumsum(random.normal(0, 0.06, (8, 2)), axis=0) + random.uniform(0.1, 0.9, 2)
        cv2.polylines(hole, [(points * (width, height)).astype(np.int32)], False, (1,), 3)
    return hole > 0


def writing(shape: tuple[int, ...]) -> Mask:
    height, width = shape[:2]
    hole = np.zeros((height, width), np.uint8)
    for row in range(3):
        at = (int(0.04 * width), int((0.3 + 0.25 * row) * height))
        cv2.putText(hole, "sample of a caption", at, cv2.FONT_HERSHEY_SIMPLEX, width / 380, (1,), 3)
    return hole > 0


def psnr(painted: Pixels, truth: Pixels, hole: Mask) -> float:
    error = np.square(painted[hole].astype(np.float64) - truth[hole]).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def texture(painted: Pixels, truth: Pixels, hole: Mask) -> float:
    """Rabin, Peyré, Delon and Bernot (2011), over patches that lie within the hole."""
    inner = cv2.erode(hole.astype(np.uint8), np.ones((_PATCH, _PATCH), np.uint8)) > 0
    random = np.random.default_rng(7)
    ways = random.standard_normal((_PATCH * _PATCH * 3, _SLICES))
    ways /= np.linalg.norm(ways, axis=0)
    ours, theirs = (np.sort(_patches(pixels, inner) @ ways, axis=0) for pixels in (painted, truth))
    return float(np.abs(ours - theirs).mean())


def _patches(pixels: Pixels, centres: Mask) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    radius = _PATCH // 2
    padded = np.pad(pixels[..., :3], ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (_PATCH, _PATCH), axis=(0, 1))
    return windows[centres].reshape(int(centres.sum()), -1).astype(np.float64)


def _inpainted(pixels: Pixels, hole: Mask, way: int) -> Pixels:
    return np.asarray(cv2.inpaint(pixels, hole.astype(np.uint8), 3, way), np.uint8)


def _matched(pixels: Pixels, hole: Mask, _: int) -> Pixels:
    with tempfile.TemporaryDirectory() as name:
        picture, mask, painted = (str(Path(name, file)) for file in ("picture.png", "mask.png", "painted.png"))
        cv2.imwrite(picture, np.ascontiguousarray(pixels[..., 2::-1]))
        cv2.imwrite(mask, hole.astype(np.uint8))
        steps = ["inpaint_matchpatch[0]", "[1]", "keep[0]", "output", painted]
        subprocess.run(["gmic", "-v", "-1", picture, mask, *steps], check=True)
        return np.ascontiguousarray(np.asarray(cv2.imread(painted, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
