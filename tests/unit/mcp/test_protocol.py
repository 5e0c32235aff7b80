"""JSON-RPC over lines: what is answered, in which words, and what is never answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush.mcp.protocol import INVALID_PARAMS, Call, Params, RpcError, Wire


class Echo:
    """Answers `echo` with its params, `ask` with the client's answer, `hang` never; breaks on `break`."""

    def __init__(self) -> None:
        self.surprises: list[Exception] = []
        self.cancelled = 0

    async def request(self, call: Call, method: str, params: Params) -> Mapping[str, Any]:
        match method:
            case "echo":
                call.progress("echoing")
                return params
            case "ask":
                return await call.ask("question", {"q": 1})
            case "hang":
                try:
                    await asyncio.Event().wait()
                finally:
                    self.cancelled += 1
            case "break":
                raise ZeroDivisionError
        raise RpcError(INVALID_PARAMS, "no such thing")

    def surprise(self, error: Exception) -> None:
        self.surprises.append(error)


class Line:
    """A wire whose other end is a list."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.echo = Echo()
        self.wire = Wire(self.echo, lambda data: self.sent.append(json.loads(data)))

    async def say(self, *messages: Any) -> list[dict[str, Any]]:
        for message in messages:
            self.wire.receive(message if isinstance(message, bytes) else json.dumps(message).encode())
        for _ in range(10):
            await asyncio.sleep(0)
        sent, self.sent[:] = list(self.sent), []
        return sent


def request(method: str, number: Any = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


async def test_requests_are_answered_by_their_id() -> None:
    line = Line()
    assert await line.say(request("echo", "a", x=1), request("nothing", 2), request("break", 3)) == [
        {"jsonrpc": "2.0", "id": "a", "result": {"x": 1}},
        {"jsonrpc": "2.0", "id": 2, "error": {"code": -32602, "message": "no such thing"}},
        {
            "jsonrpc": "2.0",
            "id": 3,
            "error": {"code": -32603, "message": "Something broke in tollbrush; its log on stderr says what."},
        },
    ]
    assert [type(error) for error in line.echo.surprises] == [ZeroDivisionError]


@pytest.mark.parametrize("token", ["t", 7])
async def test_progress_goes_to_who_wants_it(token: str | int) -> None:
    first, _ = await Line().say(request("echo", _meta={"progressToken": token}))
    assert first["method"] == "notifications/progress"
    assert first["params"] == {"progressToken": token, "progress": 1, "message": "echoing"}


async def test_a_cancelled_request_is_not_answered() -> None:
    line = Line()
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    assert await line.say(request("hang")) == []
    assert await line.say(cancel, cancel) == [] and line.echo.cancelled == 1
    assert await line.say(request("hang"), cancel) == [], "before it began"
    assert await line.say(request("echo")) == [{"jsonrpc": "2.0", "id": 1, "result": {}}], "the id is free again"


async def test_a_question_to_the_client() -> None:
    line = Line()
    (asked,) = await line.say(request("ask"))
    assert asked == {"jsonrpc": "2.0", "id": 1, "method": "question", "params": {"q": 1}}
    assert await line.say({"jsonrpc": "2.0", "id": 99, "result": {}}) == []
    (answer,) = await line.say({"jsonrpc": "2.0", "id": 1, "result": {"a": 2}})
    assert answer["result"] == {"a": 2}
    assert await line.say({"jsonrpc": "2.0", "id": 1, "result": {"a": 3}}) == [], "answered once"
    for wrong in ({"error": {"code": 1, "message": "no"}}, {"result": 5}):
        (asked,) = await line.say(request("ask"))
        (answer,) = await line.say({"jsonrpc": "2.0", "id": asked["id"], **wrong})
        assert "error" in answer


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 5000 + b"]" * 5000, -32600),
        (b"[]", -32600),
        (b"7", -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"echo"}', None),
        (b'{"jsonrpc":"2.0","id":1,"method":"echo","params":[]}', -32602),
        (b'{"jsonrpc":"2.0","method":"notifications/initialized"}', None),
        (b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[]}}', None),
    ],
)
async def test_what_is_no_request(raw: bytes, code: int | None) -> None:
    sent = await Line().say(raw)
    assert [message["error"]["code"] for message in sent] == ([] if code is None else [code])


async def test_an_id_that_is_at_work_is_refused() -> None:
    line = Line()
    (refused,) = await line.say(request("hang"), request("echo"))
    assert refused["error"]["code"] == -32600


@settings(max_examples=100)
@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_no_line_breaks_it(raw: bytes) -> None:
    async def run() -> None:
        line = Line()
        await line.say(raw)
        assert (await line.say(request("echo", 5)))[-1]["result"] == {}

    asyncio.run(run())
