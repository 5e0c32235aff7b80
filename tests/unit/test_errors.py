"""The tree: every class reachable, documented, with a status, and whole after crossing a process boundary."""

import pickle
from typing import Any

import pytest

from tollbrush import errors
from tollbrush.errors import BadRequest, CannotHonour, Detail, TollbrushError, Unavailable


def classes(root: type[TollbrushError] = TollbrushError) -> list[type[TollbrushError]]:
    return [root, *(c for sub in root.__subclasses__() for c in classes(sub))]


def make(kind: type[TollbrushError]) -> TollbrushError:
    needed: dict[str, dict[str, Any]] = {
        "PaymentRefused": {"reason": "expired"},
        "RateLimited": {"retry_after": 3, "source": "upstream"},
    }
    return kind("what is wrong.", **needed.get(kind.__name__, {}))


@pytest.mark.parametrize("kind", classes())
def test_every_error_is_drawn_in_the_tree(kind: type[TollbrushError]) -> None:
    assert errors.__doc__ is not None
    line = next((row for row in errors.__doc__.splitlines() if row.strip("│├└─ ").split(" ")[0] == kind.__name__), None)
    assert line is not None, f"{kind.__name__} is missing from the tree"
    assert kind is TollbrushError or f" {kind.status} " in line + " "


@pytest.mark.parametrize("kind", classes())
def test_every_error_survives_pickling(kind: type[TollbrushError]) -> None:
    error = make(kind)
    error.hint = "do this."
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.sentence(), vars(again)) == (str(error), error.sentence(), vars(error))


def test_codes_are_unique_names() -> None:
    ours = [c for c in classes() if c.__module__ == TollbrushError.__module__]  # and no test's own
    codes = [c.code for c in ours if c is not TollbrushError]
    assert len(codes) == len(set(codes))


def test_a_path_becomes_a_detail() -> None:
    assert BadRequest("n is 0.", path="n").details == (Detail("n", "n is 0."),)
    assert CannotHonour("no.").details == ()


def test_advice_may_be_replaced() -> None:
    assert Unavailable("busy.", advice="Come back.").sentence() == "busy. Come back."
    assert Unavailable("busy.").sentence().startswith("busy. Nothing was charged")
