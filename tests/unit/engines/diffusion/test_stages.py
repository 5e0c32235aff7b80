"""Who may be where on a device. No torch."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np

from tollbrush.engines.diffusion.batches import Image, Line
from tollbrush.engines.diffusion.stages import Stage, Stages, Turn
from tollbrush.imaging.codec import Pixels

PATIENCE = 60


def test_three_calls_are_at_three_places_at_once() -> None:
    stages, met = Stages(), threading.Barrier(3)
    places = [threading.Event() for _ in Stage]

    def call(number: int) -> None:
        with stages.turn() as turn:
            for stage in list(Stage)[1 : number + 1]:
                turn.go(stage)
            places[number].set()
            met.wait(PATIENCE)

    with ThreadPoolExecutor(3) as threads:
        calls = []
        for number in (2, 1, 0):
            calls.append(threads.submit(call, number))
            assert places[number].wait(PATIENCE)
        wait(calls, PATIENCE)
    assert [done.exception() for done in calls] == [None] * 3
    with stages.turn() as turn:
        assert not turn.beside_others


def test_nobody_overtakes_and_one_is_at_each_place() -> None:
    stages, order = Stages(), list[tuple[int, Stage]]()
    there = [0, 0, 0]
    numbers = iter(range(200))

    def hand() -> None:
        while True:
            with stages.turn() as turn:
                if (number := next(numbers, None)) is None:
                    return
                for stage in Stage:
                    if stage:
                        turn.go(stage)
                    there[stage] += 1
                    assert there[stage] == 1
                    order.append((number, stage))
                    there[stage] -= 1

    with ThreadPoolExecutor(4) as threads:
        hands = [threads.submit(hand) for _ in range(4)]
    assert [done.exception() for done in hands] == [None] * 4
    for stage in Stage:
        assert [number for number, at in order if at == stage] == list(range(200))


def test_who_is_alone_has_nobody_beside() -> None:
    stages, inside, most = Stages(), 0, list[tuple[bool, int]]()
    gate = threading.Lock()

    def call(alone: bool) -> None:
        nonlocal inside
        with stages.turn() as turn:
            turn.go(Stage.STEPPING)
            if alone:
                turn.alone()
                assert not turn.beside_others
            with gate:
                inside += 1
                most.append((alone, inside))
            turn.go(Stage.DECODING)
            with gate:
                inside -= 1

    choices = random.Random(3).choices([True, False, False], k=300)
    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(call, alone) for alone in choices]
    assert [done.exception() for done in calls] == [None] * 300
    assert {count for alone, count in most if alone} == {1}


def test_a_call_that_fails_leaves_every_place() -> None:
    stages = Stages()
    for stage in Stage:
        try:
            with stages.turn() as turn:
                if stage:
                    turn.go(Stage.STEPPING)
                if stage == Stage.DECODING:
                    turn.go(stage)
                raise ValueError(stage.name)
        except ValueError:
            pass
        with stages.turn() as turn:
            assert not turn.beside_others
            turn.alone()


def test_who_is_next_is_chosen_when_it_can_begin() -> None:
    """The hand that waits for the device takes along those who came while it waited."""
    stages, calls, began = Stages(), list[list[int]](), threading.Event()
    free = threading.Event()

    def make(images: Sequence[Image], turn: Turn) -> list[Callable[[], Pixels]]:
        began.set()
        free.wait(PATIENCE)
        calls.append([image.seed for image in images])
        return [lambda: np.zeros((1, 1, 3), np.uint8) for _ in images]

    line = Line("tiny", make, 4, stages, hands=2)
    images = [_image(seed) for seed in range(4)]
    line.join(images[:1])
    assert began.wait(PATIENCE)
    for image in images[1:]:
        line.join([image])
    free.set()
    wait([image.made for image in images], PATIENCE)
    line.close()
    assert calls == [[0], [1, 2, 3]]


def _image(seed: int) -> Image:
    return Image("words", (), None, (64, 64), seed, 0, "kin", 0, lambda _fraction, _preview: None, lambda: True)
