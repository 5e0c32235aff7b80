"""Legal oddities, decoded by us and by two decoders that know nothing of us: OpenCV and libvips."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import pyvips  # type: ignore[import-untyped]

from support.imagery import Pixels
from support.oddities import Oddity, corpus, refused
from tollbrush.errors import BadImage
from tollbrush.imaging.codec import decode

CORPUS = corpus()


def by_opencv(data: bytes) -> Pixels:
    """Upright RGB or RGBA; a profile is not looked at."""
    raw = np.frombuffer(data, np.uint8)
    plain = cv2.imdecode(raw, cv2.IMREAD_COLOR_RGB)
    assert plain is not None
    stored = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED)
    assert stored is not None
    if stored.ndim == 2 or stored.shape[2] != 4:
        return np.asarray(plain, np.uint8)
    if stored.dtype == np.uint16:
        stored = np.rint(stored / 257)
    return np.asarray(stored[..., [2, 1, 0, 3]], np.uint8)


def by_vips(data: bytes) -> Pixels:
    """Upright sRGB, through the profile where there is one."""
    image = pyvips.Image.new_from_buffer(data, "").autorot()
    if image.get_typeof("icc-profile-data"):
        intent = {"intent": "relative", "black_point_compensation": True}
        image = image.icc_transform("srgb", embedded=True, **intent)
    else:
        image = image.colourspace("srgb")
    return np.asarray(image.cast("uchar").numpy(), np.uint8)


def off(ours: Pixels, theirs: Pixels) -> tuple[float, int]:
    """How far apart what is seen is: on average, and at most. An opaque alpha channel is none; colours that nobody
    sees do not count."""
    assert ours.shape[:2] == theirs.shape[:2]
    one, other = _rgba(ours), _rgba(theirs)
    seen = (one[..., 3:] > 0) | (other[..., 3:] > 0)
    apart = np.abs(one - other) * np.concatenate([seen] * 3 + [np.ones_like(seen)], axis=2)
    return float(apart.mean()), int(apart.max())


def _rgba(pixels: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    colour = np.repeat(pixels[..., :1], 3, axis=2) if pixels.shape[2] < 3 else pixels[..., :3]
    alpha = pixels[..., -1:] if pixels.shape[2] in (2, 4) else np.full((*pixels.shape[:2], 1), 255)
    return np.concatenate((colour, alpha), axis=2).astype(np.int16)


BLIND = {name for name, file in CORPUS.items() if file.profiled} | {"png tRNS on grey"}
"""Where OpenCV sees something else: it reads no profiles, and overlooks a grey picture's transparent value."""
UNTOLD = {name for name, file in CORPUS.items() if file.inks and not file.profiled}
"""Inks that no profile describes: libvips prints them by a press of its own; we show them as OpenCV and Pillow do."""


@pytest.mark.parametrize("name", [name for name in CORPUS if name not in BLIND])
def test_as_opencv_sees_it(name: str) -> None:
    check(CORPUS[name], by_opencv(CORPUS[name].data))


@pytest.mark.parametrize("name", [name for name in CORPUS if name not in UNTOLD])
def test_as_libvips_sees_it(name: str) -> None:
    check(CORPUS[name], by_vips(CORPUS[name].data))


def check(file: Oddity, theirs: Pixels) -> None:
    """Bit for bit; through arithmetic on colours, within one level here and there."""
    mean, most = off(decode(file.data, max_pixels=10_000), theirs)
    if file.profiled or file.inks:
        assert most <= (2 if file.inks else 1)
        assert mean < (1 if file.inks else 0.03)
    else:
        assert most == 0


@pytest.mark.parametrize("name", refused())
def test_no_still_picture_of_eight_bits(name: str) -> None:
    with pytest.raises(BadImage, match=name.split()[0]):
        decode(refused()[name], max_pixels=10_000)
