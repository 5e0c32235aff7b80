"""The slash command: one grammar for chat, command line and page.

    /img2img --image PATH|URL [--image …] [--mask PATH] [--model NAME] [--size WxH] [--n N] [--seed N]
             [--max-price USD] [--again] PROMPT…

Flags stand before or after the prompt, as `--flag value` or `--flag=value`; a lone `--` ends them. A quote groups
only where a word (or a flag's value) begins and only when it closes at a word's end: anywhere else it is a letter,
so `don't` and `the dogs' bowl` mean themselves. The prompt keeps its quotes unless it is one quoted phrase.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from tollbrush.domain.edits import MAX_N, MAX_SEED, check_int, check_prompt, parse_size
from tollbrush.errors import BadRequest

COMMAND: Final = "/img2img"
FLAGS: Final = ("--image", "--mask", "--model", "--size", "--n", "--seed", "--max-price", "--again")
EXAMPLE: Final = f"{COMMAND} --image photo.png add a hat"

_START = re.compile(rf"\s*{COMMAND}(?=\s|\Z)")
_FLAG = re.compile(r"(?:--|[—–](?=[a-z]))[^\s=]+")  # phones turn -- into a dash
_CLOSERS: Final = {'"': '"”', "“": '”"', "„": "“”", "«": "»", "'": "'’", "‘": "’'"}
_DOLLARS = re.compile(r"\$?[0-9]{1,9}(?:\.[0-9]{1,18})?", re.ASCII)


@dataclass(frozen=True)
class SlashCommand:
    """What was typed. `images` and `mask` are paths, URLs or data URIs, unread; None where a flag was not given;
    `max_price` in dollars."""

    prompt: str
    images: tuple[str, ...]
    mask: str | None = None
    model: str | None = None
    size: str | None = None
    n: int | None = None
    seed: int | None = None
    max_price: Decimal | None = None
    again: bool = False


def is_command(text: str) -> bool:
    """Whether the text begins with `/img2img` as a word."""
    return _START.match(text) is not None


def parse(text: str, attached: Sequence[str] = ()) -> SlashCommand:
    """Text that begins with `/img2img`. `attached`: pictures that came beside the text, after those of `--image`.
    Raises BadRequest naming the flag and what it takes."""
    start = _START.match(text)
    if start is None:
        raise BadRequest(f"the command must begin with {COMMAND}.", advice=f"For example: {EXAMPLE}")
    return _command(_words(text, start.end()), attached)


def parse_words(argv: list[str]) -> SlashCommand:
    """Words that a shell has split already, with or without a leading `/img2img`. Raises BadRequest."""
    words = argv[1:] if argv[:1] == [COMMAND] else argv
    return _command((_Word(None if _FLAG.match(w) else w, w) for w in words), ())


class _Word(NamedTuple):
    """`raw` as typed; `value` without its quotes, None when the word is a flag."""

    value: str | None
    raw: str
    quoted: bool = False


def _words(text: str, at: int) -> Iterator[_Word]:
    """Split on white space; linear in the text, whatever quotes it holds."""
    closers = {
        opening: [m.start() for m in re.finditer(rf"[{closing}](?=\s|\Z)", text)]
        for opening, closing in _CLOSERS.items()
        if opening in text
    }
    blank, solid = re.compile(r"\s+"), re.compile(r"\S+")
    while at < len(text):
        if space := blank.match(text, at):
            at = space.end()
            continue
        flag = _FLAG.match(text, at)
        inner = flag.end() + 1 if flag and text.startswith("=", flag.end()) else at
        opening = text[inner : inner + 1]
        ends = closers.get(opening, [])
        found = bisect_left(ends, inner + 1)
        if found < len(ends):
            end = ends[found] + 1
            value = text[inner + 1 : end - 1]
            if inner > at:  # --flag="a value": the same word without its quotes
                yield _Word(None, text[at:inner] + value)
            else:
                yield _Word(value, text[at:end], quoted=True)
        else:
            word = next(solid.finditer(text, at))
            end = word.end()
            yield _Word(None if flag else word[0], word[0])
        at = end


def _command(words: Iterable[_Word], attached: Sequence[str]) -> SlashCommand:
    given: dict[str, list[str]] = {}
    prompt: list[_Word] = []
    stream = iter(words)
    for word in stream:
        if word.raw == "--" and not word.quoted:
            prompt.extend(stream)
        elif word.value is not None:
            prompt.append(word)
        else:
            name, equals, value = re.sub(r"^[—–]", "--", word.raw).partition("=")
            if name not in FLAGS:
                raise BadRequest(f"unknown flag {name[:60]!r}.", path=name[:60], advice=f"Known: {', '.join(FLAGS)}.")
            if name == "--again":
                if equals:
                    raise BadRequest("--again takes no value.", path=name)
            elif not equals:
                following = next(stream, None)
                if following is None or following.value is None:
                    raise BadRequest(f"{name} needs a value.", path=name, advice=f"For example: {EXAMPLE}")
                value = following.value
            given.setdefault(name, []).append(value)
    return _checked(given, prompt, attached)


def _checked(given: dict[str, list[str]], prompt: list[_Word], attached: Sequence[str]) -> SlashCommand:
    for name, values in given.items():
        if len(values) > 1 and name not in ("--image", "--again"):
            raise BadRequest(f"{name} is given {len(values)} times; give it once.", path=name)
        if name != "--again" and not all(values):
            raise BadRequest(f"{name} has an empty value.", path=name)
    one = {name: values[0] for name, values in given.items()}
    images = (*given.get("--image", ()), *attached)
    if not images:
        raise BadRequest("no picture was given.", path="--image", advice=f"For example: {EXAMPLE}")
    text = prompt[0].value if len(prompt) == 1 and prompt[0].quoted else " ".join(w.raw for w in prompt)
    if (size := one.get("--size")) is not None:
        parse_size(size)
    return SlashCommand(
        prompt=check_prompt(text),
        images=images,
        mask=one.get("--mask"),
        model=one.get("--model"),
        size=size,
        n=_whole(one.get("--n"), "n", 1, MAX_N),
        seed=_whole(one.get("--seed"), "seed", 0, MAX_SEED),
        max_price=_dollars(one.get("--max-price")),
        again="--again" in one,
    )


def _whole(text: str | None, name: str, low: int, high: int) -> int | None:
    if text is None:
        return None
    digits = re.fullmatch(r"[0-9]{1,12}", text, re.ASCII)
    return check_int(int(text) if digits else text, name, low, high)


def _dollars(text: str | None) -> Decimal | None:
    if text is None:
        return None
    if not _DOLLARS.fullmatch(text) or (dollars := Decimal(text.removeprefix("$"))) <= 0:
        raise BadRequest(
            f"--max-price {text[:40]!r} is not an amount of dollars, for example 0.05.", path="--max-price"
        )
    return dollars
