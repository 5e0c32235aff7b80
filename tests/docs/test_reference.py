"""The committed reference is what the program says of itself."""

from __future__ import annotations

import re

import pytest
from scripts.reference import FOLDER, pages

from tollbrush.settings import Settings

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_it_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name], "write it anew: python -m scripts.reference"


def test_nothing_of_this_machine_is_in_it() -> None:
    for text in PAGES.values():
        assert not re.search(r"(?<![\w.~])/(?:home|root|Users|work|var|tmp)/", text)


def test_variables_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of each kind, by the names on the page."""
    for name, value in {
        "TOLLBRUSH_GATEWAY__LIMITS__QUEUED": "7",
        "TOLLBRUSH_NETWORKS__BASE_SEPOLIA__PAY_TO": "0xme",
        "TOLLBRUSH_ROUTER__SPENDING__PER_CALL": "1.5",
    }.items():
        assert f"`{name.replace('BASE_SEPOLIA', 'NETWORK')}`" in PAGES["settings.md"]
        monkeypatch.setenv(name, value)
    said = Settings()
    assert (said.gateway.limits.queued, said.networks["base-sepolia"].pay_to) == (7, "0xme")
    assert str(said.router.spending.per_call) == "1.5"


def test_every_error_and_command_is_there() -> None:
    assert "`SettlementUnknown` | `settlement_unknown` | 503 | 5" in PAGES["errors.md"]
    for command in ("edit", "img2img", "serve", "wallet new", "mcp", "mcp install"):
        assert f"\n## tollbrush {command}\n" in PAGES["cli.md"]
