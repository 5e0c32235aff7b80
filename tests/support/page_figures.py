"""How quick the page is: first paint and first use on a cold cache, frames while painting on large photographs.

CPU is the main thread's own, which a busy machine does not lengthen as it does the clock's.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.sync_api import Browser, Page

_FRAMES: Final = 240
_PAINT: Final = """frames => new Promise(resolve => {
  const stage = document.querySelector(".stage"), box = stage.getBoundingClientRect(), took = [], work = [];
  let last = performance.now(), i = 0;
  const step = () => {
    const now = performance.now();
    took.push(now - last);
    last = now;
    if (i++ === frames) return resolve({ took, work });
    for (let k = 0; k < 4; k++) {
      const t = (i * 4 + k) / 60;
      const clientX = box.left + box.width * (0.5 + 0.3 * Math.cos(t));
      const clientY = box.top + box.height * (0.5 + 0.35 * Math.sin(1.7 * t));
      const at = { pointerId: 1, pointerType: "mouse", clientX, clientY, bubbles: true };
      stage.dispatchEvent(new PointerEvent("pointermove", at));
    }
    work.push(performance.now() - now);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


def measure(browser: Browser, url: str, folder: Path) -> dict[str, Any]:
    """Milliseconds; medians of fifteen loads, and of 240 frames with four pointer events each."""
    loads = [_load(browser, url) for _ in range(15)]
    figures: dict[str, Any] = {name: statistics.median(each[name] for each in loads) for name in loads[0]}
    for megapixels, size in ((12, (4000, 3000)), (40, (7300, 5475))):
        photo = folder / f"{megapixels}.jpg"
        Image.effect_noise((size[0] // 8, size[1] // 8), 60).resize(size).convert("RGB").save(photo, quality=80)
        figures[f"painting on {megapixels} MP"] = _painting(browser, url, photo)
    return figures


def _load(browser: Browser, url: str) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    cpu = _clock(page)
    page.goto(url)
    page.wait_for_selector(".welcome")
    told: dict[str, float] = page.evaluate("""async () => {
      await new Promise(each => requestAnimationFrame(() => setTimeout(each, 50)));
      const paint = performance.getEntriesByName("first-contentful-paint")[0];
      const load = performance.getEntriesByType("navigation")[0];
      return { "first paint": Math.round(paint.startTime), "ready for use": Math.round(load.domContentLoadedEventEnd) };
    }""")
    told["CPU until then"] = round(cpu())
    context.close()
    return told


def _clock(page: Page) -> Callable[[], float]:
    """The CPU time of the page's main thread so far, in milliseconds."""
    device = page.context.new_cdp_session(page)
    device.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read() -> float:
        metrics = {each["name"]: each["value"] for each in device.send("Performance.getMetrics")["metrics"]}
        return 1000 * float(metrics["TaskDuration"])

    return read


def _painting(browser: Browser, url: str, photo: Path) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(url)
    page.locator("input[type=file]").first.set_input_files(photo)
    page.wait_for_selector(".stage", timeout=60_000)
    _press(page)
    cpu = _clock(page)
    before = cpu()
    told = page.evaluate(_PAINT, _FRAMES)
    busy = (cpu() - before) / _FRAMES
    page.mouse.up()
    whole = page.evaluate("""() => new Promise(resolve => {
      dispatchEvent(new KeyboardEvent("keydown", { key: "i" }));
      const start = performance.now();
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - start)));
    })""")
    context.close()
    took = sorted(told["took"][1:])
    return {
        "frame, median": round(statistics.median(took), 1),
        "frame, 95 %": round(took[int(0.95 * len(took))], 1),
        "pointer work, median": round(statistics.median(told["work"]), 2),
        "CPU a frame": round(busy, 1),
        "whole mask inverted and redrawn": round(whole, 1),
    }


def _press(page: Page) -> None:
    box = page.locator(".stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
