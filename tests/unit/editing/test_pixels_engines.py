"""The pixel rules through each engine that takes a mask: masked edits, and no protected pixel changed.

A hundred and four with `TOLLBRUSH_E2E=long`, else thirty-two."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from pydantic import SecretStr

from support import openai_simulator
from support.imagery import TURNED, Pixels, exif, photo, saved
from tollbrush.domain.edits import FITS, EditRequest, Size
from tollbrush.editing.pixels import Finished, finish, prepare
from tollbrush.engines.interface import Engine
from tollbrush.engines.openai import OpenAIEngine
from tollbrush.engines.studio.engine import StudioEngine
from tollbrush.settings import LimitSettings, OpenAISettings, StudioSettings

ROUNDS = 13 if os.environ.get("TOLLBRUSH_E2E") == "long" else 4
LIMITS = LimitSettings()
SQUARE = Size(1024, 1024)
UPSTREAM = {"openai": "gpt-image-1", "studio": "studio"}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(params=UPSTREAM, scope="module", loop_scope="module")
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    if request.param == "studio":
        made: Engine = StudioEngine(StudioSettings(workers=1))
        await made.start()
        yield made
        await made.close()
        return
    with openai_simulator.simulated() as url:
        made = OpenAIEngine(OpenAISettings(api_key=SecretStr(openai_simulator.KEY), base_url=url))
        await made.start()
        yield made
        await made.close()


async def edit(engine: Engine, source: bytes, mask: bytes, **fields: Any) -> tuple[list[Finished], Pixels, Pixels]:
    """The results, T(source) and T(mask)."""
    caps = engine.capabilities(UPSTREAM[engine.name])
    request = EditRequest(None, "make it black and white", (source,), mask=mask, seed=3, **fields)
    works_at = (request.size or SQUARE) if caps.fixed_sizes else None
    prepared = prepare(request, caps, works_at, LIMITS)
    output = await engine.edit(UPSTREAM[engine.name], prepared.input)
    assert prepared.mask is not None
    return [finish(prepared, image) for image in output.images], prepared.base, prepared.mask.view(np.uint8)


def blot(random: np.random.Generator, width: int, height: int) -> Pixels:
    """A few strokes and specks."""
    mask = np.zeros((height, width), np.uint8)
    for _ in range(random.integers(1, 4)):
        left, top = random.integers(0, width - 8), random.integers(0, height - 8)
        mask[top : top + random.integers(1, height), left : left + random.integers(1, width)] = 255
    mask[random.integers(height), random.integers(width)] = 255
    return mask


def seen(finished: Finished) -> Pixels:
    with Image.open(io.BytesIO(finished.data)) as image:
        return np.array(image)


async def test_no_protected_pixel_changes(engine: Engine) -> None:
    random = np.random.default_rng(11)
    edits = 0
    for turn in range(ROUNDS):
        width, height = (int(side) for side in random.integers(64, 200, 2))
        source, mask = photo(width, height, seed=turn), blot(random, width, height)
        fmt = ("png", "webp")[turn % 2]
        results, base, _ = await edit(
            engine, saved(source, "PNG"), saved(mask, "PNG"), size=None, n=4, output_format=fmt
        )
        assert np.array_equal(base, source)
        for result in results:
            out = seen(result)
            assert out.shape == source.shape
            assert np.array_equal(out[mask == 0], source[mask == 0])
            assert result.preserved is True
            assert result.edited_fraction == pytest.approx(np.count_nonzero(mask) / mask.size)
            assert not np.array_equal(out, source)
            edits += 1
    assert edits == 4 * ROUNDS


@pytest.mark.parametrize("fit", FITS)
async def test_the_same_transform_takes_source_and_mask(engine: Engine, fit: str) -> None:
    source, mask = photo(300, 150), np.zeros((150, 300), np.uint8)
    mask[20:60, 200:240] = 255
    (done,), base, white = await edit(engine, saved(source, "PNG"), saved(mask, "PNG"), size=SQUARE, fit=fit)
    assert (done.width, done.height, done.preserved) == (1024, 1024, True)
    out = seen(done)
    assert np.array_equal(out[white == 0], base[white == 0])
    assert not np.array_equal(out[white == 1], base[white == 1])


@pytest.mark.parametrize("orientation", [2, 5, 6, 8])
async def test_a_turned_picture_meets_its_upright_mask(engine: Engine, orientation: int) -> None:
    upright = np.zeros((80, 120, 3), np.uint8)
    upright[:, 60:] = (200, 30, 30)
    mask = np.zeros((80, 120), np.uint8)
    mask[:, 60:] = 255
    source = saved(np.ascontiguousarray(TURNED[orientation](upright)), "PNG", exif=exif(orientation))
    (done,), base, _ = await edit(engine, source, saved(mask, "PNG"), size=None)
    assert np.array_equal(base, upright)
    assert np.array_equal(seen(done)[:, :60], upright[:, :60])
    assert not np.array_equal(seen(done)[:, 70:], upright[:, 70:])


async def test_jpeg_with_a_mask_says_that_it_keeps_nothing(engine: Engine) -> None:
    mask = np.zeros((90, 90), np.uint8)
    mask[:40] = 255
    source = saved(photo(90, 90), "JPEG")
    (done,), _, _ = await edit(engine, source, saved(mask, "PNG"), size=None, output_format="jpeg")
    assert (done.preserved, done.mime_type) == (False, "image/jpeg")
