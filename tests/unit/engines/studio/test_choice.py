"""Which of several candidate masks is believed, and how far; and the priors and rules that lead to them."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tollbrush.engines.studio.faces.find import Face
from tollbrush.engines.studio.pixels.regions import Regions, cut_regions
from tollbrush.engines.studio.subject.choice import chosen
from tollbrush.engines.studio.subject.defocus import Edges
from tollbrush.engines.studio.subject.hypotheses import People, candidates, evidence_of
from tollbrush.engines.studio.subject.priors import certain_body, drawn_bodies, drawn_sleeves

Mask = NDArray[np.bool_]
Map = NDArray[np.float32]
Pixels = NDArray[np.uint8]

SIDE = 128
RED, GREEN, BLUE = (190, 50, 40), (60, 140, 70), (50, 70, 170)


def disc(x: int, y: int, radius: int) -> Mask:
    rows, columns = np.indices((SIDE, SIDE))
    return np.asarray(np.hypot(columns - x, rows - y) < radius)


def painted(ground: tuple[int, int, int], *parts: tuple[Mask, tuple[int, int, int]]) -> Pixels:
    pixels = np.full((SIDE, SIDE, 3), ground, np.float64)
    for mask, colour in parts:
        pixels[mask] = colour
    return np.clip(pixels + np.random.default_rng(1).normal(0, 5, pixels.shape), 0, 255).astype(np.uint8)


THING, PART, ELSEWHERE = disc(64, 64, 30), disc(64, 52, 12), disc(20, 20, 12)


@pytest.fixture
def scene() -> Regions:
    return cut_regions(painted(GREEN, (THING, RED)))


def plain() -> Edges:
    """No edges to tell focus by."""
    return Edges(np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32))


def maps_of(mask: Mask) -> Mapping[str, Map]:
    return {name: np.where(mask, 0.95, 0.0).astype(np.float32) for name in ("rbd", "rim")}


def test_the_candidate_in_the_middle_wins(scene: Regions) -> None:
    masks = {"part": PART, "one": THING, "other": disc(65, 64, 30), "elsewhere": ELSEWHERE}
    choice = chosen(scene, maps_of(THING), masks, [], plain())
    assert choice.name in ("one", "other")
    assert choice.confidence > 0.6


def test_agreement_makes_sure_and_discord_does_not(scene: Regions) -> None:
    agreed = chosen(scene, maps_of(THING), {"a": THING, "b": disc(64, 65, 30), "c": disc(63, 64, 30)}, [], plain())
    one, two, three = disc(30, 30, 18), disc(95, 40, 18), disc(60, 100, 18)
    pixels = cut_regions(painted(GREEN, (one, RED), (two, RED), (three, RED)))
    torn = chosen(pixels, maps_of(one | two | three), {"a": one, "b": two, "c": three}, [], plain())
    assert agreed.confidence > 0.85
    assert torn.confidence < 0.5


def test_an_outline_through_one_colour_is_doubted(scene: Regions) -> None:
    """A disc within a disc of the same red."""
    inner = disc(64, 64, 16)
    whole = chosen(scene, maps_of(THING), {"a": THING, "b": THING.copy()}, [], plain())
    cut = chosen(scene, maps_of(inner), {"a": inner, "b": inner.copy()}, [], plain())
    assert whole.confidence > 0.9
    assert cut.confidence < 0.5


def test_a_part_of_what_sets_itself_off_is_doubted(scene: Regions) -> None:
    """All candidates agree on a small part, but the colours say that the rim has nothing of the rest either."""
    small = disc(64, 45, 9)
    pixels = cut_regions(painted(GREEN, (THING, RED), (small, BLUE)))
    alone = chosen(pixels, maps_of(small), {"a": small, "b": small.copy()}, [], plain())
    among = chosen(
        pixels, {**maps_of(small), "rim": maps_of(THING)["rim"]}, {"a": small, "b": small.copy()}, [], plain()
    )
    assert among.confidence < alone.confidence - 0.1


def test_bodies_outvote_what_else_sets_itself_off(scene: Regions) -> None:
    face = Face(50, 20, 24, 24, 60, 2)
    body = drawn_bodies((SIDE, SIDE), [face])[0]
    lamp = disc(112, 30, 12)
    masks = {"lamp": lamp, "lamp again": disc(112, 31, 12), "lamp too": disc(111, 30, 12), "body": body}
    assert chosen(scene, maps_of(lamp), masks, [], plain()).name.startswith("lamp")
    assert chosen(scene, maps_of(lamp), masks, [face], plain()).name == "body"


def test_the_candidate_that_holds_what_is_in_focus_outvotes_its_parts() -> None:
    """Parts of a thing agree on each other more than on the whole; the background's edges are blurred."""
    pixels = cut_regions(painted(GREEN, (THING, RED), (PART, BLUE)))
    masks = {"part": PART, "again": disc(64, 53, 12), "too": disc(65, 52, 12), "whole": THING}
    sharp, blurred = (np.where(area, 0.3, 0.0).astype(np.float32) for area in (THING, ~THING))
    told = chosen(pixels, maps_of(THING), masks, [], Edges(sharp, blurred))
    untold = chosen(pixels, maps_of(THING), masks, [], plain())
    assert told.name == "whole"
    assert untold.name != "whole"
    assert chosen(pixels, maps_of(THING), masks, [], Edges(blurred, sharp)) == untold


def test_rim_finds_the_colours_that_the_border_has_none_of() -> None:
    """A red thing before a border that is green on one side and blue on the other, a green thing on the blue side."""
    left = np.indices((SIDE, SIDE))[1] < 64
    ground = painted(BLUE, (np.asarray(left), GREEN), (disc(64, 64, 25), RED), (disc(100, 100, 10), GREEN))
    rim = evidence_of(ground, ground).priors["rim"]
    assert rim[disc(64, 64, 20)].mean() > 0.8
    assert rim[disc(100, 100, 7)].mean() < 0.4
    assert rim[8:120, 8:30].mean() < 0.4


def test_crisp_finds_what_is_in_focus_wherever_it_lies() -> None:
    noise = np.random.default_rng(3).normal(0, 40, (SIDE, SIDE, 1))
    sharp = disc(30, 80, 22)
    pixels = np.clip(128 + np.where(sharp[..., None], noise, cv2.GaussianBlur(noise, (0, 0), 5)[..., None]), 0, 255)
    grey = np.repeat(pixels, 3, axis=2).astype(np.uint8)
    crisp = evidence_of(grey, grey).priors["crisp"]
    assert crisp[disc(30, 80, 15)].mean() > 0.7
    assert crisp[disc(90, 40, 25)].mean() < 0.3


def test_sleeves_that_leave_the_picture_are_kept_and_borders_beyond_them_are_not() -> None:
    """A bust whose red sleeves are cut off by both sides, before a wall with a red frame in an upper corner."""
    face = Face(48, 30, 32, 32, 60, 2)
    rows, columns = np.indices((SIDE, SIDE))
    head, bust = disc(64, 46, 20), rows > 72 + 0.12 * np.abs(columns - 64)
    frame = (rows < 30) & (columns < 14)
    pixels = painted(GREEN, (head, (220, 180, 150)), (np.asarray(bust), RED), (np.asarray(frame), RED))
    shape = (SIDE, SIDE)
    body = drawn_bodies(shape, [face])[0].astype(np.float32)
    prior = np.asarray(cv2.GaussianBlur(body, (0, 0), 8), np.float32)
    people = People(certain_body(shape, [face]), drawn_sleeves(shape, [face]))
    mask = candidates(shape, evidence_of(pixels, pixels), {"body": prior, "mix": prior}, people)["body"]
    assert mask[110:120, :4].mean() > 0.95
    assert mask[110:120, -4:].mean() > 0.95
    assert not mask[5:25, 2:10].any()


def test_brow_and_crown_are_certain_for_a_face() -> None:
    face = Face(48, 40, 32, 32, 60, 2)
    certain = certain_body((SIDE, SIDE), [face])
    assert certain[37, 64]
    assert certain[56, 64]
    assert not certain[20, 64]
    assert not certain[56, 20]
