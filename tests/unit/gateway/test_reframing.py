"""Words that change the frame: what comes out is what was priced, at the gateway's own routes and in the editing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import numpy as np
import pytest

from support.pictures import data_uri, photo
from tollbrush.domain.catalog import STUDIO
from tollbrush.domain.edits import EditRequest, Size
from tollbrush.editing.pixels import finish, prepare
from tollbrush.engines.interface import EditedImage
from tollbrush.engines.studio.engine import StudioEngine
from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.gateway.app import Seams, create_app
from tollbrush.settings import LimitSettings, Settings, StudioSettings

NETWORKS = {
    "base-sepolia": {"pay_to": "0x" + "11" * 20, "settle_key": "0x" + "22" * 32, "rpc_url": "http://127.0.0.1:9"}
}
QUOTE, EDIT = "/v1/images/quote", "/v1/images/image2image"


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    settings = Settings(data_dir=tmp_path, networks=NETWORKS)
    app = create_app(settings, Seams(engines=lambda _: [StudioEngine(StudioSettings(workers=1))]))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost:8401") as client:
        yield client
    await app.state.close()


async def quoted(gateway: httpx2.AsyncClient, prompt: str, width: int, height: int) -> httpx2.Response:
    return await gateway.post(
        QUOTE, json={"model": STUDIO, "prompt": prompt, "size": "auto", "width": width, "height": height}
    )


@pytest.mark.parametrize(
    ("prompt", "size"),
    [("rotate it 90 degrees", "600x1000"), ("crop it to a square", "600x600"), ("enlarge it 2 times", "2000x1200"),
     ("make it sepia", "1000x600"), ("enlarge it 2 times and make it sepia", "2000x1200")],
)  # fmt: skip
async def test_the_price_is_of_the_size_that_comes_out(gateway: httpx2.AsyncClient, prompt: str, size: str) -> None:
    answer = await quoted(gateway, prompt, 1000, 600)
    assert (answer.status_code, answer.json()["size"]) == (200, size)


async def test_enlarging_costs_what_the_larger_picture_costs(gateway: httpx2.AsyncClient) -> None:
    kept, enlarged = [(await quoted(gateway, p, 1000, 1000)).json() for p in ("make it sepia", "enlarge it 3 times")]
    assert int(enlarged["accepts"][0]["amount"]) > int(kept["accepts"][0]["amount"])


async def test_larger_than_is_sold_is_refused_before_any_price(gateway: httpx2.AsyncClient) -> None:
    answer = await quoted(gateway, "enlarge it 4 times", 1200, 900)
    assert (answer.status_code, answer.json()["code"]) == (400, "cannot_honour")
    assert "4800x3600" in answer.json()["message"]
    body = {"model": STUDIO, "prompt": "enlarge it 4 times", "image": data_uri(photo(1200, 900))}
    assert (await gateway.post(EDIT, json=body)).status_code == 400


@pytest.mark.parametrize("asked", [None, Size(64, 64)])
def test_the_source_is_given_as_it_is_and_the_answer_brought_to_the_size_asked_for(asked: Size | None) -> None:
    prompt, engine = "rotate it 90 degrees", StudioEngine(StudioSettings(workers=1))
    request = EditRequest(model=STUDIO, prompt=prompt, sources=(photo(96, 64),), size=asked, seed=1)
    frame = engine.reframe(prompt, Size(96, 64))
    assert frame == Size(64, 96)
    prepared = prepare(request, engine.capabilities("studio"), None, LimitSettings(), frame)
    source = prepared.input.sources[0]
    assert source.shape[:2] == (64, 96)
    (turned,) = perform(understand(prompt, masked=False), source, None, [1])
    assert np.array_equal(turned, np.rot90(source, -1))
    finished = finish(prepared, EditedImage(turned))
    assert Size(finished.width, finished.height) == (asked or frame)
