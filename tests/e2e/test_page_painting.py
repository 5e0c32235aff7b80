"""Painting by mouse, pen and fingers: what is saved is at the picture's own resolution, whatever the zoom."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page, expect

from support.browser import Watched, long_form, needs_browser, needs_page, watched
from support.fair import Fair

pytestmark = [pytest.mark.e2e, needs_browser, needs_page]

BRUSH = 0.04  # of the longer side, as the page begins


@pytest.fixture
def visit(browser: Browser) -> Iterator[Watched]:
    with watched(browser, viewport={"width": 1000, "height": 700}, has_touch=True, accept_downloads=True) as made:
        yield made


def picture(fair: Fair, width: int, height: int) -> Path:
    path = fair.folder / f"{width}.jpg"
    Image.linear_gradient("L").resize((width, height)).save(path, quality=70)
    return path


def mask(page: Page) -> NDArray[np.bool_]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the mask").click()
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(Path(download.value.path()).read_bytes())) as image:
        return np.asarray(image, dtype=bool)


def middle(page: Page) -> tuple[float, float]:
    box = page.locator(".stage").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("size", [(4000, 3000), pytest.param((7300, 5475), marks=long_form)])
@pytest.mark.parametrize("closer", [pytest.param(0, marks=long_form), 7])
def test_a_dab_is_a_disc_of_source_pixels(visit: Watched, fair: Fair, size: tuple[int, int], closer: int) -> None:
    page = visit.open(fair.gateway.url, picture(fair, *size))
    page.locator(".stage").focus()
    for _ in range(closer):
        page.keyboard.press("+")
    page.mouse.click(*middle(page))
    found = mask(page)
    assert found.shape == (size[1], size[0])
    radius = max(size) * BRUSH / 2
    rows, columns = np.nonzero(found)
    distance = np.hypot(columns - columns.mean(), rows - rows.mean())
    assert distance.max() <= radius + 1
    assert len(rows) == pytest.approx(math.pi * radius**2, rel=0.005)
    page.close()
    visit.complaints[:] = [said for said in visit.complaints if "status of 400" not in said]  # too large for the studio


@pytest.fixture
def device(visit: Watched) -> CDPSession:
    return visit.page.context.new_cdp_session(visit.page)


def pen(device: CDPSession, page: Page, force: float) -> int:
    """Pixels that a press of the pen paints."""
    x, y = middle(page)
    common = {"x": x, "y": y, "button": "left", "clickCount": 1, "pointerType": "pen", "force": force}
    device.send("Input.dispatchMouseEvent", {"type": "mousePressed", **common})
    device.send("Input.dispatchMouseEvent", {"type": "mouseReleased", **common})
    painted = int(mask(page).sum())
    page.get_by_role("button", name="Undo").click()
    return painted


def test_a_pen_paints_by_its_pressure(visit: Watched, fair: Fair, device: CDPSession) -> None:
    page = visit.open(fair.gateway.url, picture(fair, 1200, 900))
    firm, soft = pen(device, page, 1.0), pen(device, page, 0.5)
    assert soft == pytest.approx(firm / 4, rel=0.05)  # half the radius


def test_one_finger_paints_and_two_move(visit: Watched, fair: Fair, device: CDPSession) -> None:
    page = visit.open(fair.gateway.url, picture(fair, 1200, 900))
    x, y = middle(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(points)]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", (x, y))
    touch("touchMove", (x + 40, y))
    touch("touchEnd")
    expect(page.locator(".painted")).not_to_contain_text("Nothing")
    before = mask(page)
    touch("touchStart", (x - 40, y))
    touch("touchStart", (x - 40, y), (x + 40, y))  # the stroke under way was none
    touch("touchMove", (x - 120, y), (x + 120, y))
    touch("touchEnd")
    assert np.array_equal(mask(page), before)
    page.mouse.click(x, y - 60)  # closer now: the same place on the screen is nearer in the picture
    changed = np.nonzero(mask(page) & ~before)
    assert len(changed[0])
    page.get_by_role("button", name="Show the whole picture").click()


def test_masks_come_and_go(visit: Watched, fair: Fair) -> None:
    """Saved, loaded, inverted, filled, cleared, undone: the same pixels."""
    page = visit.open(fair.gateway.url, picture(fair, 1200, 900))
    x, y = middle(page)
    page.mouse.move(x - 80, y - 80)
    page.mouse.down()
    for dx, dy in ((80, -80), (80, 80), (-80, 80), (-80, -80)):
        page.mouse.move(x + dx, y + dy)
    page.mouse.up()
    outline = mask(page)
    page.keyboard.press("f")
    page.mouse.click(x, y)
    whole = mask(page)
    assert whole.sum() > outline.sum()
    assert (whole & outline).sum() == outline.sum()
    page.get_by_role("button", name="Invert the mask").click()
    assert np.array_equal(mask(page), ~whole)
    path = fair.folder / "whole.png"
    Image.fromarray(whole).save(path)
    page.get_by_role("button", name="Clear the mask").click()
    expect(page.locator(".painted")).to_contain_text("Nothing painted")
    page.locator(".toolbar input[type=file]").last.set_input_files(path)
    expect(page.locator(".painted")).not_to_contain_text("Nothing painted")
    assert np.array_equal(mask(page), whole)
    for _ in range(4):
        page.keyboard.press("Control+z")
    assert np.array_equal(mask(page), outline)
    for _ in range(4):
        page.keyboard.press("Control+y")
    page.get_by_role("button", name="Show the soft edge").click()
    assert np.array_equal(mask(page), whole)  # how it is shown is not what is sent
