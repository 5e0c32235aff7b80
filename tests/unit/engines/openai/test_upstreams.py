"""Several servers behind one model: each gets only what it can do, and somebody else's failure costs nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.imagery import fingerprint, photo
from support.openai_oddities import KEY
from support.openai_simulator import KINDS, simulated, told
from support.servers import free_port
from tollbrush.domain.breaker import Breaker
from tollbrush.domain.edits import Size
from tollbrush.domain.pricing import Price
from tollbrush.engines.interface import EditInput, Needs
from tollbrush.engines.openai import OpenAIEngine, Served
from tollbrush.engines.openai.answers import Sick
from tollbrush.engines.openai.profiles import PROFILES
from tollbrush.errors import EditTimeout, RateLimited, Unavailable, UnsupportedParameter, UpstreamFailed
from tollbrush.settings import OpenAISettings, UpstreamSettings

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

SIZE = Size(128, 64)


@pytest.fixture(scope="module")
def servers() -> Iterator[Mapping[str, str]]:
    """One of each kind, and a second vLLM-Omni."""
    with ExitStack() as stack:
        started = {kind: stack.enter_context(simulated(kind)) for kind in KINDS}
        yield started | {"other": stack.enter_context(simulated("vllm-omni"))}


@asynccontextmanager
async def fleet(*places: dict[str, Any], sizes: tuple[Size, ...] = (SIZE,), **more: Any) -> AsyncIterator[OpenAIEngine]:
    """An engine with one model `m`; it never really pauses."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    upstreams = [UpstreamSettings.model_validate(place) for place in places]
    settings = OpenAISettings.model_validate({"health_seconds": 0, **{k: v for k, v in more.items() if k != "sold"}})
    model = Served("m", "gpt-image-1", sizes, tuple(upstreams), more.get("sold"))
    made = OpenAIEngine(settings, (model,), sleep=sleep)
    await made.start()
    try:
        yield made
    finally:
        await made.close()


def openai(url: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "api_key": KEY, "profile": "openai", **more}


def omni(url: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "profile": "vllm-omni", **more}


def bar(size: Size = SIZE) -> Mask:
    mask = np.zeros((size.height, size.width), bool)
    mask[:, : size.width // 4] = True
    return mask


def drift(answer: Pixels, source: Pixels) -> Any:
    return np.abs(answer.astype(int) - source.astype(int)).max(axis=2)


def test_every_profile_is_a_setting() -> None:
    field = UpstreamSettings.model_fields["profile"].annotation
    assert set(PROFILES) == set(getattr(field, "__args__", ()))


# ── each kind gets its own words ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["openai", "vllm-omni", "sdcpp"])
async def test_a_mask_reaches_every_kind_that_honours_one(servers: Mapping[str, str], kind: str) -> None:
    place = openai(servers[kind]) if kind == "openai" else {"url": servers[kind], "profile": kind}
    source = photo(SIZE.width, SIZE.height)
    async with fleet(place) as engine:
        assert engine.capabilities("m").masks
        output = await engine.edit("m", EditInput((source,), "x", SIZE, mask=bar()))
    changed = drift(output.images[0].pixels, source)
    assert changed[:, SIZE.width // 2 :].mean() < 16  # resampled on the way at worst
    assert changed[:, : SIZE.width // 8].mean() > 40
    assert told(servers[kind])[-1]["mask"] is True


async def test_who_never_reads_a_mask_is_never_sent_one(servers: Mapping[str, str]) -> None:
    deaf = {"url": servers["sglang"], "profile": "sglang"}
    before = len(told(servers["sglang"], "asked"))
    async with fleet(deaf, {"url": servers["vllm-omni"], "profile": "vllm-omni"}) as engine:
        for _ in range(4):
            await engine.edit("m", EditInput((photo(128, 64),), "masked", SIZE, mask=bar()))
    assert len(told(servers["sglang"], "asked")) == before
    async with fleet(deaf) as engine:
        assert not engine.capabilities("m").masks
        with pytest.raises(UnsupportedParameter):
            await engine.edit("m", EditInput((photo(128, 64),), "masked", SIZE, mask=bar()))
        unmasked = await engine.edit("m", EditInput((photo(128, 64),), "x", SIZE))
    assert unmasked.images[0].pixels.shape == (64, 128, 3)
    assert len(told(servers["sglang"], "asked")) == before + 1


@pytest.mark.parametrize("kind", ["openai", "vllm-omni", "sdcpp", "sglang"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 2, 0, 2)])
async def test_sources_keep_their_order(servers: Mapping[str, str], kind: str, order: tuple[int, ...]) -> None:
    """The references as they are; the first, where it must be fitted, as what it is fitted to."""
    place = openai(servers[kind]) if kind == "openai" else {"url": servers[kind], "profile": kind}
    size = {"openai": Size(1024, 1024), "sdcpp": Size(128, 64)}.get(kind, Size(96, 64))
    sources = tuple(photo(size.width, size.height, seed=seed) for seed in order)
    async with fleet(place, sizes=(size,)) as engine:
        await engine.edit("m", EditInput(sources, "all four", size))
    assert told(servers[kind])[-1]["pictures"] == [fingerprint(source) for source in sources]


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("size", [Size(100, 60), Size(333, 77)])
async def test_any_size_comes_out_of_any_server(servers: Mapping[str, str], kind: str, size: Size) -> None:
    place = openai(servers[kind]) if kind == "openai" else {"url": servers[kind], "profile": kind}
    source = photo(size.width, size.height)
    async with fleet(place, sizes=(size,)) as engine:
        output = await engine.edit("m", EditInput((source,), "x", size))
    (image,) = output.images
    assert image.pixels.shape == source.shape
    assert drift(image.pixels, 255 - source).mean() < 20


async def test_a_picture_to_be_recomposed_is_not_squeezed(servers: Mapping[str, str]) -> None:
    """It comes in its own shape; the server's nearest size is cut to the one asked for."""
    async with fleet(openai(servers["openai"])) as engine:
        output = await engine.edit("m", EditInput((photo(90, 200),), "x", SIZE))
    assert output.images[0].pixels.shape == (64, 128, 3)
    assert told(servers["openai"])[-1]["size"] == "1536x1024"


async def test_n_is_asked_for_one_by_one_where_one_is_all_there_is(servers: Mapping[str, str]) -> None:
    before = len(told(servers["generic"]))
    async with fleet({"url": servers["generic"]}) as engine:
        output = await engine.edit("m", EditInput((photo(128, 64),), "thrice", SIZE, n=3))
    assert len(output.images) == 3
    assert [row["n"] for row in told(servers["generic"])[before:]] == ["1"] * 3


async def test_each_picture_has_its_seed(servers: Mapping[str, str]) -> None:
    place = {"url": servers["vllm-omni"], "profile": "vllm-omni"}
    async with fleet(place) as engine:
        assert engine.capabilities("m").seed
        output = await engine.edit("m", EditInput((photo(128, 64),), "seeds", SIZE, n=2, seed=41))
    assert [image.seed for image in output.images] == [41, 42]
    assert sorted(row["seed"] for row in told(servers["vllm-omni"])[-2:]) == ["41", "42"]
    async with fleet(place, {"url": servers["generic"]}) as engine:
        assert not engine.capabilities("m").seed  # one of the servers takes none: none is promised


async def test_quality_goes_where_it_is_read(servers: Mapping[str, str]) -> None:
    before = len(told(servers["generic"], "asked"))
    async with fleet({"url": servers["generic"]}, openai(servers["openai"])) as engine:  # equals, but for that
        await engine.edit("m", EditInput((photo(128, 64),), "x", SIZE, quality="low"))
    assert len(told(servers["generic"], "asked")) == before


async def test_dearer_than_authorised_is_no_choice(servers: Mapping[str, str]) -> None:
    dear = omni(servers["other"], price="0.03")
    before = len(told(servers["other"], "asked"))
    async with fleet(dear, omni(free()), sold=lambda size: Price.of(Decimal("0.021"))) as engine:
        with pytest.raises(UpstreamFailed, match="could not be reached"):
            await engine.edit("m", EditInput((photo(128, 64),), "x", SIZE))
    assert len(told(servers["other"], "asked")) == before
    async with fleet(dear, omni(free()), sold=lambda size: Price.of(Decimal("0.03"))) as engine:
        await engine.edit("m", EditInput((photo(128, 64),), "x", SIZE))


def free() -> str:
    return f"http://127.0.0.1:{free_port()}/v1"


async def test_several_pictures_come_one_by_one_while_whoever_makes_them_at_once_is_down(
    servers: Mapping[str, str],
) -> None:
    request = EditInput((photo(128, 64),), "three of them", SIZE, n=3)
    async with fleet(omni(free()), {"url": servers["generic"]}) as engine:
        for _ in range(2):  # until it is left alone
            with pytest.raises((UpstreamFailed, Unavailable)):
                await engine.edit("m", request)
        output = await engine.edit("m", request)
    assert len(output.images) == 3
    assert told(servers["generic"], "asked")[-3:] == ["three of them"] * 3


async def test_two_of_three_are_no_edit(servers: Mapping[str, str]) -> None:
    async with fleet({"url": servers["generic"]}) as engine:
        with pytest.raises(UpstreamFailed):
            await engine.edit("m", EditInput((photo(128, 64),), "simulate once: server error", SIZE, n=3))


# ── failures ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("failure", ["rate limit", "short rate limit", "overloaded briefly", "bad key", "quota"])
async def test_another_server_is_asked_where_nothing_was_consumed(servers: Mapping[str, str], failure: str) -> None:
    prompt = f"simulate: {failure}"
    async with fleet(omni(servers["vllm-omni"]), {"url": servers["generic"]}) as engine:
        with pytest.raises((UpstreamFailed, RateLimited)):  # the other one plays the same trick: both were asked
            await engine.edit("m", EditInput((photo(128, 64),), prompt, SIZE))
    assert prompt in told(servers["vllm-omni"], "asked")
    assert prompt in told(servers["generic"], "asked")


@pytest.mark.parametrize("failure", ["server error", "overloaded", "truncated json", "html", "too few"])
async def test_nobody_is_asked_twice_where_something_may_have_been(servers: Mapping[str, str], failure: str) -> None:
    prompt, asked = f"simulate: {failure}", 0
    before = sum(told(url, "asked").count(prompt) for url in servers.values())
    async with fleet(omni(servers["vllm-omni"]), omni(servers["other"])) as engine:
        with pytest.raises(UpstreamFailed):
            await engine.edit("m", EditInput((photo(128, 64),), prompt, SIZE))
    asked = sum(told(url, "asked").count(prompt) for url in servers.values())
    assert asked - before == 1


@pytest.mark.parametrize("failure", ["short rate limit", "overloaded briefly"])
async def test_the_same_server_is_asked_again_when_it_says_so(servers: Mapping[str, str], failure: str) -> None:
    prompt = f"simulate once: {failure}"
    made: list[int] = []

    def again() -> EditInput:
        made.append(1)
        return EditInput((photo(128, 64),), prompt, SIZE)

    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    place = UpstreamSettings.model_validate(omni(servers["other"]))
    engine = OpenAIEngine(
        OpenAISettings(health_seconds=0), (Served("m", "gpt-image-1", (SIZE,), (place,)),), sleep=sleep
    )
    await engine.start()
    output = await engine.edit("m", EditInput((photo(128, 64),), prompt, SIZE, again=again))
    await engine.close()
    assert len(output.images) == 1
    assert made == [1]  # the body was gone: it was made once more, and no more often
    (pause,) = pauses
    assert 2 <= pause < 4
    assert told(servers["other"], "asked").count(prompt) == 2


async def test_a_longer_wait_than_patience_is_passed_on(servers: Mapping[str, str]) -> None:
    async with fleet(omni(servers["vllm-omni"]), patience_seconds=1) as engine:
        with pytest.raises(RateLimited) as raised:
            await engine.edit("m", EditInput((photo(128, 64),), "simulate: short rate limit", SIZE))
    assert raised.value.retry_after == 2


async def test_who_is_down_is_avoided_and_told_of(servers: Mapping[str, str]) -> None:
    gone = free()
    async with fleet(omni(gone), omni(servers["vllm-omni"]), health_seconds=3600) as engine:
        for _ in range(8):
            await engine.edit("m", EditInput((photo(128, 64),), "x", SIZE))
        assert list(engine.alarms()) == [gone.removeprefix("http://").removesuffix("/v1")]
    async with fleet(omni(gone), retries=0) as engine:
        for _ in range(5):
            with pytest.raises(UpstreamFailed):
                await engine.edit("m", EditInput((photo(128, 64),), "x", SIZE))
        with pytest.raises(Unavailable) as raised:  # not even tried any more
            await engine.edit("m", EditInput((photo(128, 64),), "x", SIZE))
    assert raised.value.retry_after > 0


async def test_a_model_that_is_not_listed_is_told_of(servers: Mapping[str, str]) -> None:
    place = UpstreamSettings.model_validate(openai(servers["openai"]))
    models = (Served("m", "gpt-image-9", (SIZE,)), Served("o", "gpt-image-1", (SIZE,)))
    engine = OpenAIEngine(OpenAISettings(upstreams=(place,)), models)
    await engine.start()
    await engine.check()
    await engine.edit("o", EditInput((photo(128, 64),), "x", SIZE))  # that another is there changes nothing
    (alarm,) = engine.alarms().values()
    await engine.close()
    assert "gpt-image-9" in alarm


# ── what nobody does is told before a price ─────────────────────────────────────────────────────────────────


BIG = Size(256, 128)
UNMASKED = {"url": "http://127.0.0.1:9/v1", "profile": "openai", "mask": False}
OMNI = {"url": "http://127.0.0.1:8/v1", "profile": "vllm-omni"}
MASKED = Needs(SIZE, masked=True, sources=1)


def by_size(size: Size) -> Price:
    return Price.of(Decimal("0.01" if size == SIZE else "0.04"))


@pytest.mark.parametrize(
    ("places", "needs", "words"),
    [([UNMASKED, OMNI], replace(MASKED, quality="low"),
      "does a mask and quality low at once. Leave out the mask, or leave out the quality."),
     ([UNMASKED, OMNI], replace(MASKED, quality="low", background="opaque"), "at once. Leave out the mask."),
     ([UNMASKED, OMNI], Needs(SIZE, masked=False, sources=5, quality="low"), ""),
     ([{**UNMASKED, "max_sources": 1}, OMNI], Needs(SIZE, masked=False, sources=2, quality="low"),
      "does 2 images and quality low at once. Leave out all images but one, or leave out the quality."),
     ([UNMASKED, {**OMNI, "price": "0.02"}], MASKED,
      "makes a 128x64 with a mask at its price here. Leave out the mask, or ask for 256x128."),
     ([{**OMNI, "price": "0.02"}], Needs(SIZE, masked=False, sources=1),
      "makes a 128x64 at its price here. Ask for 256x128."),
     ([{**OMNI, "price": "1"}], MASKED, "makes a 128x64 with a mask at its price here. Ask another model."),
     ([{**OMNI, "price": "0.02"}], replace(MASKED, size=BIG), ""),
     ([UNMASKED, OMNI], replace(MASKED, quality="auto", background="auto"), "")],
)  # fmt: skip
async def test_what_no_server_does_is_told_with_what_would_do(
    places: list[dict[str, Any]], needs: Needs, words: str
) -> None:
    async with fleet(*places, sizes=(SIZE, BIG), sold=by_size) as engine:
        if not words:
            engine.require("m", needs)
            return
        with pytest.raises(UnsupportedParameter) as refused:
            engine.require("m", needs)
    assert refused.value.sentence().endswith(words)


# ── waiting ─────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def beside_one_left_alone(url: str, breaker: Breaker, pauses: list[float]) -> AsyncIterator[OpenAIEngine]:
    """A fleet of the server there and of one behind this breaker, which has just failed."""

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    places = tuple(UpstreamSettings.model_validate(omni(place)) for place in (url, free()))
    engine = OpenAIEngine(OpenAISettings(health_seconds=0), (Served("m", "m", (SIZE,), places),), sleep=sleep)
    engine.members("m")[1].breaker = breaker
    with pytest.raises(Sick), breaker.call():
        raise Sick(UpstreamFailed("it is down."))
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


async def test_a_wait_is_kept_while_another_server_is_left_alone(servers: Mapping[str, str]) -> None:
    pauses: list[float] = []
    prompt = "simulate once: short rate limit, beside one left alone"
    async with beside_one_left_alone(servers["other"], Breaker(Sick, failures=1), pauses) as engine:
        await engine.edit("m", EditInput((photo(128, 64),), prompt, SIZE))
    assert told(servers["other"], "asked").count(prompt) == 2
    (pause,) = pauses
    assert pause >= 2


async def test_a_wait_is_kept_while_another_server_is_tried_by_somebody_else(servers: Mapping[str, str]) -> None:
    pauses: list[float] = []
    prompt = "simulate once: short rate limit, beside one that is tried"
    breaker = Breaker(Sick, failures=1, seconds=0)
    async with beside_one_left_alone(servers["other"], breaker, pauses) as engine:
        with breaker.call():
            await engine.edit("m", EditInput((photo(128, 64),), prompt, SIZE))
    assert told(servers["other"], "asked").count(prompt) == 2
    assert sum(pauses) >= 2


async def test_our_own_line_takes_nothing_of_a_servers_time(servers: Mapping[str, str]) -> None:
    """One hangs until its time is over; the next in line began to wait with it and is served all the same."""
    place = omni(servers["other"], width=1)
    async with fleet(place, timeout_seconds=4) as engine:
        hangs = asyncio.create_task(engine.edit("m", EditInput((photo(128, 64),), "hold: the line", SIZE)))
        async with asyncio.timeout(30):
            while "hold: the line" not in await asyncio.to_thread(told, servers["other"], "asked"):
                pass
        waits = await engine.edit("m", EditInput((photo(128, 64),), "in the line", SIZE))
        with pytest.raises(EditTimeout):
            await hangs
    assert len(waits.images) == 1
