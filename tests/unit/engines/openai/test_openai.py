"""The OpenAI engine against a simulator that refuses what the real API documents as wrong."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydantic import SecretStr

from support.openai_simulator import KEY
from support.servers import free_port, running
from tollbrush.domain.edits import Size
from tollbrush.engines.interface import EditInput
from tollbrush.engines.openai import OpenAIEngine, Served
from tollbrush.errors import ContentRefused, EditTimeout, RateLimited, TollbrushError, UpstreamFailed
from tollbrush.settings import OpenAISettings

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

SQUARE = Size(1024, 1024)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    log = tmp_path_factory.mktemp("openai") / "log"
    with running(["support.openai_simulator", str(port)], f"http://127.0.0.1:{port}/seen", log=log):
        yield f"http://127.0.0.1:{port}/v1"


def settings(url: str, key: str = KEY, seconds: float = 30) -> OpenAISettings:
    return OpenAISettings(api_key=SecretStr(key), base_url=url, timeout_seconds=seconds)


@pytest.fixture
async def engine(simulator: str) -> AsyncIterator[OpenAIEngine]:
    made = OpenAIEngine(settings(simulator))
    await made.start()
    yield made
    await made.close()


def picture(size: Size = SQUARE) -> Pixels:
    ramp = np.linspace(0, 255, size.width, dtype=np.uint8)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (size.height, size.width, 3)))


def left_half(size: Size = SQUARE) -> Mask:
    mask = np.zeros((size.height, size.width), bool)
    mask[:, : size.width // 2] = True
    return mask


def seen(simulator: str) -> list[dict[str, object]]:
    answer: list[dict[str, object]] = json.loads(urllib.request.urlopen(simulator.removesuffix("/v1") + "/seen").read())
    return answer


@pytest.mark.parametrize("size", [SQUARE, Size(1536, 1024), Size(1024, 1536)])
async def test_an_edit_comes_back_as_pixels(engine: OpenAIEngine, size: Size) -> None:
    output = await engine.edit("gpt-image-1", EditInput((picture(size),), "invert it", size))
    (image,) = output.images
    assert image.pixels.shape == (size.height, size.width, 3)
    assert np.abs(image.pixels.astype(int) - (255 - picture(size).astype(int))).max() <= 1
    assert output.usage["total_tokens"] == 392


async def test_white_means_edit(engine: OpenAIEngine, simulator: str) -> None:
    mask = left_half()
    output = await engine.edit("gpt-image-2", EditInput((picture(),), "only the left", SQUARE, mask=mask))
    changed = np.abs(output.images[0].pixels.astype(int) - picture().astype(int)).max(axis=2)
    assert changed[~mask].max() <= 3  # the simulator's own drift
    assert changed[:, :200].min() > 50
    assert seen(simulator)[-1] == {
        "model": "gpt-image-2", "prompt": "only the left", "size": "1024x1024", "n": "1", "quality": "low",
        "output_format": "png", "images": 1, "mask": True,
    }  # fmt: skip


async def test_several_pictures_and_sources(engine: OpenAIEngine, simulator: str) -> None:
    transparent = np.dstack([picture(), np.full((1024, 1024), 9, np.uint8)])
    output = await engine.edit("gpt-image-1", EditInput((picture(), transparent), "both ☃ ünïcödé", SQUARE, n=3))
    assert len(output.images) == 3
    assert (seen(simulator)[-1]["images"], seen(simulator)[-1]["prompt"]) == (2, "both ☃ ünïcödé")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [("moderation", ContentRefused), ("rate limit", RateLimited), ("quota", UpstreamFailed),
     ("server error", UpstreamFailed), ("overloaded", UpstreamFailed), ("html", UpstreamFailed),
     ("not json", UpstreamFailed), ("no data", UpstreamFailed), ("bad base64", UpstreamFailed),
     ("no picture", UpstreamFailed), ("too few", UpstreamFailed), ("redirect", UpstreamFailed)],
)  # fmt: skip
async def test_every_documented_failure(engine: OpenAIEngine, failure: str, expected: type[TollbrushError]) -> None:
    with pytest.raises(expected) as raised:
        await engine.edit("gpt-image-1", EditInput((picture(),), f"simulate: {failure}", SQUARE))
    assert KEY not in raised.value.sentence()


async def test_the_rate_limit_says_when(engine: OpenAIEngine) -> None:
    with pytest.raises(RateLimited) as raised:
        await engine.edit("gpt-image-1", EditInput((picture(),), "simulate: rate limit", SQUARE))
    assert (raised.value.retry_after, raised.value.source) == (60, "upstream")


async def test_a_model_that_the_upstream_does_not_have(simulator: str) -> None:
    made = OpenAIEngine(settings(simulator), (Served("x", "gpt-image-9", (SQUARE,)),))
    await made.start()
    with pytest.raises(UpstreamFailed, match="400"):
        await made.edit("x", EditInput((picture(),), "x", SQUARE))
    await made.close()


async def test_a_wrong_key_is_the_operators_trouble(simulator: str) -> None:
    engine = OpenAIEngine(settings(simulator, key="sk-wrong"))
    await engine.start()
    with pytest.raises(UpstreamFailed, match="key") as raised:
        await engine.edit("gpt-image-1", EditInput((picture(),), "x", SQUARE))
    await engine.close()
    assert "sk-wrong" not in raised.value.sentence()


async def test_nobody_there_and_nobody_answering() -> None:
    nobody = OpenAIEngine(settings(f"http://127.0.0.1:{free_port()}/v1"))
    await nobody.start()
    with pytest.raises(UpstreamFailed, match="could not be reached"):
        await nobody.edit("gpt-image-1", EditInput((picture(),), "x", SQUARE))
    await nobody.close()


async def test_a_silent_upstream_is_a_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = OpenAIEngine(settings(f"http://127.0.0.1:{silent.getsockname()[1]}/v1", seconds=0.3))
        await engine.start()
        with pytest.raises(EditTimeout):
            await engine.edit("gpt-image-1", EditInput((picture(Size(64, 64)),), "x", SQUARE))
        await engine.close()
