"""The quality suite's own yardsticks, on cases whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest
from bench.quality.fills import psnr, texture
from bench.quality.grammar import judged as understood
from bench.quality.line import Line, means
from bench.quality.photographs import outlined, photograph, placed, scenes
from bench.quality.recolours import judged as recoloured
from bench.quality.segmentation import boundary_f, gate, rough

NAMES = ("astronaut", "shuttle", "coffee", "cameraman", "motorcycle", "rocket", "chelsea", "coin", "cell")


@pytest.mark.parametrize("name", NAMES)
def test_every_outline_lies_on_its_photograph(name: str) -> None:
    scene = outlined(name)
    assert scene.mask.shape == scene.pixels.shape[:2]
    assert 0.005 < scene.mask.mean() < 0.8


def test_scenes_have_subjects_of_their_own_names() -> None:
    found = list(scenes())
    assert len({scene.name for scene in found}) == len(found) >= 15
    assert all(scene.mask.any() and not scene.mask.all() for scene in found)


def test_a_boundary_agrees_with_itself_and_not_with_one_far_away() -> None:
    mask = np.zeros((100, 100), bool)
    mask[30:60, 30:60] = True
    assert boundary_f(mask, mask) == 1
    assert boundary_f(mask, np.roll(mask, 1, axis=1)) == 1
    assert boundary_f(mask, np.roll(mask, 35, axis=1)) < 0.1
    assert boundary_f(np.zeros_like(mask), mask) == 0


def test_a_rough_hint_is_rough_and_near() -> None:
    truth = outlined("coffee").mask
    hint = rough(truth)
    overlap = (hint & truth).sum() / (hint | truth).sum()
    assert 0.8 < overlap < 0.97


def test_a_placed_subject_keeps_its_pixels() -> None:
    scene = outlined("coffee")
    moved = placed(scene, np.zeros_like(scene.pixels), 1.0, 20, 5)
    assert (moved.pixels[205, 320] == scene.pixels[200, 300]).all()
    assert not moved.pixels[395, 5].any()


def test_the_same_texture_is_nearer_than_a_flat_patch() -> None:
    gravel = photograph("gravel")
    hole = np.zeros(gravel.shape[:2], bool)
    hole[100:160, 100:160] = True
    other, flat = gravel.copy(), gravel.copy()
    other[hole] = gravel[300:360, 300:360].reshape(-1, 3)
    flat[hole] = 128
    assert texture(gravel, gravel, hole) == 0
    assert texture(other, gravel, hole) < 0.3 * texture(flat, gravel, hole)


def test_psnr_counts_the_hole_alone() -> None:
    truth = photograph("coffee")
    hole = np.zeros(truth.shape[:2], bool)
    hole[50:60, 50:60] = True
    painted = truth.copy()
    painted[hole] = np.clip(truth[hole].astype(int) + 16, 0, 255)
    painted[0, 0] ^= 255
    assert psnr(painted, truth, hole) == pytest.approx(20 * np.log10(255 / 16), abs=0.5)


def test_means_and_gates_count_what_they_say() -> None:
    right = Line("a", "studio", {"IoU": 0.9, "boundary F": 0.8, "confidence": 0.9})
    wrong = Line("b", "studio", {"IoU": 0.2, "boundary F": 0.1, "confidence": 0.75})
    assert means([right, wrong])[0].figures["IoU"] == pytest.approx(0.55)
    steps = {line.case.split()[1]: line.figures for line in gate([right, wrong])}
    assert steps["0.7"]["wrong"] == 0.5
    assert steps["0.8"] == {"acted": 0.5, "mean IoU": 0.9, "wrong": 0, "right, refused": 0}


def test_a_right_colour_with_its_shading_is_told_from_a_flat_one() -> None:
    ramp = np.linspace(40, 200, 64)[None, :, None] * np.ones((64, 1, 3))
    red, blue, flat = ((ramp * tint).astype(np.uint8) for tint in ((1.0, 0.2, 0.2), (0.2, 0.2, 1.0), (0.0, 0.0, 1.0)))
    flat[:, ::2] = (20, 20, 200)
    flat[::3] = (0, 0, 120)
    inside = np.zeros((64, 64), bool)
    inside[4:40] = True
    right, dull = (recoloured(red, after, inside, (40, 40, 255)) for after in (blue, flat))
    assert right["hue error"] < 6
    assert right["gradients"] > 0.9
    assert not dull["gradients"] > 0.5
    assert recoloured(red, red, inside, (40, 40, 255))["hue error"] > 60


def test_wrong_and_missed_and_wrongly_done_prompts_are_counted_apart() -> None:
    asked = {"add a hat": "wear crown", "add a crown": "wear crown", "add a dog": None, "make it warmer": None}
    assert understood(asked) == {"understood": 0.5, "wrong": 0.5, "refused": 0.5}
