"""Fetching by URL: public addresses only, whatever names, redirects and bodies try."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tollbrush.errors import BadRequest
from tollbrush.router.fetch import Fetcher, is_public

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: bytes | Serve) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A bare HTTP server on loopback: its port, and the requests it saw."""
    seen: list[bytes] = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


def fetcher(*extra: str, max_bytes: int = 1000, seconds: float = 20.0) -> Fetcher:
    return Fetcher(max_bytes=max_bytes, seconds=seconds, extra_hosts=extra)


def ok(body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def moved(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_an_extra_host_is_fetched() -> None:
    async with serving(ok(b"picture")) as (port, seen):
        url = f"http://127.0.0.1:{port}/a%20b.png?x=1#fragment"
        assert await fetcher(f"127.0.0.1:{port}").get(url, path="image") == b"picture"
    assert seen[0].startswith(b"GET /a%20b.png?x=1 HTTP/1.1\r\n") and f"127.0.0.1:{port}".encode() in seen[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1"])
async def test_loopback_is_refused_however_it_is_spelled(host: str) -> None:
    async with serving(ok(b"secret")) as (port, seen):
        with pytest.raises(BadRequest, match=r"is not a public address|is not known"):
            await fetcher().get(f"http://{host}:{port}/", path="image")
    assert not seen


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/a.png", "https://[fe80::1]/a.png", "http://[::1]/"],
)
async def test_private_networks_are_refused(url: str) -> None:
    with pytest.raises(BadRequest, match="is not a public address"):
        await fetcher().get(url, path="image")


async def test_a_name_with_one_private_address_is_refused() -> None:
    async def rebinding(host: str, port: int) -> list[str]:
        return ["8.8.8.8", "127.0.0.1"]

    with pytest.raises(BadRequest, match=r"'pictures.example' is not a public address"):
        await Fetcher(max_bytes=10, resolve=rebinding).get("http://pictures.example/a.png", path="image")


async def test_the_checked_address_is_the_one_connected_to() -> None:
    """A name that resolves to another address the second time: there is no second time."""
    asked: list[str] = []

    async def flipping(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with serving(ok(b"picture")) as (port, seen):
        fetch = Fetcher(max_bytes=10, extra_hosts=[f"pictures.example:{port}"], resolve=flipping)
        assert await fetch.get(f"http://pictures.example:{port}/a.png", path="image") == b"picture"
    assert asked == ["pictures.example"] and f"host: pictures.example:{port}".encode() in seen[0].lower()


async def test_a_redirect_to_a_private_address_is_refused() -> None:
    async with (
        serving(ok(b"secret")) as (hidden, hidden_seen),
        serving(moved(f"http://127.0.0.1:{hidden}/secret")) as (port, seen),
    ):
        with pytest.raises(BadRequest, match=r"'127\.0\.0\.1' is not a public address"):
            await fetcher(f"127.0.0.1:{port}").get(f"http://127.0.0.1:{port}/a", path="image")
    assert len(seen) == 1 and not hidden_seen


async def test_a_redirect_within_what_is_allowed_is_followed() -> None:
    async with serving(ok(b"picture")) as (there, _), serving(moved(f"http://127.0.0.1:{there}/b")) as (port, _):
        fetch = fetcher(f"127.0.0.1:{port}", f"127.0.0.1:{there}")
        assert await fetch.get(f"http://127.0.0.1:{port}/a", path="image") == b"picture"


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("/again", "redirects more than 3 times"),
        ("file:///etc/passwd", "is not an http or https URL"),
        ("gopher://127.0.0.1/", "is not an http or https URL"),
        ("http://me:word@127.0.0.1/", "password"),
    ],
)
async def test_odd_redirects_are_refused(to: str, says: str) -> None:
    async with serving(moved(to)) as (port, seen):
        with pytest.raises(BadRequest, match=says):
            await fetcher(f"127.0.0.1:{port}").get(f"http://127.0.0.1:{port}/a", path="image")
    assert len(seen) <= 4


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (ok(b"x" * 1001), "is larger than"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "is larger than"),
        (ok(b"x", "Content-Encoding: gzip\r\n"), "encoding"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered HTTP 404"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "answered HTTP 204"),
        (b"SSH-2.0-OpenSSH\r\n", "did not answer"),
        (b"", "did not answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "did not answer"),
    ],
)
async def test_bad_answers_are_refused(answer: bytes, says: str) -> None:
    async with serving(answer) as (port, _):
        with pytest.raises(BadRequest, match=says):
            await fetcher(f"127.0.0.1:{port}").get(f"http://127.0.0.1:{port}/a", path="image")


async def test_an_endless_body_is_cut() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            await writer.drain()

    async with serving(endless) as (port, _):
        with pytest.raises(BadRequest, match="is larger than"):
            await fetcher(f"127.0.0.1:{port}", max_bytes=100_000).get(f"http://127.0.0.1:{port}/a", path="image")


async def test_a_body_that_trickles_is_cut() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        await reader.read()  # until the other side hangs up

    async with serving(silent) as (port, _):
        with pytest.raises(BadRequest, match=r"took longer than 0.2 s|did not answer"):
            await fetcher(f"127.0.0.1:{port}", seconds=0.2).get(f"http://127.0.0.1:{port}/a", path="image")


async def test_a_refused_connection_is_said() -> None:
    async with serving(b"") as (port, _):
        pass
    with pytest.raises(BadRequest, match="did not answer"):
        await fetcher(f"127.0.0.1:{port}").get(f"http://127.0.0.1:{port}/a", path="mask")
