"""Debian's Chromium for tests of pages, and what a page must never do there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tollbrush.page import BUILT

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE: Final = BUILT.parents[2] / "playground/node_modules/axe-core/axe.min.js"

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
LONG: Final = os.environ.get("TOLLBRUSH_E2E") == "long"
long_form = pytest.mark.skipif(not LONG, reason="only in the long form: TOLLBRUSH_E2E=long")
needs_page = pytest.mark.skipif(not (BUILT / "index.html").exists(), reason="the page is not built (make needs npm)")

_WATCH = """addEventListener("securitypolicyviolation",
  (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));"""


@contextmanager
def open_browser(*arguments: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", *arguments]
        opened = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
        yield opened
        opened.close()


@dataclass
class Watched:
    """A page whose console is read: errors, refused loads and exceptions are all `complaints`."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, url: str, photo: Path | None = None, prompt: str = "") -> Page:
        """With a picture and words, if any."""
        self.page.goto(url)
        if photo is not None:
            self.page.locator("input[type=file]").first.set_input_files(photo)
            self.page.wait_for_selector(".stage")
        if prompt:
            self.page.fill("#prompt", prompt)
        return self.page

    def audit(self) -> list[str]:
        """What axe finds against WCAG 2.2 AA and its best practices, in words."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate("() => axe.run()")
        return [
            f"{v['id']} ({v['impact']}): {node['target']} {node['failureSummary']}"
            for v in found["violations"]
            for node in v["nodes"]
        ]


@contextmanager
def watched(browser: Browser, **options: Any) -> Iterator[Watched]:
    """A fresh context; afterwards the page has complained of nothing."""
    context: BrowserContext = browser.new_context(**options)
    context.set_default_timeout(15_000)
    context.add_init_script(_WATCH)
    made = Watched(context.new_page())
    yield made
    context.close()
    assert made.complaints == []


def connect(page: Page, name: str) -> None:
    """A found wallet, through the dialog."""
    page.get_by_role("button", name="Connect a wallet").first.click()
    page.get_by_role("dialog").get_by_role("button", name=name).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
