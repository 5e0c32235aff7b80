"""Attacks on a running router from real pages of another origin, in Chromium: nothing is paid, nothing is read."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from support.browser import needs_browser, open_browser
from support.evm_node import EvmNode
from support.paid_server import PaidServer, png
from support.servers import free_port, running
from tollbrush.payments.wallet import load_or_create
from tollbrush.settings import Settings

pytestmark = [pytest.mark.e2e, needs_browser]

SECRET = "tollbrush-router"  # in /health: what a page that can read would see


@dataclass(frozen=True)
class Target:
    url: str
    port: int
    photo: Path
    gateway: PaidServer
    token: str

    @property
    def history(self) -> list[Any]:
        rows: list[Any] = httpx2.get(f"{self.url}/v1/history").json()["data"]
        return rows


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A funded router on a port of its own, whose gateway takes every payment."""
    folder = tmp_path_factory.mktemp("guard")
    photo = folder / "photo.png"
    photo.write_bytes(png())
    gateway, node = PaidServer(), EvmNode(int(time.time()))
    node.balances[load_or_create(Settings(data_dir=folder / "data")).evm_address.lower()] = 10_000_000
    env = {
        "TOLLBRUSH_DATA_DIR": str(folder / "data"),
        "TOLLBRUSH_NETWORKS": json.dumps({"base-sepolia": {"rpc_url": node.rpc_url}}),
        "TOLLBRUSH_ROUTER__GATEWAY_URL": gateway.url,
        "TOLLBRUSH_ROUTER__ALLOWED_ROOTS": json.dumps([str(folder)]),
    }
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        stack.callback(node.stop)
        stack.callback(gateway.stop)
        command = ["tollbrush", "route", "--port", str(port)]
        stack.enter_context(running(command, f"{url}/health", log=folder / "route.log", env=env))
        yield Target(url, port, photo, gateway, (folder / "data/router-token").read_text().strip())


@pytest.fixture(scope="module")
def evil() -> Iterator[str]:
    """The attacker's own web server: an empty page at every path."""
    with serving_pages() as url:
        yield url


@contextmanager
def serving_pages() -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>evil</title><body>free kittens</body>")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """`evil.example` and `sol.evil.example` are DNS names of the attacker's that resolve to loopback."""
    with open_browser("--host-resolver-rules=MAP *.example 127.0.0.1") as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, target: Target) -> Iterator[Page]:
    """A fresh page; afterwards nothing was bought and nothing was asked of the gateway."""
    context = browser.new_context()
    yield context.new_page()
    context.close()
    assert target.history == []
    assert target.gateway.heard == []


FETCH = """async ({url, options, form}) => {
  if (form) { const data = new FormData(); for (const [k, v] of Object.entries(form)) data.append(k, v);
              options.body = data; }
  try {
    const answer = await fetch(url, options);
    return {type: answer.type, status: answer.status, text: await answer.text()};
  } catch (error) { return {error: String(error)}; }
}"""


def wish(target: Target) -> str:
    return json.dumps({"prompt": "add a hat", "image": str(target.photo)})


POSTS: dict[str, dict[str, Any]] = {
    "json": {"headers": {"content-type": "application/json"}},
    "text": {"headers": {"content-type": "text/plain"}},
    "urlencoded": {"headers": {"content-type": "application/x-www-form-urlencoded"}},
    "no-cors text": {"mode": "no-cors", "headers": {"content-type": "text/plain"}},
    "no-cors without a type": {"mode": "no-cors"},
    "with credentials": {"credentials": "include", "headers": {"content-type": "text/plain"}},
    "with a guessed token": {"headers": {"content-type": "application/json", "x-tollbrush-token": "guess"}},
    "keepalive": {"keepalive": True, "headers": {"content-type": "text/plain"}},
}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
@pytest.mark.parametrize("attack", POSTS)
def test_a_foreign_page_posts(page: Page, evil: str, target: Target, attack: str, host: str) -> None:
    page.goto(evil)
    url = f"http://{host}:{target.port}/v1/images/image2image"
    options = {"method": "POST", "body": wish(target), **POSTS[attack]}
    got = page.evaluate(FETCH, {"url": url, "options": options})
    assert "error" in got or (got["type"], got["status"], got["text"]) == ("opaque", 0, ""), got


@pytest.mark.parametrize("path", ["/v1/images/image2image", "/v1/images/edits", "/v1/chat/completions"])
@pytest.mark.parametrize("mode", ["cors", "no-cors"])
def test_a_foreign_page_posts_multipart(page: Page, evil: str, target: Target, mode: str, path: str) -> None:
    """What a form may send without asking first: the one content type of the router's that needs no preflight."""
    page.goto(evil)
    form = {"prompt": "add a hat", "image": str(target.photo)}
    got = page.evaluate(FETCH, {"url": target.url + path, "options": {"method": "POST", "mode": mode}, "form": form})
    assert "error" in got or (got["type"], got["text"]) == ("opaque", ""), got


@pytest.mark.parametrize("encoding", ["multipart/form-data", "text/plain", "application/x-www-form-urlencoded"])
def test_a_foreign_form_is_submitted(page: Page, evil: str, target: Target, encoding: str) -> None:
    page.goto(evil)
    with page.expect_navigation() as left:
        page.evaluate(
            """([url, encoding, photo]) => {
              const form = document.createElement('form');
              Object.assign(form, {method: 'POST', action: url, enctype: encoding});
              for (const [name, value] of [['prompt', 'add a hat'], ['image', photo]])
                form.append(Object.assign(document.createElement('input'), {name, value}));
              document.body.append(form); form.submit(); }""",
            [f"{target.url}/v1/images/image2image", encoding, str(target.photo)],
        )
    assert left.value is not None
    assert left.value.status == 403
    assert left.value.json()["code"] == "foreign_origin"


@pytest.mark.parametrize("path", ["/v1/history", "/v1/wallet", "/v1/models", "/health", "/"])
@pytest.mark.parametrize("mode", ["cors", "no-cors"])
def test_a_foreign_page_reads(page: Page, evil: str, target: Target, mode: str, path: str) -> None:
    page.goto(evil)
    got = page.evaluate(FETCH, {"url": target.url + path, "options": {"mode": mode}})
    assert "error" in got or (got["type"], got["text"]) == ("opaque", ""), got


@pytest.mark.parametrize("tag", ["img", "script", "link", "iframe", "object"])
def test_a_foreign_page_embeds(page: Page, evil: str, target: Target, tag: str) -> None:
    """No load, no frame whose text could be seen, and each refused by the router itself."""
    answers: list[int] = []
    page.on("response", lambda r: answers.append(r.status) if str(target.port) in r.url else None)
    page.goto(evil)
    got = page.evaluate(
        """([tag, url]) => new Promise(done => {
          const made = document.createElement(tag);
          made.onload = () => done(tag === 'iframe' || tag === 'object' ? String(made.contentDocument) : 'loaded');
          made.onerror = () => done('error');
          if (tag === 'link') { made.rel = 'stylesheet'; made.href = url; }
          else if (tag === 'object') made.data = url; else made.src = url;
          document.body.append(made); })""",
        [tag, f"{target.url}/v1/history"],
    )
    assert got in ("error", "null")
    assert set(answers) <= {403}


def test_preflights_are_refused(page: Page, evil: str, target: Target) -> None:
    page.goto(evil)
    for method in ("PUT", "DELETE", "PATCH"):
        url = f"{target.url}/v1/images/generations/{'0' * 24}"
        assert "error" in page.evaluate(FETCH, {"url": url, "options": {"method": method}})
    headers = {
        "origin": evil,
        "access-control-request-method": "POST",
        "access-control-request-private-network": "true",
    }
    answer = httpx2.request("OPTIONS", f"{target.url}/v1/images/image2image", headers=headers)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_web_sockets_beacons_and_events_get_nothing(page: Page, evil: str, target: Target) -> None:
    page.goto(evil)
    got = page.evaluate(
        """([http, socket, body]) => new Promise(done => {
          navigator.sendBeacon(http + '/v1/images/image2image', new Blob([body], {type: 'text/plain'}));
          const events = new EventSource(http + '/v1/chat/completions');
          events.onerror = () => { events.close();
            const opened = new WebSocket(socket + '/v1/chat/completions');
            opened.onopen = () => done('open'); opened.onerror = () => done('refused'); };
          events.onopen = () => done('streaming'); })""",
        [target.url, target.url.replace("http", "ws"), wish(target)],
    )
    assert got == "refused"


# DNS rebinding: the page's own name comes to point at this machine, so that the browser sees one origin.


@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", "127.0.0.1.example"])
def test_a_rebound_name_is_refused(page: Page, target: Target, name: str) -> None:
    """Same origin by the browser's rules, so that no CORS protects us: `Host` alone tells."""
    origin = f"http://{name}:{target.port}"
    opened = page.goto(f"{origin}/")
    assert opened is not None
    assert opened.status == 421
    assert SECRET not in opened.text()
    options = {"method": "POST", "body": wish(target), "headers": {"content-type": "application/json"}}
    for path, how in (("/v1/images/image2image", options), ("/v1/history", {}), ("/v1/wallet", {}), ("/health", {})):
        got = page.evaluate(FETCH, {"url": origin + path, "options": how})
        assert got["status"] == 421, path
        assert json.loads(got["text"])["code"] == "wrong_host"


def test_a_page_of_the_routers_own_needs_the_token(browser: Browser, target: Target) -> None:
    """The one origin that may use it: without the token its writes are refused, with it they are served."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{target.url}/")
    fields = {"method": "POST", "body": wish(target), "headers": {"content-type": "application/json"}}
    url = f"{target.url}/v1/images/quote"
    quote = fields | {"body": "{}"}
    assert page.evaluate(FETCH, {"url": f"{target.url}/health", "options": {}})["status"] == 200
    assert page.evaluate(FETCH, {"url": url, "options": quote})["status"] == 403
    headers = {"content-type": "application/json", "x-tollbrush-token": target.token}
    assert page.evaluate(FETCH, {"url": url, "options": quote | {"headers": headers}})["status"] == 200
    context.close()
    assert target.history == [] and not target.gateway.charged
    target.gateway.heard.clear()
