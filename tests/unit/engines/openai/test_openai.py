"""The OpenAI engine against a simulator that refuses what the real API documents as wrong, or, with
TOLLBRUSH_LIVE_TESTS=1 and OPENAI_API_KEY, against the real one."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from support.imagery import fingerprint
from support.openai_oddities import KEY
from support.openai_simulator import USAGE, simulated, told
from support.servers import free_port
from tollbrush.domain.edits import Size
from tollbrush.engines.interface import Alarming, EditInput, Progress
from tollbrush.engines.openai import OpenAIEngine, Served
from tollbrush.errors import BadMask, ContentRefused, EditTimeout, RateLimited, TollbrushError, UpstreamFailed
from tollbrush.settings import OpenAISettings

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

SQUARE = Size(1024, 1024)
LIVE_KEY = os.environ.get("OPENAI_API_KEY", "") if os.environ.get("TOLLBRUSH_LIVE_TESTS") == "1" else ""
MODEL = "gpt-image-2"


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    with simulated() as url:
        yield url


def settings(url: str, key: str = KEY, seconds: float = 30, **more: object) -> OpenAISettings:
    chosen = {"health_seconds": 0, "stalled_seconds": 0.3, "timeout_seconds": seconds, **more}
    return OpenAISettings.model_validate({"api_key": SecretStr(key), "base_url": url, **chosen})


async def opened(made: OpenAIEngine) -> AsyncIterator[OpenAIEngine]:
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def engine(simulator: str) -> AsyncIterator[OpenAIEngine]:
    async for made in opened(OpenAIEngine(settings(simulator))):
        yield made


@pytest.fixture(params=["simulated", "live"])
async def either(request: pytest.FixtureRequest, simulator: str) -> AsyncIterator[OpenAIEngine]:
    """The simulator and, where it may be asked, the real thing: what one takes the other must take."""
    if request.param == "live" and not LIVE_KEY:
        pytest.skip("TOLLBRUSH_LIVE_TESTS=1 and OPENAI_API_KEY ask the real one")
    live = request.param == "live"
    chosen = settings("https://api.openai.com/v1", LIVE_KEY, 170) if live else settings(simulator)
    async for made in opened(OpenAIEngine(chosen)):
        yield made


def picture(size: Size = SQUARE) -> Pixels:
    ramp = np.linspace(0, 255, size.width, dtype=np.uint8)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (size.height, size.width, 3)))


def left_half(size: Size = SQUARE) -> Mask:
    mask = np.zeros((size.height, size.width), bool)
    mask[:, : size.width // 2] = True
    return mask


# ── what both must take ─────────────────────────────────────────────────────────────────────────────────────


async def test_every_parameter_is_taken(either: OpenAIEngine) -> None:
    heard: list[Progress] = []
    request = EditInput(
        (picture(),), "a red balloon", SQUARE, mask=left_half(), quality="low", background="opaque", previews=1,
        report=heard.append,
    )  # fmt: skip
    output = await either.edit(MODEL, request)
    assert output.images[0].pixels.shape[:2] == (1024, 1024)
    assert output.usage["total_tokens"] > 0
    assert heard[-1].fraction == 1.0


async def test_several_sources_and_several_pictures_are_taken(either: OpenAIEngine) -> None:
    transparent = np.dstack([picture(), np.full((1024, 1024), 9, np.uint8)])
    output = await either.edit(MODEL, EditInput((picture(), transparent), "blend ☃ ünïcödé", SQUARE, n=2))
    assert len(output.images) == 2


# ── what it sends and gets ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [SQUARE, Size(1536, 1024), Size(1024, 1536)])
async def test_an_edit_comes_back_as_pixels(engine: OpenAIEngine, size: Size) -> None:
    output = await engine.edit("gpt-image-1", EditInput((picture(size),), "invert it", size))
    (image,) = output.images
    assert image.pixels.shape == (size.height, size.width, 3)
    assert np.abs(image.pixels.astype(int) - (255 - picture(size).astype(int))).max() <= 1
    assert output.usage["total_tokens"] == USAGE["total_tokens"]
    assert output.usage["input_tokens_details.image_tokens"] == 100


async def test_white_means_edit(engine: OpenAIEngine, simulator: str) -> None:
    mask = left_half()
    output = await engine.edit("gpt-image-2", EditInput((picture(),), "only the left", SQUARE, mask=mask))
    changed = np.abs(output.images[0].pixels.astype(int) - picture().astype(int)).max(axis=2)
    assert changed[~mask].max() <= 3  # the simulator's own drift
    assert changed[:, :200].min() > 50
    assert told(simulator)[-1] == {
        "model": "gpt-image-2", "prompt": "only the left", "size": "1024x1024", "n": "1", "quality": "low",
        "output_format": "png", "images": 1, "mask": True, "pictures": [fingerprint(picture())],
    }  # fmt: skip


async def test_choices_are_passed_on(simulator: str) -> None:
    async for made in opened(OpenAIEngine(settings(simulator, quality="high", input_fidelity="high"))):
        caps = made.capabilities("gpt-image-1")
        assert (caps.qualities, caps.previews) == (("auto", "low", "medium", "high"), 1)
        request = EditInput((picture(),), "x", SQUARE, quality="medium", background="transparent")
        for model, fidelity in (("gpt-image-1", "high"), ("gpt-image-2", None)):
            await made.edit(model, request)
            sent = told(simulator)[-1]
            assert (sent["quality"], sent["background"]) == ("medium", "transparent")
            assert sent.get("input_fidelity") == fidelity  # gpt-image-2 refuses it
        await made.edit("gpt-image-1", EditInput((picture(),), "x", SQUARE, quality="auto", background="auto"))
        assert told(simulator)[-1]["quality"] == "high"
        assert "background" not in told(simulator)[-1]


async def test_no_better_quality_is_sold_than_is_paid_for(engine: OpenAIEngine) -> None:
    assert engine.capabilities("gpt-image-1").qualities == ("auto", "low")


async def test_previews_are_shown_on_the_way(engine: OpenAIEngine, simulator: str) -> None:
    heard: list[Progress] = []
    request = EditInput((picture(),), "slowly", SQUARE, n=2, previews=3, report=heard.append)
    output = await engine.edit("gpt-image-1", request)
    assert len(output.images) == 2
    assert output.usage["total_tokens"] == 2 * USAGE["total_tokens"]
    shown = [p for p in heard if p.preview is not None]
    assert sorted((p.index) for p in shown) == [0, 0, 0, 1, 1, 1]
    assert all(p.preview is not None and p.preview.shape == (1024, 1024, 3) for p in shown)
    fractions = [p.fraction for p in heard if p.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert [row["n"] for row in told(simulator)[-2:]] == ["1", "1"]  # a stream carries one picture
    assert (told(simulator)[-1]["stream"], told(simulator)[-1]["partial_images"]) == ("true", "3")


async def test_a_mask_over_its_limit_is_a_clear_refusal(simulator: str) -> None:
    wide = Size(4096, 4096)
    place = {"url": simulator, "api_key": KEY, "profile": "openai", "sizes": ["4096x4096"]}
    specks = np.random.default_rng(0).random((4096, 4096)) < 0.5
    model = Served("x", "gpt-image-1", (wide,))
    async for made in opened(OpenAIEngine(settings(simulator, upstreams=[place]), (model,))):
        flat = np.zeros((4096, 4096, 3), np.uint8)
        with pytest.raises(BadMask, match="4,000,000"):
            await made.edit("x", EditInput((flat,), "x", wide, mask=specks))


# ── what may come instead ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("failure", "expected"),
    [("moderation", ContentRefused), ("rate limit", RateLimited), ("quota", UpstreamFailed),
     ("bad key", UpstreamFailed), ("server error", UpstreamFailed), ("overloaded", UpstreamFailed),
     ("bad request", UpstreamFailed), ("html", UpstreamFailed), ("html as 200", UpstreamFailed),
     ("not json", UpstreamFailed), ("truncated json", UpstreamFailed), ("deep json", UpstreamFailed),
     ("no data", UpstreamFailed), ("a list", UpstreamFailed), ("rows of text", UpstreamFailed),
     ("bad base64", UpstreamFailed), ("no picture", UpstreamFailed), ("broken picture", UpstreamFailed),
     ("a url", UpstreamFailed), ("too few", UpstreamFailed), ("too many", UpstreamFailed),
     ("a dot", UpstreamFailed), ("half the size", UpstreamFailed), ("another shape", UpstreamFailed),
     ("redirect", UpstreamFailed), ("empty", UpstreamFailed), ("huge", UpstreamFailed), ("stall", EditTimeout),
     ("stream cut off", UpstreamFailed), ("stream of nothing", UpstreamFailed), ("stream error", UpstreamFailed),
     ("stream moderation", ContentRefused), ("stream of html", UpstreamFailed)],
)  # fmt: skip
async def test_whatever_comes_instead_of_a_picture(
    simulator: str, failure: str, expected: type[TollbrushError]
) -> None:
    async for made in opened(OpenAIEngine(settings(simulator))):
        with pytest.raises(expected) as raised:
            await made.edit("gpt-image-1", EditInput((picture(),), f"simulate: {failure}", SQUARE))
        assert type(raised.value) is expected
        assert KEY not in raised.value.sentence()
        assert told(simulator, "asked").count(f"simulate: {failure}") == 1  # asked once: it may have been worked on
        assert "led elsewhere" not in told(simulator, "asked")


@pytest.mark.parametrize("failure", ["another size", "another format"])
async def test_another_size_or_format_is_a_picture_all_the_same(engine: OpenAIEngine, failure: str) -> None:
    output = await engine.edit("gpt-image-1", EditInput((picture(),), f"simulate: {failure}", SQUARE))
    assert output.images[0].pixels.shape == (1024, 1024, 3)


async def test_the_rate_limit_says_when(engine: OpenAIEngine) -> None:
    with pytest.raises(RateLimited) as raised:
        await engine.edit("gpt-image-1", EditInput((picture(),), "simulate: rate limit", SQUARE))
    assert (raised.value.retry_after, raised.value.source) == (60, "upstream")


async def test_a_model_that_the_upstream_does_not_have(simulator: str) -> None:
    async for made in opened(OpenAIEngine(settings(simulator), (Served("x", "gpt-image-9", (SQUARE,)),))):
        with pytest.raises(UpstreamFailed, match="400"):
            await made.edit("x", EditInput((picture(),), "x", SQUARE))


async def test_a_wrong_key_is_the_operators_trouble(simulator: str) -> None:
    async for made in opened(OpenAIEngine(settings(simulator, key="sk-wrong"))):
        with capture_logs() as said, pytest.raises(UpstreamFailed, match="key") as raised:
            await made.edit("gpt-image-1", EditInput((picture(),), "x", SQUARE))
        assert isinstance(made, Alarming)
        (alarm,) = made.alarms().values()
        assert "refuses the key" in alarm
        assert [line["event"] for line in said] == ["an upstream needs its operator"]
        assert "sk-wrong" not in raised.value.sentence() + alarm + str(said)


async def test_nobody_there_nobody_answering_and_no_tls(simulator: str) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    for url in (f"http://127.0.0.1:{free_port()}/v1", simulator.replace("http:", "https:")):
        async for made in opened(OpenAIEngine(settings(url), sleep=sleep)):
            with pytest.raises(UpstreamFailed, match="could not be reached"):
                await made.edit("gpt-image-1", EditInput((picture(Size(64, 64)),), "x", SQUARE))
    assert len(pauses) == 4  # two more tries each
    assert all(0 < pause < 5 for pause in pauses)


async def test_a_silent_upstream_is_a_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        async for made in opened(OpenAIEngine(settings(url, seconds=0.3))):
            with pytest.raises(EditTimeout):
                await made.edit("gpt-image-1", EditInput((picture(Size(64, 64)),), "x", SQUARE))
