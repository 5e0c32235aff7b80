"""Which licences let edits be sold, and what the operator and the buyer are told."""

from __future__ import annotations

import pytest

from tollbrush.domain.licences import LICENCES, check_sale, licence
from tollbrush.errors import BadSettings


@pytest.mark.parametrize("row", LICENCES, ids=lambda row: row.key)
def test_a_licence_is_known_by_its_key_and_by_its_name_in_any_case(row: object) -> None:
    (found,) = [known for known in LICENCES if known is row]
    assert licence(f" {found.key.upper()} ") is found
    assert licence(found.name.lower()) is found


@pytest.mark.parametrize(
    "words",
    ["CC-BY-NC-4.0", "cc by-nc 4.0", "FLUX.1 Dev Non Commercial", "acme noncommercial v2", "for research only",
     "Some Research License", "personal use"],
)  # fmt: skip
def test_what_calls_itself_not_for_money_is_not_sold(words: str) -> None:
    assert licence(words).sale == "no"


@pytest.mark.parametrize("words", ["acme commercial licence", "MIT", "apache-2.0", "Example terms", "bsd-3-clause"])
def test_others_are_sold_on_the_operators_word(words: str) -> None:
    assert licence(words).sale == "yes"
    check_sale("acme/x", licence(words), frozenset())


def test_a_refusal_says_what_the_licence_says_and_how_to_go_on() -> None:
    terms = licence("flux-1-dev-non-commercial-license")
    with pytest.raises(BadSettings) as refused:
        check_sale("a/kontext", terms, frozenset({"a/other"}))
    said = refused.value.sentence()
    assert "a/kontext may not be sold: the FLUX.1 [dev] Non-Commercial License allows non-commercial use only" in said
    assert 'licensed = ["a/kontext"]' in said
    check_sale("a/kontext", terms, frozenset({"a/kontext"}))


def test_terms_that_bind_the_buyer_are_told_with_their_place() -> None:
    assert "bind you too: https://" in licence("openrail++").told()
    assert licence("mit").told() == "MIT"
