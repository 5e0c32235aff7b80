"""Attacks on the router's door."""

from __future__ import annotations

import stat
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tollbrush.router.guard import Guard, load_token

TOKEN = "the-token"
JSON = {"content-type": "application/json"}


async def _reached(request: Request) -> PlainTextResponse:
    return PlainTextResponse("reached")


def caller(host: str = "localhost:8402", peer: str = "127.0.0.1") -> httpx2.AsyncClient:
    app = Starlette(routes=[Route("/x", _reached, methods=["GET", "POST", "DELETE", "PUT", "OPTIONS"])])
    guarded = Guard(app, token=TOKEN, max_body=100)
    transport = httpx2.ASGITransport(app=guarded, client=(peer, 5000))
    return httpx2.AsyncClient(transport=transport, base_url=f"http://{host}")


async def ask(method: str, headers: dict[str, str], *, body: bytes = b"", host: str = "localhost:8402") -> str:
    async with caller(host) as http:
        response = await http.request(method, "/x", headers=headers, content=body)
    return "reached" if response.text == "reached" else f"{response.status_code} {response.json()['code']}"


@pytest.mark.parametrize("host", ["localhost:8402", "127.0.0.1:8402", "[::1]:8402", "LOCALHOST", "127.0.0.1:9"])
async def test_programs_of_this_machine_pass(host: str) -> None:
    assert await ask("GET", {}, host=host) == "reached"
    assert await ask("POST", JSON, body=b"{}", host=host) == "reached"


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "attacker.example:8402",
        "localhost.attacker.example:8402",
        "app.localhost:8402",
        "127.0.0.1.nip.io:8402",
        "0.0.0.0:8402",
        "192.168.1.5:8402",
        "localhost:84x2",
        "",
    ],
)
async def test_a_foreign_host_is_421(host: str) -> None:
    for method in ("GET", "POST"):
        assert await ask(method, JSON | {"host": host}) == "421 wrong_host"


async def test_two_hosts_are_421() -> None:
    async with caller() as http:
        response = await http.get("/x", headers=[("host", "localhost:8402"), ("host", "evil.example")])
    assert response.status_code == 421


@pytest.mark.parametrize(
    "origin",
    [
        "https://attacker.example",
        "null",
        "http://localhost:3000",
        "https://localhost:8402",
        "http://127.0.0.1:8402",
        "http://localhost:8402.evil.example",
        "chrome-extension://abcdef",
        "",
    ],
)
async def test_a_foreign_origin_is_403_even_with_the_token(origin: str) -> None:
    headers = JSON | {"origin": origin, "x-tollbrush-token": TOKEN}
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        assert await ask(method, headers) == "403 foreign_origin"


async def test_own_page_needs_the_token_to_write() -> None:
    own = JSON | {"origin": "http://localhost:8402"}
    assert await ask("GET", own) == "reached"
    assert await ask("POST", own) == "403 foreign_origin"
    assert await ask("POST", own | {"x-tollbrush-token": "the-tokem"}) == "403 foreign_origin"
    assert await ask("POST", own | {"x-tollbrush-token": TOKEN}) == "reached"
    assert await ask("DELETE", own | {"x-tollbrush-token": TOKEN}) == "reached"


async def test_a_token_of_odd_bytes_is_403() -> None:
    async with caller() as http:
        odd = [(b"origin", b"http://localhost:8402"), (b"x-tollbrush-token", b"th\xe9-token")]
        assert (await http.delete("/x", headers=odd)).status_code == 403


async def test_two_origins_are_403() -> None:
    async with caller() as http:
        both = [("origin", "http://localhost:8402"), ("origin", "https://evil.example"), ("x-tollbrush-token", TOKEN)]
        assert (await http.get("/x", headers=both)).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_other_sites_embed_nothing_but_may_link(site: str) -> None:
    image = {"sec-fetch-site": site, "sec-fetch-dest": "image"}
    link = {"sec-fetch-site": site, "sec-fetch-dest": "document"}
    assert await ask("GET", image) == "403 foreign_origin"
    assert await ask("GET", link) == "reached"
    assert await ask("POST", JSON | link | {"x-tollbrush-token": TOKEN}) == "403 foreign_origin"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp", "image/png"]
)
async def test_bodies_are_json_or_multipart(kind: str) -> None:
    assert await ask("POST", {"content-type": kind}, body=b"{}") == "400 bad_request"
    assert await ask("PUT", {"content-type": kind}, body=b"{}") == "400 bad_request"


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "multipart/form-data; boundary=x"]
)
async def test_both_kinds_pass(kind: str) -> None:
    assert await ask("POST", {"content-type": kind}, body=b"{}") == "reached"


@pytest.mark.parametrize("length", ["101", "9" * 30, "-1", "ten", "1_0", "٣"])
async def test_a_body_over_the_limit_is_413_before_it_is_read(length: str) -> None:
    async with caller() as http:
        headers = [(b"content-type", b"application/json"), (b"content-length", length.encode())]
        response = await http.request("POST", "/x", headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("peer", ["192.168.1.7", "8.8.8.8", "fe80::1%eth0", "::ffff:10.0.0.1"])
async def test_other_machines_are_403(peer: str) -> None:
    async with caller(peer=peer) as http:
        assert (await http.get("/x")).status_code == 403


async def test_every_answer_is_hardened_and_none_has_cors() -> None:
    async with caller() as http:
        good, bad = await http.get("/x"), await http.get("/x", headers={"origin": "https://evil.example"})
        preflight = await http.options(
            "/x", headers={"origin": "https://evil.example", "access-control-request-method": "POST"}
        )
    for response in (good, bad, preflight):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cross-origin-resource-policy"] == "same-origin"
        assert not [name for name in response.headers if name.startswith("access-control-")]


def test_the_token_is_private_and_lasts(tmp_path: Path) -> None:
    token = load_token(tmp_path / "data")
    assert len(token) >= 40 and load_token(tmp_path / "data") == token
    assert load_token(tmp_path / "other") != token
    assert stat.S_IMODE((tmp_path / "data" / "router-token").stat().st_mode) == 0o600
