"""Beyond a plain side the picture goes on unnoticed, beyond others by its texture; what a side cuts is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.fill.completion import grow
from tollbrush.engines.studio.fill.extend import extended, uncut_sides
from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.plans.framings import Extend, Side
from tollbrush.engines.studio.subject.find import Subject
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.errors import CannotHonour

Pixels = NDArray[np.uint8]
ALL: tuple[Side, ...] = ("left", "right", "top", "bottom")


def sky(height: int = 160, width: int = 240, *, noise: float = 3.0, seed: int = 0) -> Pixels:
    """Deeper towards the top and the left, with grain."""
    rows, columns = np.mgrid[:height, :width]
    blue = np.stack([90 + 60 * rows / height, 140 + 50 * rows / height, 215 + 15 * columns / width], axis=2)
    grain = np.random.default_rng(seed).normal(0, noise, (height, width, 1))
    return np.clip(np.rint(blue + grain), 0, 255).astype(np.uint8)


def photograph() -> Pixels:
    """A man under a clear sky."""
    return np.dstack([skimage.data.camera()] * 3)


@pytest.mark.parametrize("side", ALL)
def test_what_was_there_is_untouched(side: Side) -> None:
    picture = sky()
    framing = Extend((side,))
    left, top, _, _ = framing.margins(Size(240, 160))
    result = extended(picture, framing, 1)
    size = framing.size(Size(240, 160))
    assert result.shape == (size.height, size.width, 3)
    assert np.array_equal(result[top : top + 160, left : left + 240], picture)


def test_no_seam_shows() -> None:
    """The step across the rim is no higher than steps between rows of the picture itself."""
    for picture in (sky(noise=0.5), photograph()):
        margin = round(len(picture) * 0.25)
        steps = np.diff(extended(picture, Extend(("top",)), 2)[: 2 * margin].astype(float), axis=0)
        inside = np.abs(steps[margin : margin + 20]).mean()
        assert np.abs(steps[margin - 1]).mean() < 1.25 * inside + 0.1
        assert abs(steps[margin - 1].mean()) < 1.0, "grain hides no step of light"


def test_its_grain_is_the_strips() -> None:
    picture = sky(noise=4.0)
    result = extended(picture, Extend(("top",)), 3).astype(np.float32)
    fine = result - cv2.GaussianBlur(result, (0, 0), 2)
    beyond, within = fine[:36, 4:-4].std(axis=(0, 1)), fine[44:60, 4:-4].std(axis=(0, 1))
    assert np.allclose(beyond, within, rtol=0.12)
    grey = fine[:36, 4:-4].reshape(-1, 3).T
    assert np.corrcoef(grey)[0, 1] > 0.9, "grey grain stays grey"


def test_nothing_is_repeated() -> None:
    result = extended(sky(noise=4.0), Extend(("top",)), 3).astype(np.float32)
    fine = result - cv2.GaussianBlur(result, (0, 0), 2)
    beyond, mirrored = fine[:40][::-1, :, 0].ravel(), fine[40:80, :, 0].ravel()
    assert abs(float(np.corrcoef(beyond, mirrored)[0, 1])) < 0.1


def test_a_soft_gradient_goes_on_without_bands() -> None:
    """Where there is no grain to hide them, no step is higher than one level, and steps lie scattered."""
    rows = np.repeat(np.linspace(60, 100, 200)[:, None, None], 200, axis=1)
    picture = np.floor(np.repeat(rows, 3, axis=2) + np.random.default_rng(0).random((200, 200, 1))).astype(np.uint8)
    beyond = extended(picture, Extend(("top",)), 5)[:50].astype(float)
    assert beyond.mean(axis=(1, 2))[0] < 59, "darker still"
    assert np.all(np.diff(cv2.blur(beyond[..., 0], (200, 5))[:, 100]) > -0.25), "monotone"
    assert beyond.std(axis=1).min() > 0.2, "no row is of one level"


def test_a_slope_dies_away() -> None:
    rows = np.repeat(np.linspace(20, 180, 200)[:, None, None], 200, axis=1)
    picture = np.repeat(rows, 3, axis=2).astype(np.uint8)
    far = extended(extended(picture, Extend(("top",)), 0), Extend(("top",)), 0)[0].mean()
    assert 0 <= far < 20
    down = extended(picture, Extend(("bottom",)), 0)[-1].mean()
    assert 190 < down < 225, "a straight line would have come to 220, clipped soon after"


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_stay_so(level: int) -> None:
    assert np.all(extended(np.full((60, 70, 3), level, np.uint8), Extend(), 0) == level)


def test_clear_ground_stays_clear() -> None:
    picture = np.dstack([skimage.data.astronaut()[::4, ::4], np.zeros((128, 128), np.uint8)])
    picture[40:90, 40:90, 3] = 255
    result = extended(picture, Extend(), 0)
    assert result.shape == (192, 192, 4)
    assert result[..., 3].sum() == 255 * 50 * 50


def test_seeds() -> None:
    picture = sky()
    first = extended(picture, Extend(("left",)), 1)
    assert np.array_equal(first, extended(picture, Extend(("left",)), 1))
    assert not np.array_equal(first, extended(picture, Extend(("left",)), 2))


def test_a_photograph_by_its_prompt() -> None:
    picture = photograph()
    (result,) = perform(understand("extend the sky upwards", masked=False), picture, None, [0])
    assert result.shape == (640, 512, 3)
    assert np.array_equal(result[128:], picture)
    assert abs(float(result[:128].mean()) - float(picture[:64].mean())) < 20, "sky, and no coat"


@pytest.mark.parametrize(
    ("prompt", "sides"),
    [
        ("extend it to the right and bottom", ("right", "bottom")),
        ("extend the picture upwards and to the left", ("left", "top")),
        ("extend it upwards and extend it to the right", ("right", "top")),
    ],
)
def test_two_sides_are_one_extension(prompt: str, sides: tuple[Side, ...]) -> None:
    picture = sky()
    plan = understand(prompt, masked=False)
    assert plan.operations == (Extend(sides),)
    (result,) = perform(plan, picture, None, [0])
    size = Extend(sides).size(Size(240, 160))
    assert result.shape == (size.height, size.width, 3)


def sized(name: str, width: int) -> Pixels:
    picture = np.asarray(getattr(skimage.data, name)())
    picture = picture if picture.ndim == 3 else np.dstack([picture] * 3)
    size = (width, round(width * len(picture) / picture.shape[1]))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def fine(pixels: Pixels) -> float:
    """Standard deviation of what is finer than three pixels."""
    grey = pixels.mean(axis=2, dtype=np.float32)
    return float((grey - cv2.GaussianBlur(grey, (0, 0), 1.5)).std())


@pytest.mark.parametrize(("name", "side"), [("grass", "left"), ("gravel", "bottom"), ("brick", "top")])
def test_a_texture_goes_on(name: str, side: Side) -> None:
    picture = sized(name, 256)
    turn = {"left": -1, "top": 0, "bottom": 2}[side]
    result = np.rot90(extended(picture, Extend((side,)), 1), turn)
    assert np.array_equal(result[64:], np.rot90(picture, turn))
    assert 0.75 < fine(result[:60]) / fine(picture) < 1.3
    assert abs(float(result[:64].mean()) - float(picture.mean())) < 15
    grey = result[..., 0].astype(float)
    seam, strangers = np.abs(grey[63] - grey[64]).mean(), np.abs(grey[23:63] - grey[64:104]).mean()
    assert seam < 0.9 * strangers, "what meets there belongs together"


def above(picture: NDArray[np.float64]) -> Pixels:
    """60 rows grown above a noisy grey one, and beneath them the picture."""
    noisy = picture + np.random.default_rng(0).normal(0, 12, picture.shape)
    pixels = np.dstack([np.clip(noisy, 0, 255).astype(np.uint8)] * 3)
    canvas = np.pad(pixels, ((60, 0), (0, 0), (0, 0)))
    return grow(canvas, 60, np.zeros(canvas.shape[:2], np.bool_), 0)[..., 0]


def test_things_keep_their_place_along_the_side() -> None:
    """Light on the left, dark on the right, and the edge between them goes on where it was."""
    grown = above(np.where(np.arange(240) < 150, 190.0, 70.0)[None].repeat(240, axis=0))
    edge = (cv2.blur(grown[:60], (9, 9)) > 130).sum(axis=1)
    assert np.abs(edge - 150).max() <= 4


def test_a_slanting_edge_goes_on_straight() -> None:
    rows, columns = np.mgrid[:240, :240]
    grown = above(np.where(columns < 60 + 0.5 * rows, 190.0, 70.0))
    edge = (cv2.blur(grown[10:60], (5, 5)) > 130).sum(axis=1)
    assert np.abs(edge - (60 + 0.5 * np.arange(-50, 0))).max() < 12


@pytest.mark.parametrize(("name", "side"), [("astronaut", "bottom"), ("astronaut", "left")])
def test_what_a_side_cuts_off_is_not_made_up(name: str, side: Side) -> None:
    with pytest.raises(CannotHonour, match=f"cut off at the picture's {side} edge, "):
        extended(sized(name, 384), Extend((side,)), 0)


@pytest.mark.parametrize(("confidence", "cut"), [(0.95, {"left", "bottom"}), (0.4, {"left"}), (0.1, set())])
def test_what_is_only_likely_a_subject_must_fill_half_a_side(confidence: float, cut: set[Side]) -> None:
    mask = np.zeros((100, 100), np.bool_)
    mask[30:, :40] = True
    assert set(uncut_sides(Subject(mask, confidence))) == set(ALL) - cut


def test_ground_from_side_to_side_is_no_subject_that_is_cut() -> None:
    ground = np.zeros((100, 100), np.bool_)
    ground[40:] = True
    assert set(uncut_sides(Subject(ground, 0.5))) == {"left", "right", "top"}


def test_a_photograph_goes_on_beyond_its_wood() -> None:
    picture = sized("coffee", 384)
    result = extended(picture, Extend(aspect=(16, 9)), 0)
    assert result.shape == (256, 455, 3)
    assert np.array_equal(result[:, 35:419], picture)
    assert 0.6 < fine(result[:, 422:]) / fine(picture[:, -36:]) < 1.5


def test_a_rough_picture_with_clear_parts_is_not_grown() -> None:
    picture = np.dstack([sized("grass", 128), np.full((128, 128), 255, np.uint8)])
    picture[:2, :2, 3] = 0
    with pytest.raises(CannotHonour, match="right edge"):
        extended(picture, Extend(("right",)), 0)


def test_no_subject_is_continued_however_plain() -> None:
    """A cut-out says itself what its subject is: here it fills the lower side from end to end."""
    picture = np.full((120, 100, 4), (160, 30, 40, 0), np.uint8)
    picture[50:, :, 3] = 255
    with pytest.raises(CannotHonour, match="bottom edge"):
        extended(picture, Extend(("bottom",)), 0)
    assert not extended(picture, Extend(("top",)), 0)[:30, :, 3].any()


def test_a_refusal_names_a_side_that_would_do() -> None:
    with pytest.raises(CannotHonour) as refused:
        extended(photograph(), Extend(("bottom",)), 0)
    assert "cut off at the picture's bottom edge" in refused.value.message
    assert 'say "extend it to the left"' in refused.value.hint
    assert extended(photograph(), Extend(("left",)), 0).shape == (512, 640, 3)


def test_an_aspect_is_reached_on_the_plain_side() -> None:
    picture = photograph()
    result = extended(picture, Extend(aspect=(4, 5)), 0)
    assert result.shape == (640, 512, 3)
    assert np.array_equal(result[-512:], picture)


@pytest.mark.parametrize("size", [(48, 48), (48, 1200), (1200, 48), (1100, 900)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    picture = sky(*size)
    framing = Extend()
    wanted = framing.size(Size(size[1], size[0]))
    assert extended(picture, framing, 0).shape == (wanted.height, wanted.width, 3)


def test_what_is_too_small_or_has_that_shape_is_refused() -> None:
    with pytest.raises(CannotHonour, match="too small"):
        extended(sky(47, 60), Extend(), 0)
    with pytest.raises(CannotHonour, match="that shape already"):
        extended(sky(160, 160), Extend(aspect=(1, 1)), 0)
