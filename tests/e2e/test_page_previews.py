"""Unfinished pictures on the page while a model works: seen before anything is paid, small, gone with the result."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat
from playwright.sync_api import Browser, Page, expect

from support.browser import Watched, connect, needs_browser, needs_page, watched
from support.browser_wallets import FoxWallet
from support.pictures import photo
from support.servers import free_port, running
from support.shop import FUNDS, Shop, open_shop
from tollbrush.payments.wallet import load_or_create
from tollbrush.settings import Settings

pytestmark = [pytest.mark.e2e, needs_browser, needs_page]

PRICE = 21_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Sells OpenAI's models alone."""
    with open_shop(tmp_path_factory.mktemp("shop"), TOLLBRUSH_ENGINES__STUDIO__ENABLED="false") as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser) -> Iterator[Watched]:
    with watched(browser) as made:
        yield made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    path.write_bytes(photo(320, 320))
    return path


def follow(visit: Watched, page: Page, shop: Shop, name: str, source: Path, address: str) -> None:
    """From the button to the result, by way of a preview."""
    page.locator(".choice select").first.select_option("openai/gpt-image-1")
    page.locator(".choice select").last.select_option("1024x1024")
    page.get_by_role("button", name="Edit $0.021").click()
    unfinished = page.locator(".preview img")
    expect(unfinished).to_be_visible()
    shown = Image.open(io.BytesIO(base64.b64decode(str(unfinished.get_attribute("src")).partition(",")[2])))
    assert shown.size == (256, 256)
    wanted = ImageOps.invert(Image.open(source).convert("RGB")).resize((96, 96)).resize(shown.size)
    assert max(ImageStat.Stat(ImageChops.difference(shown.convert("RGB"), wanted)).mean) < 12
    assert shop.base.balance(address) == FUNDS
    assert visit.audit() == []
    shop.release(name)
    page.wait_for_selector(".result")
    expect(unfinished).to_have_count(0)
    assert shop.base.balance(address) == FUNDS - PRICE


def test_at_a_gateway(visit: Watched, shop: Shop, source: Path) -> None:
    wallet, name = FoxWallet(shop.base.rpc_url), os.urandom(6).hex()
    shop.base.fund(wallet.address, FUNDS)
    wallet.install(visit.page.context)
    page = visit.open(shop.url, source, f"pause: {name}")
    connect(page, "Test Fox")
    follow(visit, page, shop, name, source, wallet.address)


def test_at_a_router(visit: Watched, shop: Shop, source: Path, tmp_path: Path) -> None:
    wallet, name = load_or_create(Settings(data_dir=tmp_path / "data")), os.urandom(6).hex()
    shop.base.fund(wallet.evm_address, FUNDS)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {
        "TOLLBRUSH_DATA_DIR": str(tmp_path / "data"),
        "TOLLBRUSH_NETWORKS": json.dumps({"base-sepolia": {"rpc_url": shop.base.rpc_url}}),
        "TOLLBRUSH_ROUTER__GATEWAY_URL": shop.url,
    }
    with running(["tollbrush", "route", "--port", str(port)], url + "/health", log=tmp_path / "route.log", env=env):
        page = visit.open(url, source, f"pause: {name}")
        follow(visit, page, shop, name, source, wallet.evm_address)
