"""The Google engine against a simulator that refuses what the real API documents as wrong.

With `TOLLBRUSH_LIVE_TESTS=1` and `GEMINI_API_KEY` the plain edits run against the real one.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import socket
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from support.google_simulator import BLOCKED, BLOCKED_KEY, FLASH, KEY, NO_PICTURE, PRO, SHAPES
from support.imagery import fingerprint, photo
from support.servers import free_port, running
from tollbrush.domain.edits import OutputFormat, Size
from tollbrush.engines.google import GoogleEngine, answers, questions
from tollbrush.engines.interface import EditInput
from tollbrush.errors import (
    ContentRefused,
    EditTimeout,
    RateLimited,
    TollbrushError,
    UnsupportedParameter,
    UpstreamFailed,
)
from tollbrush.imaging.bare import Bare
from tollbrush.imaging.codec import decode, encode
from tollbrush.imaging.header import sniff
from tollbrush.imaging.strip import strip
from tollbrush.settings import GoogleSettings

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

SQUARE = Size(1024, 1024)
LIVE = pytest.param("live", marks=pytest.mark.skipif(
    os.environ.get("TOLLBRUSH_LIVE_TESTS") != "1" or not os.environ.get("GEMINI_API_KEY"),
    reason="needs TOLLBRUSH_LIVE_TESTS=1 and GEMINI_API_KEY",
))  # fmt: skip


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    log = tmp_path_factory.mktemp("google") / "log"
    with running(["support.google_simulator", str(port)], f"http://127.0.0.1:{port}/seen", log=log):
        yield f"http://127.0.0.1:{port}/v1beta"


def configured(url: str, key: str = KEY, seconds: float = 30) -> GoogleSettings:
    return GoogleSettings(api_key=SecretStr(key), base_url=url, timeout_seconds=seconds)


@pytest.fixture
async def engine(simulator: str) -> AsyncIterator[GoogleEngine]:
    made = GoogleEngine(configured(simulator))
    await made.start()
    yield made
    await made.close()


@pytest.fixture(params=["simulated", LIVE])
async def either(request: pytest.FixtureRequest, simulator: str) -> AsyncIterator[GoogleEngine]:
    """The simulated upstream, or the real one."""
    real = GoogleSettings(api_key=SecretStr(os.environ.get("GEMINI_API_KEY", "")))
    made = GoogleEngine(real if request.param == "live" else configured(simulator))
    await made.start()
    yield made
    await made.close()


def picture(size: Size = SQUARE) -> Pixels:
    ramp = np.linspace(0, 255, size.width, dtype=np.uint8)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (size.height, size.width, 3)))


def plain(shade: tuple[int, int, int]) -> Pixels:
    return np.full((64, 96, 3), shade, np.uint8)


def fetch(url: str) -> Any:
    return json.loads(urllib.request.urlopen(url).read())


def seen(simulator: str) -> list[dict[str, object]]:
    accepted: list[dict[str, object]] = fetch(simulator.removesuffix("/v1beta") + "/seen")
    return accepted


# ── edits, simulated or live ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("model", "size"), [(FLASH, SQUARE), (PRO, SQUARE), (PRO, Size(2048, 2048))])
async def test_an_edit_comes_back_at_its_size(either: GoogleEngine, model: str, size: Size) -> None:
    output = await either.edit(model, EditInput((picture(),), "invert the colours of this picture", size))
    (image,) = output.images
    assert image.pixels.shape == (size.height, size.width, 3)
    assert output.usage["total_tokens"] >= output.usage["output_tokens"] > 0
    assert output.usage["input_tokens"] > 0


async def test_several_sources_and_several_answers(either: GoogleEngine) -> None:
    sources = (plain((200, 30, 30)), plain((30, 200, 30)), plain((30, 30, 200)))
    output = await either.edit(FLASH, EditInput(sources, "Blend these three colours ☃", SQUARE, n=2))
    assert [image.pixels.shape[2] for image in output.images] == [3, 3]


async def test_a_wrong_key_is_the_operators_trouble(simulator: str) -> None:
    for key in ("AIza-wrong", BLOCKED_KEY):
        engine = GoogleEngine(configured(simulator, key=key))
        await engine.start()
        with pytest.raises(UpstreamFailed, match="refused this gateway's key") as raised:
            await engine.edit(FLASH, EditInput((plain((1, 2, 3)),), "x", SQUARE))
        await engine.close()
        (alarm,) = engine.alarms().values()
        assert "set another" in alarm
        assert key not in raised.value.sentence() + alarm


# ── what is sent ────────────────────────────────────────────────────────────────────────────────────────


async def test_the_answer_is_the_edited_picture(engine: GoogleEngine) -> None:
    for model, off in ((FLASH, 1), (PRO, 4)):  # the larger one answers in JPEG, after a picture of its thoughts
        (image,) = (await engine.edit(model, EditInput((picture(),), "invert", SQUARE))).images
        assert np.abs(image.pixels.astype(int) - (255 - picture().astype(int))).max() <= off


@pytest.mark.parametrize("model", [FLASH, PRO])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (2, 1, 0), (1, 1, 0)])
@pytest.mark.parametrize("as_files", [False, True])
async def test_sources_keep_their_order(
    engine: GoogleEngine, simulator: str, model: str, order: tuple[int, ...], as_files: bool
) -> None:
    sources = tuple(photo(96, 64, seed=seed) for seed in order)
    request = EditInput(sources, "all three", SQUARE)
    if as_files:
        request = EditInput((), "all three", SQUARE, files=tuple(_bare(source) for source in sources))
    await engine.edit(model, request)
    told = seen(simulator)[-1]
    assert told["pictures"] == [fingerprint(source) for source in sources]
    assert (told["sizes"], told["types"]) == ([[96, 64]] * 3, ["PNG"] * 3)


def _bare(pixels: Pixels) -> Bare:
    data = encode(pixels, "png")
    file = strip(data, sniff(data, max_pixels=10**6))
    assert file is not None
    return file


@pytest.mark.parametrize(
    ("model", "size", "shape"),
    [(FLASH, SQUARE, {"aspectRatio": "1:1"}),
     (FLASH, Size(1536, 1024), {"aspectRatio": "3:2"}),
     (FLASH, Size(720, 1280), {"aspectRatio": "9:16"}),
     (PRO, SQUARE, {"aspectRatio": "1:1", "imageSize": "1K"}),
     (PRO, Size(2048, 2048), {"aspectRatio": "1:1", "imageSize": "2K"}),
     (PRO, Size(2049, 2048), {"aspectRatio": "1:1", "imageSize": "4K"})],
)  # fmt: skip
async def test_the_size_decides_aspect_and_resolution(
    engine: GoogleEngine, simulator: str, model: str, size: Size, shape: dict[str, str]
) -> None:
    await engine.edit(model, EditInput((plain((9, 9, 9)),), "x", size))
    sent = seen(simulator)[-1]
    assert {key: sent[key] for key in ("aspectRatio", "imageSize") if key in sent} == shape


@given(st.integers(64, 4096), st.integers(64, 4096))
@settings(max_examples=100, deadline=None)
def test_the_nearest_aspect_is_offered(width: int, height: int) -> None:
    name = questions.aspect(Size(width, height))
    assert name in SHAPES

    def off(ratio: str) -> float:
        wide, high = map(int, ratio.split(":"))
        return abs(math.log(width * high / (height * wide)))

    assert off(name) == pytest.approx(min(map(off, SHAPES)))


def test_pictures_fit_the_request() -> None:
    smooth, noise = picture(), np.random.default_rng(1).integers(0, 256, (600, 600, 3), dtype=np.uint8)
    assert questions.pack(smooth, 1_000_000)[1] == "image/png"
    for room in (900_000, 200_000, 20_000):
        data, mime_type = questions.pack(noise, room)
        assert (len(data) <= room, mime_type) == (True, "image/jpeg")
        assert data.startswith(b"\xff\xd8\xff")
    three = EditInput((np.tile(noise, (7, 7, 1)),) * 3, "x", SQUARE)  # 3 × 53 MB of noise
    assert len(questions.ask(PRO, three)) < 20 * 2**20


async def test_a_file_goes_as_it_is_and_comes_as_it_is(engine: GoogleEngine, simulator: str) -> None:
    data = encode(picture(), "jpeg")
    source = strip(data, sniff(data, max_pixels=SQUARE.pixels))
    assert source is not None
    assert questions.pass_on(source, len(data)) == (data, "image/jpeg")
    assert questions.pass_on(source, len(data) - 1)[0] != data
    choices: tuple[OutputFormat | None, ...] = ("png", None)
    for takes in choices:
        request = EditInput((), "invert", SQUARE, files=(source,), takes=takes)
        (image,) = (await engine.edit(FLASH, request)).images
        assert isinstance(image.content, Bare) == bool(takes)
        shown = (
            decode(image.content.data, max_pixels=SQUARE.pixels) if isinstance(image.content, Bare) else image.pixels
        )
        assert np.abs(shown.astype(int) - (255 - picture().astype(int))).max() <= 4
    assert seen(simulator)[-1]["types"] == ["JPEG"]


async def test_calls_are_bounded_and_share_a_failure(engine: GoogleEngine, simulator: str) -> None:
    base = simulator.removesuffix("/v1beta")
    edit = asyncio.create_task(engine.edit(FLASH, EditInput((plain((5, 5, 5)),), "hold: bounded", SQUARE, n=10)))
    for _ in range(4):
        await asyncio.to_thread(post, f"{base}/await/bounded")
    await engine.edit(FLASH, EditInput((plain((6, 6, 6)),), "meanwhile", SQUARE))
    assert await asyncio.to_thread(fetch, f"{base}/calls/bounded") == 4
    await asyncio.to_thread(post, f"{base}/release/bounded")
    output = await edit
    assert len(output.images) == 10
    assert output.usage == {"input_tokens": 2700, "output_tokens": 12_900, "total_tokens": 15_600}


def post(url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, method="POST")).read()


async def test_a_mask_is_never_dropped(engine: GoogleEngine, simulator: str) -> None:
    before = len(seen(simulator))
    mask = np.zeros((64, 96), np.bool_)
    mask[:9] = True
    with pytest.raises(UnsupportedParameter, match="no mask"):
        await engine.edit(FLASH, EditInput((plain((1, 1, 1)),), "x", SQUARE, mask=mask))
    assert len(seen(simulator)) == before
    assert not engine.capabilities(FLASH).masks
    assert not engine.capabilities(PRO).masks


# ── what goes wrong ─────────────────────────────────────────────────────────────────────────────────────

SAFETY = {"IMAGE_SAFETY", "PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT", "SAFETY", "BLOCKLIST", "SPII"}
OTHERS = (
    "words only", "no candidates", "nothing", "no parts", "thought only", "html", "html 502", "cut short", "a list",
    "wrong types", "deep", "bad base64", "no picture", "redirect", "billing", "internal", "overloaded", "huge",
)  # fmt: skip


@pytest.mark.parametrize(
    ("failure", "expected"),
    [*((reason, ContentRefused if reason in SAFETY else UpstreamFailed) for reason in NO_PICTURE),
     *((f"blocked {reason}", ContentRefused if reason in SAFETY else UpstreamFailed) for reason in BLOCKED),
     *((name, UpstreamFailed) for name in OTHERS), ("rate limit", RateLimited), ("deadline", EditTimeout)],
)  # fmt: skip
async def test_every_documented_failure(engine: GoogleEngine, failure: str, expected: type[TollbrushError]) -> None:
    with pytest.raises(expected) as raised:
        await engine.edit(FLASH, EditInput((plain((1, 2, 3)),), f"simulate: {failure}", SQUARE, n=2))
    assert type(raised.value) is expected
    assert KEY not in raised.value.sentence()
    assert "simulated" not in raised.value.sentence()


@pytest.mark.parametrize("failure", ["unauthenticated", "forbidden"])
async def test_a_refused_key_is_told_as_such(engine: GoogleEngine, failure: str) -> None:
    with pytest.raises(UpstreamFailed, match="refused this gateway's key"):
        await engine.edit(FLASH, EditInput((plain((1, 2, 3)),), f"simulate: {failure}", SQUARE))
    assert engine.alarms()
    await engine.edit(FLASH, EditInput((plain((1, 2, 3)),), "x", SQUARE))
    assert not engine.alarms()


@pytest.mark.parametrize(("failure", "seconds"), [("rate limit", 37), ("rate limit, untimed", 20)])
async def test_the_rate_limit_says_when(engine: GoogleEngine, failure: str, seconds: int) -> None:
    with pytest.raises(RateLimited) as raised:
        await engine.edit(FLASH, EditInput((plain((1, 2, 3)),), f"simulate: {failure}", SQUARE))
    assert (raised.value.retry_after, raised.value.source) == (seconds, "upstream")


async def test_an_unknown_model(engine: GoogleEngine) -> None:
    with pytest.raises(UpstreamFailed, match="404"):
        await engine.edit("gemini-9-image", EditInput((plain((1, 2, 3)),), "x", SQUARE))


async def test_the_simulator_is_strict(engine: GoogleEngine) -> None:
    for request in (
        EditInput((plain((1, 2, 3)),) * 4, "four pictures", SQUARE),
        EditInput((plain((1, 2, 3)),), "   ", SQUARE),
    ):
        with pytest.raises(UpstreamFailed, match=r"400 \(INVALID_ARGUMENT\)"):
            await engine.edit(FLASH, request)


async def test_stalls_and_silence_are_time_outs(simulator: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for url in (f"http://127.0.0.1:{silent.getsockname()[1]}/v1beta", simulator):
            engine = GoogleEngine(configured(url, seconds=0.5))
            await engine.start()
            with pytest.raises(EditTimeout):
                await engine.edit(FLASH, EditInput((plain((1, 2, 3)),), "simulate: stall", SQUARE))
            await engine.close()


async def test_nobody_there_and_no_certificate(simulator: str) -> None:
    for url in (f"http://127.0.0.1:{free_port()}/v1beta", simulator.replace("http:", "https:")):
        engine = GoogleEngine(configured(url))
        await engine.start()
        with pytest.raises(UpstreamFailed, match="could not be reached"):
            await engine.edit(FLASH, EditInput((plain((1, 2, 3)),), "x", SQUARE))
        await engine.close()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["STOP", "IMAGE_SAFETY"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["candidates", "content", "parts", "inlineData", "data", "finishReason", "promptFeedback",
                         "usageMetadata", "error", "details", "status", "@type", "retryDelay", "reason"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(json_values | st.binary(max_size=40), st.sampled_from([200, 400, 403, 429, 500]))
@settings(max_examples=150, deadline=None)
def test_any_answer_is_an_error_of_ours(value: object, status: int) -> None:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    if status == 200:
        with pytest.raises((ContentRefused, UpstreamFailed)):
            answers.read(body)
    else:
        assert answers.failure(status, {}, body).message


def test_only_short_errors_are_read() -> None:
    body = b'{"error": {"status": "UNAVAILABLE"%s}}'
    assert "UNAVAILABLE" in answers.failure(503, {}, body % b"").message
    assert answers.failure(503, {}, body % (b" " * 100_000)).message == "Google answered HTTP 503."


def test_a_photograph_survives_the_question() -> None:
    pixels = photo(300, 200)
    body = json.loads(questions.ask(FLASH, EditInput((pixels,), "x", SQUARE)))
    words, image = body["contents"][0]["parts"]
    assert words == {"text": "x"}
    assert image["inline_data"]["mime_type"] == "image/png"
    assert body["generationConfig"] == {"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "1:1"}}
