"""Both ways of speaking HTTP answer alike, whatever the server does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tollbrush.payments.pooled import PooledWeb
from tollbrush.payments.web import MAX_ANSWER, LightWeb, NoAnswer, Web, trusts_environment

Make = Callable[[str, float], Web]
both = pytest.mark.parametrize("make", [LightWeb, PooledWeb])


@asynccontextmanager
async def server(answer: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Its URL, and what it was sent. Without an answer it is silent."""
    heard: list[bytes] = []
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while head := await reader.readuntil(b"\r\n\r\n"):
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            heard.append(
                head.split(b"\r\n")[0] + b"|" + await reader.readexactly(int(fields.get(b"content-length", 0)))
            )
            if answer is not None:
                writer.write(answer)

    async def calm(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    listening = await asyncio.start_server(calm, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", heard
    finally:
        listening.close()
        for writer in connections:
            writer.close()


def reply(content: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}content-length: {len(content)}\r\n\r\n".encode() + content


@both
async def test_an_answer_and_what_was_asked(make: Make) -> None:
    async with server(reply(b"{}", "402 Payment Required")) as (url, heard):
        web = make(url, 5.0)
        assert await web.send("POST", "/verify", b"[1]") == (402, b"{}")
        assert await web.send("GET", "/supported") == (402, b"{}")
        await web.close()
    assert heard == [b"POST /verify HTTP/1.1|[1]", b"GET /supported HTTP/1.1|"]


@both
async def test_no_redirect_is_followed(make: Make) -> None:
    async with server(reply(b"", "307 Temporary Redirect", "location: http://127.0.0.1:9/\r\n")) as (url, _):
        web = make(url, 5.0)
        assert await web.send("POST", body=b"{}") == (307, b"")
        await web.close()


@both
async def test_silence_ends(make: Make) -> None:
    async with server(None) as (url, _):
        web = make(url, 0.05)
        with pytest.raises(NoAnswer, match="timeout"):
            await web.send("POST", body=b"{}")
        await web.close()


@both
@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://127.0.0.1:x", "no url"])
async def test_nobody_is_there(make: Make, url: str) -> None:
    web = make(url, 5.0)
    with pytest.raises(NoAnswer, match="unreachable"):
        await web.send("POST", body=b"{}")
    await web.close()


@both
@pytest.mark.parametrize(
    "answer", [b"what?\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}"]
)
async def test_what_is_no_answer(make: Make, answer: bytes) -> None:
    async with server(answer) as (url, _):
        web = make(url, 5.0)
        with pytest.raises(NoAnswer, match="unreachable"):
            await web.send("POST", body=b"{}")
        await web.close()


@both
async def test_an_answer_without_end(make: Make) -> None:
    async with server(reply(b" " * (MAX_ANSWER + 1))) as (url, _):
        web = make(url, 5.0)
        with pytest.raises(NoAnswer, match="answer_too_large"):
            await web.send("POST", body=b"{}")
        await web.close()


@pytest.mark.parametrize(
    ("url", "may"), [("http://127.0.0.1:8545", False), ("http://[::1]/", False), ("https://node.example", True)]
)
def test_no_proxy_before_this_machine(url: str, may: bool) -> None:
    assert trusts_environment(url) is may
