"""`tollbrush models list`: the open models, what they need, and whether they may be sold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tollbrush.cli.app import run
from tollbrush.engines.diffusion.pins import Pins
from tollbrush.engines.diffusion.rows import KNOWN

Capture = pytest.CaptureFixture[str]


def rows(capsys: Capture) -> dict[str, list[str]]:
    """The printed table: a row's cells by its first."""
    printed = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:] if cell.strip()] for cells in printed}


def test_the_licences_say_what_may_be_sold(home: Path, capsys: Capture) -> None:
    assert run(["models", "list", "--licence"]) == 0
    shown = rows(capsys)
    assert {row.id for row in KNOWN} <= set(shown)
    assert shown["black-forest-labs/flux.2-klein-4b"] == ["Apache-2.0", "yes"]
    assert shown["black-forest-labs/flux.1-kontext-dev"][-1] == "no"
    assert shown["timbrooks/instruct-pix2pix"][-1] == "yes, its terms bind the buyer too"


def test_what_is_for_sale_here_and_where_it_is_pinned(
    home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    klein = KNOWN[0]
    monkeypatch.setenv("TOLLBRUSH_ENGINES__DIFFUSION__ENABLED", "true")
    monkeypatch.setenv("TOLLBRUSH_DATA_DIR", str(home / "data"))
    Pins(home / "data").keep(klein.source, None, "c0ffee" * 6 + "c0ff")
    assert run(["models", "list"]) == 0
    shown = rows(capsys)
    assert shown[klein.id] == ["yes", "16 GB", "c0ffeec0ffee"]
    assert shown["tongyi-mai/z-image-turbo"] == ["24 GB"]
    assert run(["models", "list", "--json"]) == 0
    found = {row["model"]: row for row in json.loads(capsys.readouterr().out)["data"]}
    assert (found[klein.id]["sold_here"], found[klein.id]["commit"][:6]) == (True, "c0ffee")
    assert (found["black-forest-labs/flux.2-dev"]["may_be_sold"], found["tongyi-mai/z-image"]["sold_here"]) == (
        "no",
        False,
    )
