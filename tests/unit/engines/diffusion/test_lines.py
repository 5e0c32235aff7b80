"""The line before a pipeline: who goes together, who waits, who leaves. No torch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait

import numpy as np
import pytest

from tollbrush.engines.diffusion.batches import Image, Line
from tollbrush.engines.diffusion.stages import Stages, Turn
from tollbrush.engines.diffusion.steps import shown_after
from tollbrush.errors import Unavailable
from tollbrush.imaging.codec import Pixels


class Maker:
    """Makes each image of its seed; `calls` lists the seeds of each call. Waits at the gate before each."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.gate = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)

    def __call__(self, images: Sequence[Image], _turn: Turn) -> list[Callable[[], Pixels]]:
        self.begun.release()
        self.gate.acquire()
        self.calls.append([image.seed for image in images])
        if any(image.seed < 0 for image in images):
            raise ValueError("a seed below zero")
        return [lambda seed=image.seed: np.full((1, 1, 3), seed, np.uint8) for image in images]  # type: ignore[misc]


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def line(maker: Maker) -> Iterator[Line]:
    line = Line("tiny", maker, 3, Stages())
    yield line
    maker.gate.release(100)
    line.close()


def image(seed: int, kin: str = "square", alive: Callable[[], bool] = lambda: True) -> Image:
    return Image("words", (), None, (64, 64), seed, 0, kin, 0, lambda _fraction, _preview: None, alive)


def test_equals_go_together_and_nobody_is_passed_for_long(maker: Maker, line: Line) -> None:
    line.join([image(0)])
    maker.begun.acquire()  # the others arrive while it is at work
    kins = ["square", "wide", "square", "square", "wide", "square"]
    others = [image(i, kin) for i, kin in enumerate(kins, 1)]
    line.join(others)
    maker.gate.release(10)
    wait([one.made for one in others], timeout=30)
    assert maker.calls == [[0], [1, 3, 4], [2, 5], [6]]
    assert [int(one.made.result()()[0, 0, 0]) for one in others] == [1, 2, 3, 4, 5, 6]


def test_one_who_left_is_not_made(maker: Maker, line: Line) -> None:
    line.join([image(0)])
    maker.begun.acquire()
    left, stayed = image(1, alive=lambda: False), image(2)
    line.join([left, stayed])
    maker.gate.release(10)
    wait([stayed.made], timeout=30)
    assert maker.calls == [[0], [2]]
    assert left.made.cancelled()


def test_a_failure_is_told_to_those_it_concerns(maker: Maker, line: Line) -> None:
    maker.gate.release(10)
    bad, good = image(-1, "wide"), image(2)
    line.join([bad])
    line.join([good])
    with pytest.raises(ValueError, match="below zero"):
        bad.made.result(timeout=30)
    assert good.made.result(timeout=30)()[0, 0, 0] == 2


def test_closing_finishes_what_is_at_work_and_tells_the_rest(maker: Maker) -> None:
    line = Line("tiny", maker, 1, Stages())
    working, waiting = image(1), image(2)
    line.join([working])
    maker.begun.acquire()
    line.join([waiting])
    closing = threading.Thread(target=line.close)
    closing.start()
    maker.gate.release(10)
    closing.join(timeout=30)
    assert working.made.result(timeout=30)()[0, 0, 0] == 1
    with pytest.raises(Unavailable, match="being unloaded"):
        waiting.made.result(timeout=30)
    with pytest.raises(Unavailable, match="being unloaded"):
        line.join([image(3)])


@pytest.mark.parametrize(
    ("previews", "total", "at"),
    [(0, 4, []), (1, 4, [2]), (3, 4, [1, 2, 3]), (3, 50, [12, 25, 38]), (3, 2, [1]), (3, 1, []), (1, 1, [])],
)
def test_previews_are_spread_and_never_the_result(previews: int, total: int, at: list[int]) -> None:
    assert sorted(shown_after(previews, total)) == at


def test_a_line_may_be_closed_twice_while_somebody_waits(maker: Maker, line: Line) -> None:
    """By a device that shuts down, and by the model that leaves it."""
    line.join([image(0)])
    maker.begun.acquire()
    late = image(1, "wide")
    line.join([late])
    closers = [threading.Thread(target=line.close) for _ in range(2)]
    for closer in closers:
        closer.start()
    maker.gate.release(10)
    for closer in closers:
        closer.join(30)
    line.close()
    with pytest.raises(Unavailable):
        late.made.result(0)
