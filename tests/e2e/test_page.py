"""The page a router serves, from the photograph to the receipt; its looks to a screen reader; its keys; its weight."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from support.browser import LONG, Watched, connect, long_form, needs_browser, needs_page, watched
from support.browser_wallets import GhostWallet
from support.fair import Fair
from support.page_figures import measure
from support.stack import Everything
from tollbrush.page import BUILT

pytestmark = [pytest.mark.e2e, needs_page]

SOURCES = Path(__file__).parents[2] / "playground"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
PRICE = 2_100
LIMIT = 60_000
"""Bytes, gzipped, of all that the page loads before a Solana wallet pays."""


@pytest.fixture
def visit(browser: Browser) -> Iterator[Watched]:
    with watched(browser, viewport=DESKTOP) as made:
        yield made


def drag(page: Page, *points: tuple[float, float]) -> None:
    """A stroke between points given as parts of the stage."""
    box = page.locator(".stage").bounding_box()
    assert box is not None
    for index, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=4)
        if not index:
            page.mouse.down()
    page.mouse.up()


def saved(page: Page, button: str) -> tuple[str, bytes]:
    """What a button downloads: its name and its bytes."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


@needs_browser
def test_from_a_photograph_to_the_receipt(browser: Browser, stack: Everything) -> None:
    """On the router's wallet: painted, quoted, bought, compared, downloaded, kept, edited again. By the name that
    people type, which is not the one that the router prints."""
    before = stack.balances()
    with watched(browser, viewport=DESKTOP, accept_downloads=True) as visit:
        page = visit.open(stack.router.replace("127.0.0.1", "localhost"), stack.home / "photo.png")
        drag(page, (0.45, 0.4), (0.5, 0.45), (0.55, 0.4))
        expect(page.locator(".painted")).to_contain_text("% painted")
        name, mask = saved(page, "Save the mask")
        assert name == "photo-mask.png"
        with Image.open(io.BytesIO(mask)) as image:
            assert (image.size, image.mode) == ((1024, 1024), "1")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".painted")).to_contain_text("Nothing painted")
        page.get_by_role("button", name="make it sepia").click()  # one of the studio's own abilities
        expect(page.locator("#prompt")).to_have_value("make it sepia")
        page.get_by_role("button", name="Edit $0.0021").click()
        page.wait_for_selector(".result", timeout=90_000)  # its workers may still be getting ready
        spent = sum(before.values()) - sum(stack.balances().values())
        assert spent == PRICE
        expect(page.locator(".receipt")).to_contain_text(re.compile(r"\$0.0021 on Base Sepolia · 0x"))
        slider = page.get_by_role("slider")
        slider.focus()
        page.keyboard.press("Home")
        assert slider.input_value() == "0"
        page.get_by_role("button", name="Side by side").click()
        expect(page.locator("figcaption")).to_have_text(["Before", "After"])
        page.get_by_role("button", name="Blink").click()
        page.locator("select").select_option("image/jpeg")
        name, data = saved(page, "Download")
        assert name == "photo-edited.jpg"
        with Image.open(io.BytesIO(data)) as image:
            assert (image.format, image.size) == ("JPEG", (1024, 1024))
        page.get_by_role("button", name="History").click()
        name, data = saved(page, "Export")
        kept = json.loads(data)
        assert [len(each["results"]) for each in kept] == [1]
        assert kept[0]["results"][0].startswith("data:image/png;base64,")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Edit again").click()
        expect(page.locator(".stage")).to_have_attribute("aria-label", re.compile("photo-edited.png, 1024 by 1024"))


@needs_browser
def test_with_the_keyboard_alone(visit: Watched, fair: Fair) -> None:
    """From the first Tab to the download; only the picture itself comes from a file dialog."""
    wallet = fair.fox()
    wallet.install(visit.page.context)
    page = visit.open(fair.gateway.url)

    def tab_to(name: str) -> None:
        """Presses Tab until the focus is on the control of this name."""
        for _ in range(40):
            page.keyboard.press("Tab")
            at = page.evaluate(
                "() => { const e = document.activeElement; return e.ariaLabel || e.textContent || e.id }"
            )
            if at.strip().startswith(name):
                return
        raise AssertionError(f"Tab does not reach {name}")

    tab_to("Connect a wallet")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    tab_to("Test Fox")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    with page.expect_file_chooser() as chooser:
        tab_to("Choose a picture")
        page.keyboard.press("Enter")
    chooser.value.set_files(fair.photo)
    page.wait_for_selector(".stage")
    tab_to("cat.png")
    page.keyboard.press("+")
    page.keyboard.down("Space")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.up("Space")
    expect(page.locator(".painted")).not_to_contain_text("Nothing")
    page.keyboard.press("i")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator(".painted")).to_contain_text("Nothing")
    page.keyboard.press("Control+Shift+z")
    expect(page.locator(".painted")).not_to_contain_text("Nothing")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keys and gestures")
    page.keyboard.press("Escape")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.id") == "prompt":
            break
    page.keyboard.type("invert it")
    expect(page.get_by_role("button", name="Edit $0.0021")).to_be_enabled()
    page.keyboard.press("Enter")
    page.wait_for_selector(".result")
    with page.expect_download():
        tab_to("Download")
        page.keyboard.press("Enter")


LOOKS = [("light", DESKTOP), ("dark", PHONE)] + [("dark", DESKTOP), ("light", PHONE)] * LONG


@needs_browser
@pytest.mark.parametrize(("scheme", "viewport"), LOOKS)
def test_every_view_suits_a_screen_reader(browser: Browser, fair: Fair, scheme: str, viewport: dict[str, int]) -> None:
    found: dict[str, list[str]] = {}
    with watched(browser, viewport=viewport, color_scheme=scheme, reduced_motion="reduce") as visit:
        for wallet in (fair.fox(), GhostWallet()):
            wallet.install(visit.page.context)
        page = visit.open(fair.gateway.url)

        def look(view: str) -> None:
            found[view] = visit.audit()
            width = page.evaluate("() => document.documentElement.scrollWidth")
            assert width <= viewport["width"], f"{view} is {width} wide"

        look("empty")
        page.get_by_role("button", name="Connect a wallet").click()
        look("wallets")
        page.keyboard.press("Escape")
        connect(page, "Test Fox")
        page.locator("input[type=file]").first.set_input_files(fair.photo)
        page.wait_for_selector(".stage")
        drag(page, (0.4, 0.4), (0.5, 0.5))
        look("painting")
        page.get_by_role("button", name="More").click()
        page.fill("#prompt", "a unicorn")
        expect(page.get_by_role("alert")).to_contain_text("No unicorns here.")
        look("refused")
        page.fill("#prompt", "invert it")
        fair.gateway.hold()
        page.get_by_role("button", name="Edit $").click()
        expect(page.locator(".doing")).to_contain_text("At work")
        look("working")
        fair.gateway.release()
        page.wait_for_selector(".result")
        for way in ("Slider", "Side by side", "Blink"):
            page.get_by_role("button", name=way).click()
            look(way)
        page.get_by_role("button", name="History").click()
        page.wait_for_selector(".card")
        look("history")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Keys and gestures").click()
        look("help")
        visit.complaints[:] = [said for said in visit.complaints if "status of 400" not in said]
    assert found == {view: [] for view in found}


def test_it_is_light() -> None:
    """Everything the document loads by itself, gzipped; the Solana chunk comes later."""
    document = (BUILT / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|https?://", document)
    named = re.findall(r'(?:src|href)="\./((?:assets/)?[\w.-]+)"', document)
    assert any(name.endswith(".js") for name in named) and any(name.endswith(".css") for name in named)
    weight = sum(len(gzip.compress((BUILT / name).read_bytes(), 9)) for name in ["index.html", *named])
    assert weight < LIMIT
    later = {path.name for path in (BUILT / "assets").glob("transfer-*.js")}
    assert len(later) == 1 and not later & {Path(name).name for name in named}


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.skipif(not (SOURCES / "node_modules").exists(), reason="the page's packages are not installed")
def test_its_own_unit_tests() -> None:
    done = subprocess.run(["npx", "vitest", "run"], cwd=SOURCES, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_browser
@long_form
def test_figures(browser: Browser, fair: Fair) -> None:
    """Printed, not judged: machines differ. Run with -s."""
    print(json.dumps(measure(browser, fair.gateway.url, fair.folder), indent=2))
