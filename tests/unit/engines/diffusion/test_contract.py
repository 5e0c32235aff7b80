"""What every adapter must do, on a tiny model of its class. A new adapter has to pass this and nothing else."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.tiny_pipelines import PARTS
from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.adapters import ADAPTERS, Adapter
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.diffusion.requests import Asking, never
from tollbrush.engines.diffusion.stages import Stage, Stages
from tollbrush.engines.interface import EditInput, Progress, unheard
from tollbrush.errors import BadMask, BadRequest, JobCancelled, UnsupportedParameter
from tollbrush.imaging.codec import Pixels
from tollbrush.imaging.composite import composite, preserved

pytestmark = [
    pytest.mark.timeout(600),  # the first test waits for torch and diffusers to be imported
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # diffusers' sigmas
]

STEPS = 3
SIZE = Size(75, 90)
"""No multiple of anything a model works in."""


def test_every_adapter_has_a_tiny_model() -> None:
    assert {id(ADAPTERS[name]) for name in PARTS} == {id(adapter) for adapter in ADAPTERS.values()}


@pytest.fixture(scope="module", params=list(PARTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def models(name: str, tiny: Callable[[str], Path]) -> Iterator[Models]:
    models = Models([DiffusionModel(name, str(tiny(name)), steps=STEPS)], "cpu")
    models.load(name, lambda _word, _fraction: None)
    yield models
    models.close()


@pytest.fixture
def adapter(name: str) -> Adapter:
    return ADAPTERS[name]


@pytest.fixture
def asked(adapter: Adapter) -> EditInput:
    """By words alone where the model can, else with a mask."""
    return EditInput((picture(1),), "make it snowy", SIZE, mask=None if adapter.plain else hole(), seed=11)


def test_right_size_reproducible_and_seeds_one_by_one(name: str, models: Models, asked: EditInput) -> None:
    told: list[Progress] = []
    both = models.edit(name, replace(asked, n=2, previews=2), report=told.append)
    second = models.edit(name, replace(asked, seed=asked.seed + 1))
    assert [image.seed for image in both.images] == [11, 12]
    assert all(image.pixels.shape == (SIZE.height, SIZE.width, 3) for image in both.images)
    assert np.array_equal(both.images[1].pixels, second.images[0].pixels)
    assert not np.array_equal(both.images[0].pixels, both.images[1].pixels)

    fractions = [progress.fraction or 0.0 for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len(fractions) >= 2 * (STEPS - 1)  # a strength below 1 leaves a step out
    seen = [(progress.index, progress.preview) for progress in told if progress.preview is not None]
    assert {index for index, _ in seen} == {0, 1}
    for _, preview in seen:
        assert preview.dtype == np.uint8
        assert preview.shape[2] == 3
        assert max(preview.shape) <= 256


def test_a_mask_bounds_the_edit(name: str, models: Models, asked: EditInput) -> None:
    mask = hole()
    [image] = models.edit(name, replace(asked, mask=mask)).images
    result = composite(asked.sources[0], image.pixels, mask, 1)
    assert preserved(asked.sources[0], result, mask)
    assert not np.array_equal(result[mask], asked.sources[0][mask])


def test_words_change_the_picture(name: str, models: Models, asked: EditInput) -> None:
    [one] = models.edit(name, asked).images
    [other] = models.edit(name, replace(asked, prompt="a boat on a lake at night, in the rain")).images
    assert not np.array_equal(one.pixels, other.pixels)


def test_cancelled_within_a_step(name: str, models: Models, asked: EditInput) -> None:
    told: list[Progress] = []
    with pytest.raises(JobCancelled):
        models.edit(name, replace(asked, n=3), report=told.append, cancelled=lambda: bool(told))
    assert len(told) == 1


def test_cancelled_before_it_began(name: str, models: Models, asked: EditInput) -> None:
    told: list[Progress] = []
    with pytest.raises(JobCancelled):
        models.edit(name, asked, report=told.append, cancelled=lambda: True)
    assert not told


def test_a_prompt_that_would_be_cut_is_refused(name: str, models: Models, asked: EditInput) -> None:
    with pytest.raises(BadRequest, match=r"prompt is [\d,]+ tokens to this model; it reads [\d,]+\.") as refused:
        models.edit(name, replace(asked, prompt="snow " * 300))
    assert refused.value.path == "prompt"


def test_the_longest_prompt_that_is_taken_is_read_to_its_last_letter(
    name: str, models: Models, asked: EditInput, adapter: Adapter
) -> None:
    """The libraries cut what is longer, and say so in a log at most."""
    loaded = models._lines[name]

    def refused(length: int) -> bool:
        try:
            loaded.reader.check("z" * length)
        except BadRequest:
            return True
        return False

    longest = bisect.bisect_left(range(5000), True, key=refused) - 1
    assert longest > 30
    frame, whole = (letters_read(models, name, replace(asked, prompt=prompt)) for prompt in ("b", "z" * longest))
    if adapter.words.how == "t5":  # CLIP reads along for the mood of the whole, and is cut by design
        assert whole.pop("text_encoder") < longest
    assert {part: count - frame[part] for part, count in whole.items()} == dict.fromkeys(whole, longest)


def letters_read(models: Models, name: str, request: EditInput) -> dict[str, int]:
    """How often "z" comes to each text encoder, up to the first step."""
    pipe, read = models._lines[name].pipeline.any, dict[str, int]()
    with pytest.MonkeyPatch.context() as patch:
        for part in [part for part in pipe.components if part.startswith("text_encoder") and pipe.components[part]]:
            reader = getattr(pipe, part.replace("text_encoder", "tokenizer"))
            forward = getattr(pipe, part).forward

            def tapped(*given: Any, part: str = part, by: Any = reader, forward: Any = forward, **named: Any) -> Any:
                rows = named["input_ids"] if "input_ids" in named else given[0]
                read[part] = max(read.get(part, 0), *(by.decode(row).count("z") for row in rows))
                return forward(*given, **named)

            patch.setattr(getattr(pipe, part), "forward", tapped)
        told: list[Progress] = []
        with pytest.raises(JobCancelled):
            models.edit(name, request, report=told.append, cancelled=lambda: bool(told))
    return read


def test_several_pictures(name: str, models: Models, asked: EditInput, adapter: Adapter) -> None:
    most = adapter.sources if asked.mask is None else adapter.masked_sources
    with pytest.raises(UnsupportedParameter):
        models.edit(name, replace(asked, sources=tuple(picture(i) for i in range(most + 1))))
    if most > 1:
        [alone] = models.edit(name, asked).images
        [beside] = models.edit(name, replace(asked, sources=(*asked.sources, picture(2)[:60]))).images
        assert not np.array_equal(alone.pixels, beside.pixels)


def test_two_threads_give_what_each_gives_alone(name: str, models: Models, asked: EditInput) -> None:
    requests = [replace(asked, sources=(picture(i),), seed=i, prompt=f"make it snowy {i}") for i in range(4)]
    alone = [models.edit(name, request).images[0].pixels for request in requests]
    together: dict[int, Pixels] = {}

    def work(mine: range) -> None:
        for i in mine:
            together[i] = models.edit(name, requests[i]).images[0].pixels

    threads = [threading.Thread(target=work, args=(range(start, 4, 2),)) for start in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(together[i], alone[i]) for i in range(4))


def test_in_a_batch_within_a_level(name: str, tiny: Callable[[str], Path], models: Models, asked: EditInput) -> None:
    """Sums come in another order and round by a level of 255: that is why `batch` is 1 unless said."""
    batched = Models([DiffusionModel(name, str(tiny(name)), steps=STEPS, batch=2)], "cpu")
    try:
        for request in (replace(asked, n=2), replace(asked, n=2, mask=hole())):
            alone, together = models.edit(name, request).images, batched.edit(name, request).images
            for one, other in zip(alone, together, strict=True):
                assert np.abs(one.pixels.astype(int) - other.pixels).max() <= 1
    finally:
        batched.close()


def test_several_requests_in_one_batch(name: str, models: Models, asked: EditInput, adapter: Adapter) -> None:
    """Those of equal shape, each with its own words, picture and seed; or not at all."""
    loaded = models._lines[name]
    requests = [replace(asked, sources=(picture(i),), seed=i, prompt=f"make it snowy {i}") for i in (5, 6)]
    row, told = loaded.pipeline.row, [Asking(loaded.pipeline.row, adapter, one, unheard, never) for one in requests]
    [first], [second] = (asking.images for asking in told)
    if adapter.batch == "images":
        assert first.kin != second.kin
        return
    assert first.kin == second.kin
    with Stages().turn() as turn:
        together = loaded.pipeline.make([first, second], turn)
    for request, made in zip(requests, together, strict=True):
        alone = Asking(row, adapter, request, unheard, never).images
        with Stages().turn() as turn:
            [pixels] = [one() for one in loaded.pipeline.make(alone, turn)]
        assert np.abs(made().astype(int) - pixels).max() <= 1


def test_others_have_room_beside_its_steps(name: str, models: Models, asked: EditInput, adapter: Adapter) -> None:
    """Where its loop of steps begins and ends is known, so that others read before it and decode after it."""
    loaded = models._lines[name]
    pipe, places = loaded.pipeline.any, list[tuple[str, set[Stage]]]()

    def tap(part: Any, method: str) -> None:
        real = getattr(part, method)

        def tapped(*given: Any, **named: Any) -> Any:
            places.append((method, set(turn._held)))
            return real(*given, **named)

        patch.setattr(part, method, tapped)

    with pytest.MonkeyPatch.context() as patch, Stages().turn() as turn:
        tap(pipe.transformer if hasattr(pipe, "transformer") else pipe.unet, "forward")
        tap(pipe.vae, "decode")
        loaded.pipeline.make(Asking(loaded.pipeline.row, adapter, asked, unheard, never).images, turn)
    stepping, decoding = ({Stage.STEPPING}, {Stage.DECODING}) if adapter.beside else (set(Stage), set(Stage))
    *steps, last = places
    assert last == ("decode", decoding)
    assert len(steps) >= STEPS - 1
    assert all(step == ("forward", stepping) for step in steps)


def test_what_it_says_it_can(name: str, models: Models, asked: EditInput, adapter: Adapter) -> None:
    said = models.capabilities(name)
    assert said.max_sources == adapter.sources
    assert (said.seed, said.masks, said.variations) == (True, True, True)
    assert said.needs_mask == (adapter.plain is None)
    if said.needs_mask:
        with pytest.raises(BadMask):
            models.edit(name, replace(asked, mask=None))


def picture(seed: int) -> Pixels:
    noise = np.random.default_rng(seed).integers(0, 255, (SIZE.height, SIZE.width, 3), dtype=np.uint8)
    noise.setflags(write=False)  # as editing gives it
    return noise


def hole() -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    mask = np.zeros((SIZE.height, SIZE.width), np.bool_)
    mask[20:70, 20:60] = True
    return mask
