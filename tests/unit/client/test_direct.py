"""Our own transport against servers that answer as servers do, and as they should not."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx2
import pytest

from tollbrush.client.direct import Direct

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
LARGE = bytes(range(256)) * 20_000


class Server:
    """Answers the requests of each connection with `replies` in turn, then hangs up; b"" answers nothing."""

    def __init__(self, replies: Sequence[bytes], *, hang_up: bool) -> None:
        self.replies, self._hang_up = replies, hang_up
        self.connections, self.heard = 0, list[bytes]()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            for reply in self.replies:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
                self.heard.append(head + await reader.readexactly(length))
                writer.write(reply)
                await writer.drain()
            if not self._hang_up:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def served(*replies: bytes, hang_up: bool = False) -> AsyncIterator[tuple[Server, httpx2.AsyncClient]]:
    made = Server(replies, hang_up=hang_up)
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with httpx2.AsyncClient(transport=Direct(), base_url=made.url, timeout=10) as http:
        yield made, http
    listening.close()


async def test_bodies_go_up_and_come_down_whole_over_one_connection() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-A: 1\r\n\r\n" % len(LARGE) + LARGE
    async with served(reply, OK) as (server, http):
        answer = await http.post("/a?b=c", content=LARGE, headers={"x-b": "2"})
        assert (answer.status_code, answer.content, answer.headers["x-a"]) == (200, LARGE, "1")
        assert (await http.get("/")).text == "hello"
    head, _, body = server.heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /a?b=c HTTP/1.1\r\n") and b"x-b: 2" in head and body == LARGE
    assert server.connections == 1


@pytest.mark.parametrize(
    ("reply", "hang_up"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nx: y\r\n\r\n", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK, False),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", True),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", True),
        (
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b"
            % (len(gzip.compress(b"hello", mtime=0)), gzip.compress(b"hello", mtime=0)),
            False,
        ),
    ],
)
async def test_ways_to_frame_an_answer(reply: bytes, hang_up: bool) -> None:
    async with served(reply, hang_up=hang_up) as (_, http):
        answer = await http.get("/")
    assert (answer.status_code, answer.text) == (200, "hello") and "link" not in answer.headers


@pytest.mark.parametrize(("method", "head"), [("HEAD", b"200 OK\r\ncontent-length: 5"), ("GET", b"204 No Content")])
async def test_answers_without_a_body(method: str, head: bytes) -> None:
    async with served(b"HTTP/1.1 " + head + b"\r\n\r\n") as (_, http):
        assert (await http.request(method, "/")).content == b""


@pytest.mark.parametrize(
    "reply",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello",
        b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 60_000,
        b"HTTP/1.1 200 OK\r\nx-a: " + b"b" * 600_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 30_000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n" + b"x-a: b\r\n" * 100_000,
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhello",
    ],
)
async def test_what_is_no_answer(reply: bytes) -> None:
    async with served(reply) as (_, http):
        with pytest.raises(httpx2.RemoteProtocolError):
            await http.get("/")


@pytest.mark.parametrize("reply", [b"", OK[:-2], b"HTTP/1.1 200", OK[:40]])
async def test_a_server_that_hangs_up(reply: bytes) -> None:
    async with served(reply, hang_up=True) as (_, http):
        with pytest.raises(httpx2.ReadError):
            await http.get("/")


async def test_an_answer_to_nothing_is_never_taken_for_the_next() -> None:
    """What comes after an answer belongs to nobody: the connection is used no more."""
    async with served(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", OK) as (server, http):
        assert (await http.get("/")).text == "hello"
        assert (await http.get("/")).text == "hello"
    assert server.connections == 2


async def test_what_must_not_be_kept() -> None:
    closing = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello"
    async with served(closing, OK) as (server, http):
        for _ in range(2):
            assert (await http.get("/")).text == "hello"
        assert server.connections == 2
        async with http.stream("GET", "/") as unread:
            assert unread.status_code == 200
        assert (await http.get("/")).text == "hello"


async def test_a_silent_server_is_left() -> None:
    async with served(b"") as (_, http):
        with pytest.raises(httpx2.ReadTimeout):
            await http.get("/", timeout=0.05)
    async with served(OK[:-2]) as (_, http):
        with pytest.raises(httpx2.ReadTimeout):
            await http.get("/", timeout=0.05)


async def test_no_server_and_no_address() -> None:
    async with served(OK) as (server, http):
        url = server.url
        with pytest.raises(httpx2.UnsupportedProtocol):
            await http.get("ftp://127.0.0.1/")
    async with httpx2.AsyncClient(transport=Direct()) as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get(url)
        with pytest.raises(httpx2.ConnectError):
            await http.get("http://nowhere.invalid/")
        with pytest.raises(httpx2.ConnectError):
            await http.get(url.replace("http", "https"))


async def test_a_cancelled_call_leaves_no_slot_taken() -> None:
    async with served(b"", b"") as (server, http):
        calls = [asyncio.ensure_future(http.get("/", timeout=60)) for _ in range(100)]
        while len(server.heard) < 100:  # noqa: ASYNC110 - the server's own count
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        server.replies = [OK]
        assert (await http.get("/")).text == "hello"


async def test_no_header_breaks_a_line() -> None:
    async with served(OK) as (server, http):
        with pytest.raises((httpx2.LocalProtocolError, ValueError)):
            await http.get("/", headers={"x-a": "1\r\nx-payment: 2"})
    assert not server.heard
