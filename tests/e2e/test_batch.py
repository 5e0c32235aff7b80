"""A batch as its user runs it: through the running router, on local chains, with the studio."""

from __future__ import annotations

import json
import shutil

from PIL import Image

from support.stack import Everything


def test_a_batch_through_the_router(stack: Everything) -> None:
    photos = stack.home / "holiday"
    photos.mkdir()
    shutil.copy(stack.home / "cat.jpg", photos / "the cat's.jpg")
    shutil.copy(stack.home / "photo.png", photos / "mé.png")
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    words = ("batch", "holiday", "make this black and white", "--model", "studio", "--size", "auto", "--json")
    planned = stack.run(*words, "--dry-run")
    before = stack.balances()
    prices = {row["picture"]: row["price"] for row in json.loads(planned.stdout)["pictures"]}
    assert planned.returncode == 4 and prices["broken.png"] is None
    total = sum(round(float(price["amount"]) * 10**6) for price in prices.values() if price)
    done = stack.run(*words, "--budget", "0.05", "--jobs", "2")
    assert done.returncode == 4, done.stderr
    outcomes = {line["picture"]: line["outcome"] for line in map(json.loads, done.stdout.splitlines()[:-1])}
    assert outcomes == {"the cat's.jpg": "edited", "mé.png": "edited", "broken.png": "failed"}
    with (
        Image.open(stack.home / "holiday-edited" / "the cat's.png") as edited,
        Image.open(stack.home / "cat.jpg") as cat,
    ):
        red, green, _ = edited.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
        assert edited.size == cat.size and abs(red - green) <= 2
    after = stack.balances()
    assert sum(before.values()) - sum(after.values()) == total
    shutil.copy(stack.home / "cat.jpg", photos / "broken.png")
    again = stack.run(*words, "--budget", "0.05", "--resume")
    assert again.returncode == 0, again.stderr
    summary = json.loads(again.stdout.splitlines()[-1])["summary"]
    assert summary["finished_before"] == 2 and summary["edited"] == 1
    listed = json.loads(stack.run("history", "--json").stdout)["data"]
    assert {row["prompt"] for row in listed[:2]} == {"make this black and white"}
    saved = stack.run("history", "save", "1", "-o", "again.png")
    assert saved.returncode == 0 and (stack.home / "again.png").stat().st_size > 0
