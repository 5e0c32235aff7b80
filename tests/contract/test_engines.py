"""What every engine promises, whatever is behind it. A new engine joins by one row of CASES."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from pydantic import SecretStr

from support import google_simulator, openai_simulator, tiny_pipelines
from support.ray_stand_in import Proxy, listening, replica_of
from support.servers import free_port, running
from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.engine import DiffusionEngine
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.diffusion.pins import Pins
from tollbrush.engines.diffusion.ray.engine import RayEngine
from tollbrush.engines.google import GoogleEngine
from tollbrush.engines.interface import Capabilities, EditInput, EditOutput, Engine
from tollbrush.engines.openai import OpenAIEngine, Served
from tollbrush.engines.studio.engine import StudioEngine
from tollbrush.errors import CannotHonour, TollbrushError
from tollbrush.settings import (
    DiffusionSettings,
    GoogleSettings,
    OpenAISettings,
    RaySettings,
    StudioSettings,
    UpstreamSettings,
)

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """`open` gives a started engine; `prompt` is one that it can do on a portrait, with and without a mask."""

    name: str
    upstream: str
    prompt: str
    open: Callable[[], AbstractAsyncContextManager[Engine]]


@asynccontextmanager
async def started(engine: Engine) -> AsyncIterator[Engine]:
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


@asynccontextmanager
async def studio() -> AsyncIterator[Engine]:
    async with started(StudioEngine(StudioSettings(workers=1))) as engine:
        yield engine


@asynccontextmanager
async def google() -> AsyncIterator[Engine]:
    port = free_port()
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with running(["support.google_simulator", str(port)], f"http://127.0.0.1:{port}/seen", log=log):
            settings = GoogleSettings(
                api_key=SecretStr(google_simulator.KEY), base_url=f"http://127.0.0.1:{port}/v1beta"
            )
            async with started(GoogleEngine(settings)) as engine:
                yield engine


@asynccontextmanager
async def openai() -> AsyncIterator[Engine]:
    with openai_simulator.simulated() as url:
        settings = OpenAISettings(api_key=SecretStr(openai_simulator.KEY), base_url=url)
        async with started(OpenAIEngine(settings)) as engine:
            yield engine


@asynccontextmanager
async def fleet() -> AsyncIterator[Engine]:
    """Two servers that keep to no fixed sizes, one of which makes pictures one by one."""
    with openai_simulator.simulated("sdcpp") as first, openai_simulator.simulated("generic") as second:
        places = (UpstreamSettings(url=first, profile="sdcpp"), UpstreamSettings(url=second))
        served = Served("acme/own", "own", (Size(200, 160),), places)
        async with started(OpenAIEngine(OpenAISettings(), (served,))) as engine:
            yield engine


@asynccontextmanager
async def diffusion() -> AsyncIterator[Engine]:
    """A tiny random model in a worker process, on the CPU."""
    pytest.importorskip("torch", reason="needs tollbrush[diffusion]")
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        folder = tiny_pipelines.build("StableDiffusionInstructPix2PixPipeline", Path(name, "model"))
        row = DiffusionModel("acme/tiny", str(folder), steps=2, sizes=(Size(96, 64),))
        async with started(DiffusionEngine(DiffusionSettings(devices=("cpu",)), [row], Pins(Path(name)))) as engine:
            yield engine


@asynccontextmanager
async def ray() -> AsyncIterator[Engine]:
    """A replica of such a model, behind what stands in for Serve's proxy."""
    pytest.importorskip("torch", reason="needs tollbrush[diffusion]")
    with TemporaryDirectory() as name:
        folder = tiny_pipelines.build("StableDiffusionInstructPix2PixPipeline", Path(name, "model"))
        row = DiffusionModel("acme/tiny", str(folder), steps=2, sizes=(Size(96, 64),))
        models = Models((row,), "cpu", offline=True)
        replica = replica_of(models, row.name)
        proxied = listening(Proxy(replica.respond, replica.respond))
        async with proxied as proxy, started(RayEngine(RaySettings(addresses=(proxy.url,)), (row,))) as engine:
            yield engine
        await asyncio.to_thread(models.close)


CASES = (
    Case("studio", "studio", "change the background to a starry sky", studio),
    Case("google", "gemini-2.5-flash-image", "turn it into a negative", google),
    Case("openai", "gpt-image-1", "turn it into a negative", openai),
    Case("fleet", "acme/own", "turn it into a negative", fleet),
    Case("diffusion", "acme/tiny", "turn it into a negative", diffusion),
    Case("ray", "acme/tiny", "turn it into a negative", ray),
    Case("google-pro", "gemini-3-pro-image", "turn it into a negative", google),
)


@pytest.fixture(params=CASES, ids=lambda case: case.name, scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    assert isinstance(request.param, Case)
    return request.param


@pytest.mark.timeout(600)  # torch is imported twice
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' sigmas
async def test_the_contract(case: Case) -> None:
    """One engine, started once: each promise in turn."""
    async with case.open() as engine:
        abilities = engine.capabilities(case.upstream)
        assert engine.name
        assert abilities.time_limit > 0
        _check_plan(engine, case)
        await _check_images(engine, case, abilities)
        await _check_source_is_kept(engine, case, abilities)
        if abilities.masks:
            await _check_mask(engine, case, abilities)
        if abilities.seed:
            await _check_seed(engine, case, abilities)
        await _check_errors(engine, case, abilities)


def _check_plan(engine: Engine, case: Case) -> None:
    plan = engine.plan(case.prompt, masked=False)
    assert plan is None or plan
    if plan is not None:
        with pytest.raises(CannotHonour):
            engine.plan("replace the rocket with a purple walrus", masked=False)


async def _check_images(engine: Engine, case: Case, abilities: Capabilities) -> None:
    for count in (1, 2) if abilities.variations else (1,):
        output = await engine.edit(case.upstream, _request(case, abilities, n=count))
        assert len(output.images) == count
        _check_shape(output, abilities)


async def _check_source_is_kept(engine: Engine, case: Case, abilities: Capabilities) -> None:
    request = _request(case, abilities)
    before = request.sources[0].copy()
    await engine.edit(case.upstream, request)
    assert np.array_equal(request.sources[0], before)


async def _check_mask(engine: Engine, case: Case, abilities: Capabilities) -> None:
    request = _request(case, abilities)
    mask = np.zeros(request.sources[0].shape[:2], np.bool_)
    mask[: len(mask) // 3] = True
    before = mask.copy()
    masked = _request(case, abilities, mask=mask)
    _check_shape(await engine.edit(case.upstream, masked), abilities)
    assert np.array_equal(mask, before)


async def _check_seed(engine: Engine, case: Case, abilities: Capabilities) -> None:
    first, again, other = [await engine.edit(case.upstream, _request(case, abilities, seed=s)) for s in (11, 11, 12)]
    assert first.images[0].seed == 11
    assert np.array_equal(first.images[0].pixels, again.images[0].pixels)
    assert not np.array_equal(first.images[0].pixels, other.images[0].pixels)


async def _check_errors(engine: Engine, case: Case, abilities: Capabilities) -> None:
    """Whatever the words and the picture, an edit answers or raises from the tree."""
    blank = np.full((64, 64, 3), 127, np.uint8)
    for prompt in (case.prompt, "\x00", "¡™£¢∞§¶", "add a hat"):
        try:
            output = await engine.edit(case.upstream, _request(case, abilities, prompt=prompt, pixels=blank))
        except TollbrushError as error:
            assert error.message
        else:
            _check_shape(output, abilities)


def _request(
    case: Case,
    abilities: Capabilities,
    *,
    prompt: str | None = None,
    pixels: Pixels | None = None,
    mask: Mask | None = None,
    n: int = 1,
    seed: int = 1,
) -> EditInput:
    size = _size(abilities)
    source = skimage.data.astronaut() if pixels is None else pixels
    fitted = np.asarray(cv2.resize(source, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)
    return EditInput((fitted,), case.prompt if prompt is None else prompt, size, mask, n, seed)


def _size(abilities: Capabilities) -> Size:
    return abilities.fixed_sizes[0] if abilities.fixed_sizes else Size(200, 160)


def _check_shape(output: EditOutput, abilities: Capabilities) -> None:
    size = _size(abilities)
    for image in output.images:
        height, width, channels = image.pixels.shape
        assert (width, height) == (size.width, size.height)
        assert image.pixels.dtype == np.uint8
        assert channels == 3 or (channels == 4 and abilities.alpha)
