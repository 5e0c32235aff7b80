"""The page as it is served: one document that knows its server, hashed assets, and nothing from elsewhere."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tollbrush.errors import TollbrushError
from tollbrush.gateway import problems
from tollbrush.page import Page, facts
from tollbrush.settings import NetworkSettings, Settings

FACTS = {"role": "router", "token": """a"b<script>'&"""}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<head><meta name="tollbrush" content="" /></head>')
    (tmp_path / "assets/index-abc.js").write_text("export {}")
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("not for you")
    return tmp_path


def client(folder: Path, **options: object) -> TestClient:
    page = Page(FACTS, folder=folder, **options)  # type: ignore[arg-type]
    return TestClient(
        Starlette(routes=page.routes(), exception_handlers={TollbrushError: problems.on_tollbrush_error}),
        raise_server_exceptions=False,
    )


def test_the_document_is_told_who_serves_it(folder: Path) -> None:
    answer = client(folder).get("/")
    told = re.search(r'<meta name="tollbrush" content="([^"<>]*)" />', answer.text)
    assert told is not None
    assert json.loads(html.unescape(told[1])) == FACTS
    assert answer.headers["cache-control"] == "no-store"  # it may carry a token


def test_nothing_inline_and_nothing_from_elsewhere(folder: Path) -> None:
    said = client(folder).get("/").headers["content-security-policy"]
    policy = {name: rest.split() for name, _, rest in (part.partition(" ") for part in said.split("; "))}
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert "unsafe" not in said


def test_pictures_may_come_from_the_public_name_too(folder: Path) -> None:
    said = client(folder, origins=["https://edit.example"]).get("/").headers["content-security-policy"]
    assert "img-src 'self' https://edit.example blob: data:" in said
    assert "script-src 'self';" in said


def test_assets_are_immutable(folder: Path) -> None:
    answer = client(folder).get("/assets/index-abc.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert client(folder).get("/icon.svg").text == "<svg/>"


@pytest.mark.parametrize("name", ["nothing.js", "..%2fsecret.txt", "%2e%2e", ".hidden.js", "a/b.js", "index-abc.js%00"])
def test_other_names_are_not_there(folder: Path, name: str) -> None:
    answer = client(folder).get(f"/assets/{name}")
    assert answer.status_code == 404
    assert "not for you" not in answer.text


def test_unbuilt_it_says_how_to_build_it(tmp_path: Path) -> None:
    answer = client(tmp_path).get("/")
    assert answer.status_code == 200
    assert "has not been built" in answer.text


def test_no_explorer_knows_a_chain_on_this_machine() -> None:
    networks = {"base-sepolia": NetworkSettings(rpc_url="http://127.0.0.1:8545")}
    rows = {row["v1"]: row for row in facts("gateway", Settings(networks=networks))["networks"]}
    assert rows["base-sepolia"]["explorer"] == ""
    assert rows["base"]["explorer"] == "https://basescan.org/tx/{}"
