"""Noise goes, the picture stays."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from tollbrush.engines.studio.retouch.detail import denoised, noise_of


@pytest.mark.parametrize(("sigma", "gain"), [(6, 2.5), (12, 5), (24, 7)])
def test_denoising_brings_a_noisy_picture_nearer_to_the_clean_one(sigma: float, gain: float) -> None:
    clean = np.asarray(skimage.data.chelsea(), np.uint8)
    noise = np.random.default_rng(3).normal(0, sigma, clean.shape)
    noisy = np.clip(clean + noise, 0, 255).astype(np.uint8)

    def off(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> float:
        return float(10 * np.log10(255**2 / np.square(pixels.astype(np.float64) - clean).mean()))

    assert off(denoised(noisy, 1.0)) > off(noisy) + gain


def test_a_clean_picture_hardly_changes() -> None:
    clean = np.asarray(skimage.data.coffee(), np.uint8)
    error = denoised(clean, 1.0).astype(np.float64) - clean
    assert np.square(error).mean() < 12


def test_noise_is_measured_as_it_is() -> None:
    ramp = np.tile(np.linspace(60, 190, 200, dtype=np.float32), (200, 1))
    noisy = ramp + np.random.default_rng(1).normal(0, 9, ramp.shape).astype(np.float32)
    assert noise_of(noisy) == pytest.approx(9, rel=0.1)
