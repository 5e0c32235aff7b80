"""What the router reads, and what it never gives away."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tollbrush.client.files import allowed_roots
from tollbrush.errors import BadRequest, BadSettings
from tollbrush.router.app import create_router
from tollbrush.router.fetch import Fetcher
from tollbrush.router.sources import Sources
from tollbrush.settings import LimitSettings, RouterSettings, Settings


def png(width: int = 1, height: int = 1) -> bytes:
    """A grey PNG by hand."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x80" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PNG = png()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, also the working folder, with a picture; beside it a folder that is not allowed."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "photo.png").write_bytes(PNG)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.png").write_bytes(PNG)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    return home


def sources(home: Path, **limits: int) -> Sources:
    return Sources(RouterSettings(allowed_roots=(home,)), LimitSettings(**limits))


@pytest.mark.parametrize(
    "name", ["~/photo.png", "photo.png", "./photo.png", "../home/photo.png", "sub/../photo.png", "file://{home}/photo.png"]
)  # fmt: skip
async def test_a_file_is_read_however_it_is_named(home: Path, name: str) -> None:
    (home / "sub").mkdir()
    assert await sources(home).read(name.format(home=home), path="image") == PNG


ODD = [
    "my photo.png",
    'it\'s "mine".png',
    "фото 写真.png",
    "two\nlines.png",
    "-rf.png",
    "%41.png",
    "a:b.png",
    "$(x).png",
]


@pytest.mark.parametrize("name", ODD)
async def test_odd_names_are_names(home: Path, name: str) -> None:
    (home / name).write_bytes(PNG)
    assert await sources(home).read(name, path="image") == PNG
    assert await sources(home).read(str(home / name), path="image") == PNG


async def test_a_data_uri_is_read(home: Path) -> None:
    for head in ("data:image/png;base64,", "DATA:;BASE64,"):
        assert await sources(home).read(head + base64.b64encode(PNG).decode(), path="image") == PNG


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing.png", "does not exist"),
        ("photo.png/inside", "does not exist"),
        ("folder", "is a folder"),
        (".", "is a folder"),
        ("", "is a folder"),
        ("pipe", "is a device or a pipe"),
        ("/dev/zero", "outside the folders"),
        ("/etc/passwd", "outside the folders"),
        ("/no/such/folder/a.png", "outside the folders"),
        ("../outside/missing.png", "outside the folders"),
        ("../outside/secret.png", "outside the folders"),
        ("{outside}/secret.png", "outside the folders"),
        ("link.png", "outside the folders"),
        ("linked/secret.png", "outside the folders"),
        ("loop", "goes in circles"),
        ("dangling", "does not exist"),
        ("~nobody-of-that-name/a.png", "does not exist"),
        ("nul\0.png", "is not a path"),
        ("x" * 5000, "neither a data URI"),
        ("words.png", "not a PNG, JPEG, WebP or GIF"),
        ("empty.png", "mask"),
        ("script.png", "not a PNG, JPEG, WebP or GIF"),
        ("ftp://example.org/a.png", "does not exist"),
        ("javascript:alert(1)", "does not exist"),
        ("data:text/plain,hello", "not a base64 data URI"),
        ("data:image/png;base64,aGVsbG8=", "not a PNG, JPEG, WebP or GIF"),
        ("http://127.0.0.1:9/a.png", "is not a public address"),
        ("HTTP://LOCALHOST:9/a.png", "is not a public address"),
        ("file://localhost/etc/passwd", "outside the folders"),
    ],
)
async def test_the_rest_is_refused_and_says_why(home: Path, name: str, says: str) -> None:
    outside = home.parent / "outside"
    (home / "folder").mkdir()
    os.mkfifo(home / "pipe")
    (home / "link.png").symlink_to(outside / "secret.png")
    (home / "linked").symlink_to(outside)
    (home / "loop").symlink_to(home / "loop")
    (home / "dangling").symlink_to(home / "nothing")
    (home / "words.png").write_text("-----BEGIN PRIVATE KEY-----")
    (home / "empty.png").write_bytes(b"")
    (home / "script.png").write_bytes(b"%!PS-Adobe-3.0\n")
    with pytest.raises(BadRequest, match=says) as caught:
        await sources(home).read(name.format(outside=outside), path="mask")
    assert caught.value.path == "mask" and "PRIVATE KEY" not in caught.value.sentence()


async def test_a_link_that_stays_inside_is_followed(home: Path) -> None:
    (home / "inside.png").symlink_to(home / "photo.png")
    assert await sources(home).read("inside.png", path="image") == PNG


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
async def test_an_unreadable_file_is_said(home: Path) -> None:
    (home / "photo.png").chmod(0)
    with pytest.raises(BadRequest, match="may not be read"):
        await sources(home).read("photo.png", path="image")


async def test_a_socket_is_no_file(home: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        with pytest.raises(BadRequest, match="'s'"):
            await sources(home).read("s", path="image")


async def test_a_device_below_a_root_is_refused(home: Path) -> None:
    everywhere = Sources(RouterSettings(allowed_roots=(Path("/dev"),)), LimitSettings())
    with pytest.raises(BadRequest, match="is a device or a pipe"):
        await everywhere.read("/dev/zero", path="image")


async def test_caps_on_bytes_and_pixels(home: Path) -> None:
    with pytest.raises(BadRequest, match=f"{len(PNG)} bytes; at most 20"):
        await sources(home, image_bytes=20).read("photo.png", path="image")
    (home / "wide.png").write_bytes(png(30, 10))
    with pytest.raises(BadRequest, match="300 pixels"):
        await sources(home, image_pixels=299).read("wide.png", path="image")
    assert await sources(home, image_pixels=300).read("wide.png", path="image")


async def test_a_fetched_body_must_be_a_picture(home: Path) -> None:
    bodies = [PNG, b"<html>admin</html>"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = bodies.pop(0)
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        reading = Sources(RouterSettings(extra_hosts=(host,)), LimitSettings())
        assert await reading.read(f"http://{host}/a.png", path="image") == PNG
        with pytest.raises(BadRequest, match="not a PNG"):
            await reading.read(f"http://{host}/a.png", path="image")


def test_the_default_roots(home: Path) -> None:
    roots = allowed_roots(())
    assert home.resolve() in roots and Path("/tmp").resolve() in roots
    assert allowed_roots((home / "nowhere",)) == ()


async def test_no_root_allows_nothing(home: Path) -> None:
    closed = Sources(RouterSettings(allowed_roots=(home / "nowhere",)), LimitSettings())
    with pytest.raises(BadRequest, match="outside the folders"):
        await closed.read("photo.png", path="image")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
async def test_any_reference_is_a_picture_or_a_refusal(home: Path, text: str) -> None:
    reading = Sources(RouterSettings(allowed_roots=(home,)), LimitSettings(), fetcher=Fetcher(max_bytes=1))
    try:
        assert await reading.read(text, path="image") == PNG
    except BadRequest as refused:
        assert refused.message


def test_a_program_that_works_in_the_root_folder_allows_not_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert Path("/") not in allowed_roots(())
    assert allowed_roots((Path("/"),)) == (Path("/"),), "unless its owner says so"


@pytest.mark.parametrize("place", ["http://192.168.1.5:8000", "192.168.1.5", ":8000", "nas:http", ""])
def test_who_may_be_fetched_from_is_named_with_a_port(tmp_path: Path, place: str) -> None:
    with pytest.raises(BadSettings, match="takes HOST:PORT"):
        create_router(Settings(data_dir=tmp_path, router=RouterSettings(extra_hosts=(place,))))
