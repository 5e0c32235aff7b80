"""Matrix profiles by our own arithmetic, against the colour engine's."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from support.imagery import ADOBE_RGB, DISPLAY_P3, Pixels, cmyk_profile, photo, rgb_profile
from tollbrush.imaging.shaper import read_shaper

CURVES: dict[str, float | bytes] = {
    "gamma": 2.2,
    "line": b"curv" + struct.pack(">II", 0, 0),
    "table": b"curv\0\0\0\0" + struct.pack(">I64H", 64, *(round((i / 63) ** 1.8 * 65535) for i in range(64))),
    "power": b"para" + struct.pack(">IHHi", 0, 0, 0, round(2.4 * 65536)),
    "kind 1": b"para" + struct.pack(">IHH3i", 0, 1, 0, *(round(v * 65536) for v in (2.2, 1.05, -0.05))),
    "kind 2": b"para" + struct.pack(">IHH4i", 0, 2, 0, *(round(v * 65536) for v in (2.2, 1.05, -0.05, 0.0))),
    "srgb": b"para"
    + struct.pack(">IHH5i", 0, 3, 0, *(round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))),
    "kind 4": b"para"
    + struct.pack(">IHH7i", 0, 4, 0, *(round(v * 65536) for v in (2.2, 0.9, 0.1, 0.2, 0.1, 0.0, 0.0))),
}


def by_lcms(pixels: Pixels, profile: bytes) -> Pixels:
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        "RGB",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return np.array(ImageCms.applyTransform(Image.fromarray(pixels), transform))


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("primaries", [DISPLAY_P3, ADOBE_RGB], ids=["p3", "adobe"])
def test_as_the_colour_engine(primaries: tuple[tuple[float, float, float], ...], curve: str) -> None:
    profile = rgb_profile(primaries, CURVES[curve])
    pixels = np.random.default_rng(3).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    shaper = read_shaper(profile)
    assert shaper is not None
    off = np.abs(shaper.apply(pixels).astype(int) - by_lcms(pixels, profile))
    # Near black a straight line of light meets sRGB's steep start; elsewhere a level.
    assert np.quantile(off, 0.995) <= 1
    assert off.max() <= 3


def test_rows_are_the_pictures(name: str = "gamma") -> None:
    profile = rgb_profile(DISPLAY_P3, CURVES[name])
    shaper = read_shaper(profile)
    assert shaper is not None
    tall = photo(5, 131)
    assert np.array_equal(shaper.apply(tall)[100:], shaper.apply(tall[100:]))


def test_other_profiles_are_left_to_the_engine() -> None:
    good = rgb_profile(DISPLAY_P3, 2.2)
    assert read_shaper(cmyk_profile(((40, 50, 40), (60, 0, -40), (90, 0, 80), (5, 0, 0)))) is None
    assert read_shaper(good.replace(b"rTRC", b"A2B0")) is None
    assert read_shaper(good.replace(b"rXYZ", b"none")) is None
    assert read_shaper(good[:300]) is None
    assert read_shaper(b"") is None
    lifted = b"para" + struct.pack(">IHH4i", 0, 2, 0, *(round(v * 65536) for v in (2.2, 0.9, 0.0, 0.1)))
    assert read_shaper(rgb_profile(DISPLAY_P3, lifted)) is None  # its black is grey


@given(st.lists(st.tuples(st.integers(128, 600), st.integers(0, 255)), max_size=12), st.integers(0, 700))
@settings(max_examples=200, deadline=None)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_broken_profiles_raise_nothing(changes: list[tuple[int, int]], keep: int) -> None:
    broken = bytearray(rgb_profile(DISPLAY_P3, CURVES["kind 2"]))
    for at, value in changes:
        broken[at % len(broken)] = value
    shaper = read_shaper(bytes(broken[:keep] if keep < 600 else broken))
    if shaper is not None:
        assert shaper.apply(photo(3, 2)).shape == (2, 3, 3)
