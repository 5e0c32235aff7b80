"""Continue a picture beyond a side that is plain: clear sky, wall, backdrop, fog, snow.

The strip along the side is parted into what is smooth and its grain. What is smooth goes on as a harmonic function
does in a half-plane, the farther the smoother, and its slope dies away; grain is drawn anew with the strip's own
spectrum (Galerne, Gousseau and Morel 2011, "Random phase textures").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.plans.framings import Side

    Map = NDArray[np.floating]

TURNS: Final[dict[Side, int]] = {"left": -1, "top": 0, "right": 1, "bottom": 2}  # quarter turns that bring it on top
_JUDGED_SIDE: Final = 512  # longer side at which a strip is judged
_DEPTHS: Final = (0.1, 0.06, 0.035)  # of the longer side: the deepest strip that is plain is the one continued
_THINNEST: Final = 10  # pixels of the judged copy
_FLAT: Final = 1.8  # levels of 0…255 by which a plain strip may leave the smooth surface fitted to it, rms
_SPECK: Final = 6.5  # and anywhere
_REACH: Final = 2.0  # strips: how far outwards a slope goes on before it dies away


def plain_depths(pixels: Pixels) -> dict[Side, int]:
    """For each side of H×W×3|4 pixels that is plain, how many rows of it are."""
    height, width = pixels.shape[:2]
    scale = min(1.0, _JUDGED_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    if small.shape[2] == 4:
        small[..., :3] *= small[..., 3:] / 255
    depths: dict[Side, int] = {}
    for side, turn in TURNS.items():
        strips = (np.rot90(small, turn)[: max(_THINNEST, round(share * max(size)))] for share in _DEPTHS)
        if (plain := next(filter(_is_plain, strips), None)) is not None:
            depths[side] = round(len(plain) / scale)
    return depths


def _is_plain(strip: Map) -> bool:
    """Whether, but for its noise, a smooth surface is all that d×w×C of 0…255 shows."""
    calm = cv2.GaussianBlur(strip, (0, 0), 1.2, borderType=cv2.BORDER_REFLECT).reshape(strip.shape)
    noise = 1.4826 * float(np.median(np.abs(strip - calm), axis=(0, 1)).max())
    along, across = _projection(strip.shape[1], 5), _projection(strip.shape[0], 2)
    off = np.abs(calm - np.einsum("ij,jkc,kl->ilc", across, calm, along, optimize=True))
    even = np.sqrt(np.square(off).mean(axis=(0, 1))).max() < _FLAT + 0.2 * noise
    return bool(even and np.percentile(off, 99.8) < _SPECK + 0.3 * noise)


def _projection(length: int, degree: int) -> NDArray[np.float64]:
    """n×n: onto polynomials."""
    basis, _ = np.linalg.qr(np.polynomial.legendre.legvander(np.linspace(-1, 1, length), degree))
    return np.asarray(basis @ basis.T)


def continued(strip: Map, margin: int, random: np.random.Generator) -> Pixels:
    """`margin` rows above a plain strip, d×w×C, 0…255."""
    depth, width = strip.shape[:2]
    inside = -(np.arange(depth) + 0.5)
    outside = np.arange(margin)[::-1] + 0.5
    rim, slope = _fitted(strip, inside)
    calm = max(2.0, depth / 8)  # sigma: what is finer is grain
    rim, slope = _spread(rim, np.array([calm]))[0], _spread(slope, np.array([depth]))[0]
    rest = strip - (rim + inside[:, None, None] * slope)
    reach = _REACH * depth
    smooth = _spread(rim, 0.5 * outside) + (reach * (1 - np.exp(-outside / reach)))[:, None, None] * slope
    soft = cv2.GaussianBlur(rest, (0, 0), calm, borderType=cv2.BORDER_REFLECT).reshape(rest.shape)
    # Next to the rim what is uneven is mirrored, so that nothing jumps.
    mirrored = np.zeros((margin, *rest.shape[1:]))
    mirrored[max(0, margin - depth) :] = soft[:margin][::-1]
    share = np.clip(1 - outside / depth, 0, 1)[:, None, None]
    result = smooth + share * share * (3 - 2 * share) * mirrored + _drawn(rest - soft, margin, random)
    dither = random.random((margin, width, 1))
    return np.asarray(np.clip(np.floor(result + 0.01 + 0.98 * dither), 0, 255), np.uint8)


def _fitted(strip: Map, inside: Map) -> tuple[Map, Map]:
    """Value at the rim and slope outwards, w×C: a straight line per column, nearer rows counting more."""
    weight = np.exp(2 * inside / len(inside))
    weight /= weight.sum()
    middle = float(weight @ inside)
    mean = np.tensordot(weight, strip, (0, 0))
    slope = np.tensordot(weight * (inside - middle), strip, (0, 0)) / float(weight @ (inside - middle) ** 2)
    return mean - middle * slope, slope


def _spread(line: Map, sigmas: Map) -> Map:
    """w×C values blurred by each of n sigmas: n×w×C. The line goes on evenly beyond its ends."""
    width = len(line)
    at = np.linspace(-0.5, 0.5, width)[:, None]
    trend = line.mean(axis=0) + at * (np.sum(at * line, axis=0) / np.sum(at * at))
    waves = np.fft.rfft(np.concatenate([line - trend, (line - trend)[::-1]]), axis=0)
    passed = np.exp(-2 * np.square(np.pi * np.outer(sigmas, np.fft.rfftfreq(2 * width))))
    spread = np.empty((len(sigmas), *line.shape))
    for c in range(line.shape[1]):
        spread[..., c] = trend[:, c] + np.fft.irfft(passed * waves[:, c], 2 * width, axis=1)[:, :width]
    return spread


def _drawn(grain: Map, rows: int, random: np.random.Generator) -> Map:
    """rows×w×C of noise with the colours and the spectrum of `grain`, d×w×C: white noise convolved with it."""
    depth, width, channels = grain.shape
    wide = min(width, 4 * depth)
    start = int(random.integers(0, width - wide + 1))
    spot = grain[:, start : start + wide]
    spot = (spot - spot.mean(axis=(0, 1))) / np.sqrt(depth * wide)
    size = (cv2.getOptimalDFTSize(max(rows, depth)), cv2.getOptimalDFTSize(width))
    white = np.fft.rfft2(random.standard_normal(size))
    parts = [np.fft.irfft2(white * np.fft.rfft2(spot[..., c], size), size)[:rows, :width] for c in range(channels)]
    return np.stack(parts, axis=2)
