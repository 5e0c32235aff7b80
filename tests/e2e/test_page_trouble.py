"""What people really drop on a page, and what goes wrong around it: each has its own sentence and a way on."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from support.browser import Watched, connect, long_form, needs_browser, needs_page, watched
from support.fair import FUNDS, Fair
from support.own_gateway import PRICE
from support.pictures import photo

pytestmark = [pytest.mark.e2e, needs_browser, needs_page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Watched]:
    with watched(browser) as made:
        yield made


def _huge() -> bytes:
    """A PNG whose header says 9,000 × 9,000, of one grey."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    lines = zlib.compress((b"\0" + b"\x80" * 9000) * 9000, 1)
    head = struct.pack(">IIBBBBB", 9000, 9000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def _gif() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


FILES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "100 MB": ("big.png", lambda: b"\x89PNG\r\n\x1a\n" + bytes(100 * 2**20), "big.png is 101 MB; up to 20 MB"),
    "empty": ("nothing.png", lambda: b"", "nothing.png is empty."),
    "text renamed": ("notes.png", lambda: b"not a picture at all", "notes.png is not a picture that can be edited."),
    "HEIC": ("IMG_1.heic", lambda: b"\0\0\0\x18ftypheic\0\0\0\0heicmif1", "is a HEIC photo, which editors here cannot"),
    "AVIF": ("a.avif", lambda: b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", "is an AVIF picture. Export it as PNG"),
    "raw": ("a.dng", lambda: b"II*\0" + bytes(40), "is a TIFF or camera raw picture. Export it as PNG or JPEG."),
    "cut off": ("half.png", lambda: photo(300, 300)[:400], "half.png is damaged"),
    "81 megapixels": ("wall.png", _huge, "wall.png has 81 megapixels; up to 40 can be edited."),
    "animated": ("dance.gif", _gif, "dance.gif moves"),
}  # fmt: skip


def test_files_that_cannot_be_edited(visit: Watched, fair: Fair) -> None:
    page = visit.open(fair.gateway.url)
    chooser = page.locator("input[type=file]").first
    for name, made, said in FILES.values():
        path = fair.folder / name
        path.write_bytes(made())
        chooser.set_input_files(path)
        expect(page.get_by_role("alert")).to_contain_text(said)
    chooser.set_input_files(fair.photo)  # the way on: another file
    page.wait_for_selector(".stage")
    chooser.set_input_files(fair.folder / "half.png")  # with one at hand, that one stays
    expect(page.locator(".composer .says")).to_contain_text("half.png is damaged")


def test_none_at_hand(visit: Watched, fair: Fair) -> None:
    page = visit.open(fair.gateway.url)
    page.get_by_role("button", name="Try one of ours").click()
    expect(page.locator(".stage")).to_have_attribute("aria-label", re.compile("coffee.webp, 600 by 400"))


def test_a_picture_of_one_pixel(visit: Watched, fair: Fair) -> None:
    path = fair.folder / "dot.png"
    path.write_bytes(photo(1, 1))
    page = visit.open(fair.gateway.url, path, "invert it")
    expect(page.get_by_role("alert")).to_contain_text("64")  # the smallest side that is sold
    expect(page.locator("button.pay")).to_contain_text("Connect a wallet")
    page.locator(".toolbar input[type=file]").first.set_input_files(fair.photo)
    expect(page.get_by_role("alert")).to_have_count(0)
    visit.complaints.clear()  # the browser's own line on the refused quote


def test_a_mask_of_another_size(visit: Watched, fair: Fair) -> None:
    path = fair.folder / "mask.png"
    path.write_bytes(photo(64, 64))
    page = visit.open(fair.gateway.url, fair.photo)
    page.locator(".toolbar input[type=file]").last.set_input_files(path)
    expect(page.locator(".composer .says")).to_contain_text("measures 64 × 64, the picture 320 × 240")


def buy(page: Page) -> None:
    page.get_by_role("button", name="Edit $").click()


def test_the_gateway_goes_in_the_middle_of_an_edit(visit: Watched, fair: Fair) -> None:
    wallet = fair.fox()
    wallet.install(visit.page.context)
    fair.gateway.hold()
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    connect(page, "Test Fox")
    buy(page)
    expect(page.locator(".doing")).to_contain_text("At work")
    page.context.set_offline(True)
    expect(page.locator(".doing")).to_contain_text("Waiting for the connection; nothing is lost")
    fair.gateway.release()
    page.context.set_offline(False)
    page.wait_for_selector(".result")
    assert FUNDS - fair.market.base.balance(wallet.address) == PRICE
    visit.complaints.clear()  # the browser's own lines on the lost connection


def test_nobody_there_from_the_start(visit: Watched, fair: Fair) -> None:
    lost: Callable[[Route], None] = lambda route: route.abort()  # noqa: E731 - a handler
    visit.page.route("**/v1/**", lost)
    page = visit.open(fair.gateway.url, fair.photo)
    expect(page.get_by_role("alert")).to_contain_text("This gateway does not answer at the moment.")
    page.unroute("**/v1/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".choice select").first).to_contain_text("Studio")
    visit.complaints.clear()


def test_offline_before_the_price_is_known(visit: Watched, fair: Fair) -> None:
    """Asked again by itself once the connection is back."""
    wallet = fair.fox()
    wallet.install(visit.page.context)
    page = visit.open(fair.gateway.url, fair.photo)
    connect(page, "Test Fox")
    page.context.set_offline(True)
    page.fill("#prompt", "invert it")
    expect(page.get_by_role("alert")).to_contain_text("Nothing is lost: try again in a little while.")
    page.context.set_offline(False)
    expect(page.get_by_role("button", name="Edit $")).to_be_enabled(timeout=15_000)
    expect(page.get_by_role("alert")).to_have_count(0)
    visit.complaints.clear()  # the browser's own lines on the lost connection


@pytest.mark.parametrize(("error", "said"), [
    ("QuotaExceededError", "This browser's storage is full: this result is not in its history. Download it now"),
    pytest.param(
        "UnknownError",
        "This browser keeps nothing at the moment: this result is not in its history. Download it now",
        marks=long_form,
    ),
])  # fmt: skip
def test_a_storage_that_is_full(visit: Watched, fair: Fair, error: str, said: str) -> None:
    wallet = fair.fox()
    wallet.install(visit.page.context)
    visit.page.add_init_script(
        f"IDBObjectStore.prototype.put = () => {{ throw new DOMException('no room', '{error}'); }};"
    )
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    connect(page, "Test Fox")
    buy(page)
    page.wait_for_selector(".result")
    expect(page.locator(".left")).to_contain_text(said)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).stat().st_size > 100


def test_words_that_cannot_be_honoured(visit: Watched, fair: Fair) -> None:
    """Refused by the gateway in words, where it arose."""
    page = visit.open(fair.gateway.url, fair.photo, "a unicorn")
    expect(page.get_by_role("alert")).to_contain_text("No unicorns here.")
    page.fill("#prompt", "invert it")
    expect(page.get_by_role("alert")).to_have_count(0)
    visit.complaints.clear()
