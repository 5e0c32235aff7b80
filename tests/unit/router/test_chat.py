"""A streamed chat while the edit takes long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import pytest
from starlette.responses import StreamingResponse

from tollbrush.errors import EditTimeout, NoFunds, PaymentRefused
from tollbrush.router.chat import markdown, read_chat, respond

ANSWER: Mapping[str, Any] = {
    "created": 1,
    "model": "tollbrush/studio",
    "price": {"amount": "0.042000", "currency": "USD"},
    "payment": {"network": "base", "tx_hash": "0xabc", "status": "settled"},
    "data": [{"url": "http://localhost:8402/images/a.png"}, {"url": "http://localhost:8402/images/b.png"}],
}
CALL = read_chat({"messages": [{"role": "user", "content": "/img2img --image a.png hat"}], "stream": True})


async def pieces(response: object) -> AsyncIterator[str]:
    assert isinstance(response, StreamingResponse)
    async for piece in response.body_iterator:
        yield cast(str, piece)


async def test_comments_keep_the_connection_alive_until_it_is_done() -> None:
    done, beats, text = asyncio.Event(), 0, ""

    async def edit() -> Mapping[str, Any]:
        await done.wait()
        return ANSWER

    async for piece in pieces(await respond(CALL, edit, heartbeat=0.001)):
        if piece.startswith(":"):
            beats += 1
            if beats == 3:
                done.set()
        elif piece.startswith("data: {"):
            text += json.loads(piece.removeprefix("data: "))["choices"][0]["delta"].get("content", "")
    assert beats >= 3 and text == markdown(ANSWER)


async def test_a_late_failure_is_an_event() -> None:
    failing = asyncio.Event()

    async def edit() -> Mapping[str, Any]:
        await failing.wait()
        raise EditTimeout("too slow.")

    said = []
    async for piece in pieces(await respond(CALL, edit, heartbeat=0.001)):
        failing.set()
        said.append(piece)
    assert json.loads(said[-2].removeprefix("data: "))["error"]["code"] == "timeout" and said[-1] == "data: [DONE]\n\n"


async def test_an_early_failure_is_raised_for_its_status() -> None:
    async def edit() -> Mapping[str, Any]:
        raise NoFunds("empty.")

    with pytest.raises(NoFunds):
        await respond(CALL, edit)


async def test_a_gateways_402_is_never_passed_on() -> None:
    failing = asyncio.Event()

    async def edit() -> Mapping[str, Any]:
        await failing.wait()
        raise PaymentRefused("no.", reason="insufficient_funds")

    said = ""
    async for piece in pieces(await respond(CALL, edit, heartbeat=0.001)):
        failing.set()
        said += piece
    assert '"code": "no_funds"' in said


def test_the_answer_in_markdown() -> None:
    text = markdown(ANSWER)
    assert text.count("![edited picture](http://localhost:8402/images/") == 2
    assert text.endswith("$0.042 · tollbrush/studio · paid on base, transaction `0xabc`")
    assert "not charged again" in markdown({**ANSWER, "replayed": True})
    free = markdown({"model": "m", "data": []})
    assert free == "m"
