"""Whose limit ends an edit: the engine's own, so that it learns which of its servers hangs."""

from __future__ import annotations

from pydantic import SecretStr

from support import openai_simulator
from support.pictures import photo
from tollbrush.domain.catalog import GPT_IMAGE_1, Catalog
from tollbrush.domain.edits import EditRequest, Size
from tollbrush.domain.jobs import HostedImage
from tollbrush.editing.progress import Track
from tollbrush.editing.runner import Runner
from tollbrush.engines.openai import OpenAIEngine
from tollbrush.errors import EditTimeout, Unavailable
from tollbrush.settings import LimitSettings, OpenAISettings
from tollbrush.storage.memory import MemoryImages

SQUARE = Size(1024, 1024)


async def record(images: tuple[HostedImage, ...]) -> None:
    raise AssertionError("nothing is hosted")


async def test_a_server_that_never_answers_is_left_alone_after_a_few_edits() -> None:
    runner, model = Runner(MemoryImages(), limits=LimitSettings()), Catalog.build(frozenset()).models[GPT_IMAGE_1]
    request = EditRequest(None, "hold: for ever", (photo(64, 64),))
    with openai_simulator.simulated() as url:
        engine = OpenAIEngine(
            OpenAISettings(api_key=SecretStr(openai_simulator.KEY), base_url=url, timeout_seconds=0.2, health_seconds=0)
        )
        await engine.start()
        heard: list[type[Exception]] = []
        for turn in range(6):
            try:
                await runner.run(
                    f"j{turn}", engine, model, SQUARE, request, record, track=Track(), seconds=60
                )  # fmt: skip
            except (EditTimeout, Unavailable) as failure:
                heard.append(type(failure))
        await engine.close()
    assert heard == [EditTimeout] * 5 + [Unavailable]
