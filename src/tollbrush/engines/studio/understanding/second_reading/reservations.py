"""What forbids to take a prompt for the wishes that the second reading finds in it: they are told, not wished; of
something else; or there is more to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, cast

from tollbrush.engines.studio.plans.kinds import OPPOSITE, ToneKind
from tollbrush.engines.studio.understanding.clauses import clauses
from tollbrush.engines.studio.understanding.second_reading.colours import clause_numbers
from tollbrush.engines.studio.understanding.second_reading.network import Read
from tollbrush.engines.studio.understanding.second_reading.tokens import Token
from tollbrush.engines.studio.understanding.words import Term


def reserved(tokens: Sequence[Token], terms: Sequence[Term], told: Read) -> bool:
    return (
        (_is_negated(terms) and not told.wishes & {"write", "watermark"})
        or _spares_the_background(terms)
        or _is_of_a_thing(terms)
        or _is_what_it_is_for(tokens, told)
        or _replaces_someone(terms)
        or _is_there(terms, told)
        or _is_so_already(tokens, told)
        or _is_of_another_tint(terms, told)
        or ("style sketch" in told.wishes and _is_in_colour(terms))
        or _is_to_be_undone(terms, told)
        or _is_of_the_background(tokens, told)
    )


def _is_negated(terms: Sequence[Term]) -> bool:
    """In every clause, so that what is not wished cannot be told from what is; or by one of nothing else: `… not!`."""
    told = [[term.key for term in clause.terms] for clause in clauses(terms)]
    return all(any(map(_NEGATION.search, keys)) for keys in told) or ["not"] in told or ["never"] in told


def _spares_the_background(terms: Sequence[Term]) -> bool:
    """`remove everything except the background`; `blur me, not the background`."""
    return any((one.plays("EXCEPT") or one.key == "not") and other.plays("BG") for one, other in pairwise(terms))


def _is_what_it_is_for(tokens: Sequence[Token], told: Read) -> bool:
    """A second wish in words that say what the first is for: `… for my lip gloss listing`."""
    words = [token.word for token in tokens]
    for at in (at for at, pair in enumerate(pairwise(words)) if pair[0] == "for" and pair[1] in _WHOSE):
        ends = next((end for end in range(at, len(words)) if words[end] in _PARTED), len(words))
        inside = [at < place < ends for place in told.places.values()]
        if any(inside) and not all(inside):
            return True
    return False


def _is_of_a_thing(terms: Sequence[Term]) -> bool:
    """`the colours of the sneakers`: not the picture's."""
    return any(
        one.plays("COLOURS", "TONES") and of.plays("OF") and thing.plays("UNKNOWN", "THING", "WEAR")
        for one, of, thing in _threes(terms)
    )


def _replaces_someone(terms: Sequence[Term]) -> bool:
    """`mountains instead of the dog`."""
    return any(
        one.plays("INSTEAD") and of.plays("OF") and who.plays("PERSON", "ANIMAL") for one, of, who in _threes(terms)
    )


def _threes(terms: Sequence[Term]) -> Iterator[tuple[Term, Term, Term]]:
    """All that stand side by side."""
    return zip(terms, terms[1:], terms[2:], strict=False)


def _is_there(terms: Sequence[Term], told: Read) -> bool:
    """`there's a crown on her head`; `white behind the headphones`."""
    if any(one.plays("BEHIND") and f"wear {worn.roles.get('WEAR')}" in told.wishes for one, worn in pairwise(terms)):
        return True
    tells = [clause.terms for clause in clauses(terms) if clause.terms[0].plays("THERE")]
    return any(f"wear {term.roles.get('WEAR')}" in told.wishes for clause in tells for term in clause)


def _is_so_already(tokens: Sequence[Token], told: Read) -> bool:
    """`it's a bit faded from the sun, boost the contrast` wishes for no fading."""
    for wish, at in told.places.items() if len(told.wishes) > 1 else ():
        kind = wish.split(" ")[-1]
        said = next(
            (one for one in reversed(tokens[:at]) if not {"DEGREE", "TOO", "SO", "COURTESY"} & {*one.roles}), None
        )
        if said and "IS" in said.roles and any(role.endswith(f"={kind}") for role in tokens[at].roles):
            return True
    return False


def _is_to_be_undone(terms: Sequence[Term], told: Read) -> bool:
    """`less vintage`; `the colours have faded`."""
    pairs = [(one, other) for one, other in pairwise(terms) if one.plays("LESS", "NO", "NOT", "HAVING")]
    return any(
        f"style {other.roles.get('STYLE')}" in told.wishes or (one.plays("HAVING") and other.key == "faded")
        for one, other in pairs
    )


def _is_in_colour(terms: Sequence[Term]) -> bool:
    """`pencil sketch in colour`: it is drawn in grey."""
    ofs = [clause.terms for clause in clauses(terms) if any(term.plays("STYLE") for term in clause.terms)]
    return any(term.plays("COLOURS") for part in ofs for term in part)


def _is_of_another_tint(terms: Sequence[Term], told: Read) -> bool:
    """Less yellow, of a green cast."""
    named = {*values(terms, "TINT")}
    tints = {wish.removeprefix("tone ") for wish in told.wishes} & _TINTS
    return bool(named) and any(not named & {tint, OPPOSITE[cast(ToneKind, tint)]} for tint in tints)


def _is_of_the_background(tokens: Sequence[Token], told: Read) -> bool:
    """A tone of the picture, of `the background should get more contrast`."""
    if any("background" in wish or wish == "cut out" for wish in told.wishes):
        return False
    clause = clause_numbers(tokens)
    toned = {clause[at] for wish, at in told.places.items() if wish.startswith("tone ")}
    grounds = {number for number, token in zip(clause, tokens, strict=True) if "BG" in token.roles}
    whole = {number for number, token in zip(clause, tokens, strict=True) if {"PICTURE", "FOR"} & {*token.roles}}
    return bool(toned & grounds - whole)


def values(terms: Sequence[Term], *roles: str) -> list[str]:
    return [f"{term.roles[role]}" for term in terms for role in roles if role in term.roles]


_TINTS: Final = {"more_red", "more_orange", "more_yellow", "more_blue", "more_green", "more_pink"}
_WHOSE: Final = ("my", "our", "his", "her", "their", "the", "a", "an")
_PARTED: Final = (
    ",", ".", ";", ":", "and", "with", "plus", "then", "&", "+", "!", "-", "–", "i'd", "we'd", "i", "we", "please",
    "can", "could",
)  # fmt: skip
_NEGATION: Final = re.compile(r"\b(?:not|never|cannot|(?:do|ca|wo|did|is|does|was|should|would|could)nt)\b|n't$")
