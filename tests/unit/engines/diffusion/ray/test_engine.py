"""The gateway's side, before proxies that behave in every way that one can."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from structlog.testing import capture_logs

from support.ray_stand_in import Answer, Proxy, listening
from support.servers import free_port
from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.ray.engine import RayEngine
from tollbrush.engines.diffusion.ray.messages import (
    Began,
    Done,
    Event,
    Failed,
    Made,
    Picture,
    Step,
    Waiting,
    decode_edit,
    encode_event,
)
from tollbrush.engines.interface import EditInput, Progress
from tollbrush.errors import (
    BadRequest,
    BadSettings,
    EditTimeout,
    TollbrushError,
    Unavailable,
    UpstreamFailed,
)
from tollbrush.settings import RaySettings

MODEL = "acme/model"
ROW = DiffusionModel(MODEL, "acme/weights", pipeline="QwenImageEditPlusPipeline", sizes=(Size(12, 8),))
SOURCE = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)
ASKED = EditInput((SOURCE,), "negative", Size(12, 8), seed=3)


async def negative(request: Request) -> Response:
    """A replica that does as it should."""
    edit = decode_edit(await request.body())
    (source,) = edit.input().sources
    images = [Made(Picture.of(255 - source), "", edit.seed + i) for i in range(edit.n)]
    return said([Began("a replica"), Step(0.5), Waiting(), Step(1.0, 0, Picture.of(source[:4])), *images, Done()])


def said(events: Sequence[Event]) -> Response:
    return streamed(b"".join(map(encode_event, events)))


def streamed(*pieces: bytes) -> Response:
    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return StreamingResponse(stream())


async def breaking_off(_: Request) -> Response:
    """What Serve's proxy does when a replica dies in the middle."""

    async def stream() -> AsyncIterator[bytes]:
        yield encode_event(Began("a replica")) + encode_event(Step(0.5))
        raise ConnectionResetError

    return StreamingResponse(stream())


async def refusing(_: Request) -> Response:
    return PlainTextResponse("Internal Server Error", 500)


def answering(response: Callable[[], Response]) -> Answer:
    async def answer(_: Request) -> Response:
        return response()

    return answer


async def models(_: Request) -> Response:
    return JSONResponse([MODEL])


def in_turn(*answers: Answer) -> Answer:
    """The first request gets the first, and so on; the last stays."""
    left = list(answers)

    async def answer(request: Request) -> Response:
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer


@asynccontextmanager
async def opened(*addresses: str, **settings: object) -> AsyncIterator[RayEngine]:
    async def at_once(_: float) -> None:
        return None

    ours = RaySettings.model_validate({"addresses": addresses, "health_seconds": 0, **settings})
    engine = RayEngine(ours, (ROW,), sleep=at_once)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


async def check_negative(engine: RayEngine, request: EditInput = ASKED) -> None:
    output = await engine.edit(MODEL, request)
    assert [image.seed for image in output.images] == [request.seed + i for i in range(request.n)]
    for image in output.images:
        assert np.array_equal(image.pixels, 255 - SOURCE)


def test_a_gateway_imports_neither_ray_nor_torch() -> None:
    code = "import sys, tollbrush.engines.diffusion.ray.engine; print({'ray', 'torch', 'diffusers'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


async def test_an_edit_comes_back_with_its_progress() -> None:
    heard: list[Progress] = []
    asked = EditInput((SOURCE,), "negative", Size(12, 8), n=2, seed=3, previews=1, report=heard.append)
    async with listening(Proxy(negative, models)) as proxy, opened(proxy.url) as engine:
        await check_negative(engine, asked)
    assert [progress.fraction for progress in heard] == [0.5, 1.0]
    assert heard[0].preview is None
    assert heard[1].preview is not None and np.array_equal(heard[1].preview, SOURCE[:4])
    assert proxy.asked == 1


async def test_its_capabilities_are_the_models_in_the_clusters_line() -> None:
    async with opened("ray://127.0.0.1:1", width=7, timeout_seconds=60) as engine:
        able = engine.capabilities(MODEL)
    assert (able.fixed_sizes, able.remote, able.width, able.seed, able.masks) == ((Size(12, 8),), True, 7, True, True)
    assert able.time_limit > 60


def test_a_model_of_unknown_pipeline_is_told_at_start() -> None:
    with pytest.raises(BadSettings, match="pipeline"):
        RayEngine(RaySettings(addresses=("ray://127.0.0.1:1",)), (DiffusionModel("a/b", "nobody/has-this-model"),))


@pytest.mark.parametrize(
    "lost",
    [
        breaking_off,
        refusing,
        answering(lambda: said([Began("a replica"), Step(0.9)])),
        answering(lambda: said([Began("a replica"), Done()])),
        answering(lambda: said([Made(Picture.of(SOURCE[:4])), Done()])),
        answering(lambda: streamed(b"\x00\x00\x00\x05trash")),
        answering(lambda: streamed(b"\xff\xff\xff\xff")),
        answering(lambda: streamed(b"")),
        answering(lambda: streamed(encode_event(Began("a replica"))[:-3])),
    ],
    ids=["breaks off", "500", "ends early", "no picture", "another size", "trash", "huge", "nothing", "truncated"],
)
async def test_an_edit_that_is_lost_is_asked_for_once_more(lost: Answer) -> None:
    async with listening(Proxy(in_turn(lost, negative), models)) as proxy, opened(proxy.url) as engine:
        await check_negative(engine)
        assert proxy.asked == 2
    async with listening(Proxy(lost, models)) as proxy, opened(proxy.url) as engine:
        with pytest.raises(UpstreamFailed):
            await engine.edit(MODEL, ASKED)
        assert proxy.asked == 2


async def test_its_pixels_are_made_again_for_the_second_try() -> None:
    made = 0

    def again() -> EditInput:
        nonlocal made
        made += 1
        return ASKED

    asked = EditInput((SOURCE,), "negative", Size(12, 8), seed=3, again=again)
    async with listening(Proxy(in_turn(breaking_off, negative), models)) as proxy, opened(proxy.url) as engine:
        await check_negative(engine, asked)
    assert made == 1


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (said([Failed("bad_request", "the prompt is too long.")]), BadRequest, "too long"),
        (said([Failed("unavailable", "no room.", retry_after=20)]), Unavailable, "no room"),
        (said([Failed("bad_settings", "/srv/model is broken.")]), Unavailable, "cannot be served"),
        (said([Failed("from_the_future", "?")]), Unavailable, "cannot be served"),
        (PlainTextResponse("busy", 503, {"Retry-After": "17"}), Unavailable, "busy"),
    ],
    ids=["caller's", "full", "operator's", "unknown", "queue"],
)
async def test_what_asking_again_would_not_change_is_said_at_once(
    answer: Response, error: type[TollbrushError], words: str
) -> None:
    async with listening(Proxy(answering(lambda: answer), models)) as proxy, opened(proxy.url) as engine:
        with pytest.raises(error, match=words) as told:
            await engine.edit(MODEL, ASKED)
        assert proxy.asked == 1
        assert "/srv" not in str(engine.alarms()) + told.value.sentence()
    if "busy" in words:
        assert isinstance(told.value, Unavailable) and told.value.retry_after == 17


async def test_a_model_that_is_slower_there_is_told_of_once_and_for_as_long_as_it_is() -> None:
    why = "A replica died while it warmed it up; the next one runs with attention native."

    async def answer(_: Request) -> Response:
        return said([Made(Picture.of(255 - SOURCE), "", ASKED.seed), Done({}, reasons.pop(0))])

    reasons = [why, why, ""]
    async with listening(Proxy(answer, models)) as proxy, opened(proxy.url) as engine:
        with capture_logs() as logs:
            for _ in range(2):
                await check_negative(engine)
                assert engine.alarms() == {MODEL: f"{MODEL} is slower than it was to be. The log says why."}
        [told] = [line for line in logs if line["event"] == "a model is slower than it was to be"]
        assert (told["model"], told["why"], told["log_level"]) == (MODEL, why, "warning")
        assert "engines.diffusion.attention and compile" in told["advice"]
        await check_negative(engine)
        assert engine.alarms() == {}


async def test_a_proxy_that_is_down_is_passed_over() -> None:
    async with (
        listening(Proxy(negative, models)) as proxy,
        opened(f"ray://127.0.0.1:{free_port()}", proxy.url) as engine,
    ):
        for _ in range(3):
            await check_negative(engine)
        await engine.check()
        (words,) = engine.alarms().values()
        assert "cannot be reached" in words
        assert proxy.asked == 3


async def test_a_cluster_that_is_down_is_unavailable_and_comes_back() -> None:
    proxy = Proxy(negative, models, port=free_port())
    async with opened(proxy.url) as engine:
        with pytest.raises(Unavailable):
            await engine.edit(MODEL, ASKED)
        assert engine.alarms()
        async with listening(proxy):
            await check_negative(engine)
            assert not engine.alarms()


async def test_a_silent_replica_is_given_up() -> None:
    ended = asyncio.Event()

    async def silent(_: Request) -> Response:
        async def stream() -> AsyncIterator[bytes]:
            yield encode_event(Began("a replica"))
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()

        return StreamingResponse(stream())

    async with listening(Proxy(silent, models)) as proxy, opened(proxy.url, stalled_seconds=0.1) as engine:
        with pytest.raises(UpstreamFailed, match="said nothing"):
            await engine.edit(MODEL, ASKED)
        await asyncio.wait_for(ended.wait(), 10)
        assert proxy.asked == 2
    async with listening(Proxy(silent, models)) as proxy, opened(proxy.url, timeout_seconds=0.2) as engine:
        with pytest.raises(EditTimeout):
            await engine.edit(MODEL, ASKED)


async def test_a_cancelled_edit_is_cancelled_there() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def long(_: Request) -> Response:
        async def stream() -> AsyncIterator[bytes]:
            began.set()
            try:
                while True:
                    yield encode_event(Waiting())
                    await asyncio.sleep(0.01)
            finally:
                ended.set()

        return StreamingResponse(stream())

    async with listening(Proxy(long, models)) as proxy, opened(proxy.url) as engine:
        editing = asyncio.create_task(engine.edit(MODEL, ASKED))
        await began.wait()
        editing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await editing
        await asyncio.wait_for(ended.wait(), 10)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"routes": {"/other": "other"}}, "not deployed"),
        ({"models": answering(lambda: PlainTextResponse("The secret is another.", 401))}, "refuses the secret"),
        ({"models": answering(lambda: PlainTextResponse("version", 400))}, "HTTP 400"),
        ({"models": answering(lambda: JSONResponse(["acme/other"]))}, f"does not have {MODEL}"),
        ({"models": answering(lambda: PlainTextResponse("<html>"))}, "something else"),
    ],
    ids=["nothing deployed", "secret", "version", "other models", "another server"],
)
async def test_what_the_operator_must_see_to(change: dict[str, object], words: str) -> None:
    proxy = Proxy(negative, models)
    for name, value in change.items():
        setattr(proxy, name, value)
    async with listening(proxy), opened(proxy.url) as engine:
        await engine.check()
        assert words in "".join(engine.alarms().values())
        proxy.models, proxy.routes = models, Proxy(negative, models).routes
        await engine.check()
        assert not engine.alarms()


async def test_the_secret_is_shown_and_told_to_nobody() -> None:
    seen: list[str | None] = []

    async def curious(request: Request) -> Response:
        seen.append(request.headers.get("authorization"))
        return PlainTextResponse("No.", 401)

    async with listening(Proxy(curious, models)) as proxy, opened(proxy.url, secret=SecretStr("hush")) as engine:
        with pytest.raises(Unavailable) as told:
            await engine.edit(MODEL, ASKED)
        assert set(seen) == {"Bearer hush"}
        assert "hush" not in str(engine.alarms()) + told.value.sentence()
