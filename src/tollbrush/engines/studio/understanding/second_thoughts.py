"""Prompts that say one thing and then another, or lean on edits that nobody remembers: what holds cannot be told."""

from __future__ import annotations

import re
from typing import Final

from tollbrush.engines.studio.understanding.refusals import NotHonouredError, shortened
from tollbrush.engines.studio.understanding.topics import FORMATS
from tollbrush.engines.studio.understanding.words import QUOTATION


def unsettled(prompt: str) -> NotHonouredError | None:
    """Why the prompt's wish cannot be told, if it cannot. What is quoted, to be written, says nothing of it."""
    said = QUOTATION.sub(" ", prompt)
    for pattern, why, advice in _KINDS:
        if found := pattern.search(said):
            words = found[found.lastindex or 0].strip(" ,.;!?–—-")
            return NotHonouredError(why.format(words, shortened(prompt)), prompt, advice, final=True)
    return None


_TAKES_BACK: Final = re.compile(
    r"\w.*?\b(nah|nope|nvm|never ?mind|changed my mind|forget (?:it|that|about it)|i'?ll do (?:it|that) myself)\W*$"
    r"|\w.*?\b(oh,? never ?mind)\b",
    re.IGNORECASE | re.DOTALL,
)
# … no wait …; …, no, blue; …, sorry, I meant gold; …, I mean vertically
_CORRECTS: Final = re.compile(
    r"\w.*?(?:\b(i meant\b|(?:my|our) mistake\b|scratch that|correction:|(?:oh|no|actually),? (?:no|wait)\b|wait,? no\b"
    r"|on second thought|or rather\b|oops|make that an?\b)"
    r"|[,.;–—-] *((?:no|nah|sorry|wait|er|erm|or rather|i mean)(?:,|\.\.+) )|[,.;] *(i mean [a-z]+ly)\b)",
    re.IGNORECASE | re.DOTALL,
)
_LEANS_BACK: Final = re.compile(
    r"\b(the way (?:you|we|they|i|he|she) (?:did|do|had|made)|(?:as|like) (?:last time|before|yesterday)|"
    r"(?:as|like|than) (?:in |on )?the (?:first|last|other|previous) (?:one|time|picture|photo|image|edit)|"
    r"than the (?:last|previous)(?=\W*$|[,.;!])|"
    r"(?:another|the other|a second|a different|some other) (?:picture|photo|image|pic))\b",
    re.IGNORECASE,
)
# … but not `is it possible to blur it?`, nor `how about a sunset?`
_QUESTIONS: Final = re.compile(
    r"^\W*(?!(?:is (?:it|that|this) possible|is there (?:a|any) (?:way|chance)|how (?:about|nice|great|cool)|"
    r"wh?at (?:about|if)|why (?:not|don'?t)|are you able)\b)"
    r"((?:does|did|is|are|was|were|has|should|shall|why|wh?at|wh?ich|who|whose|how|when|where|"
    r"do (?!it\b|an?\b|the\b|this\b|that\b|my\b|me\b|us\b|some)\w+)\b[^.!?;]*\?)\s*$",
    re.IGNORECASE,
)
_ORDERED: Final = (
    r"(?:would|could|can|please|pls|let|blur|remove|make|add|put|change|turn|crop|brighten|darken|give|fix|replace|get)"
)
# What a gorgeous sunset you can see behind us! Oh, I didn't know it could do bunny ears!
_MARVELS: Final = re.compile(
    rf"^\W*(what an? (?!.*\b{_ORDERED}\b)[^.!?;,:–—]*)\W*$|"
    r"^\W*(?:\w+,? )?(i (?:didn'?t|did not) (?:know|realise|realize)\b[^.!?;,]*\b(?:could|can|does|did)\b[^.!?;]*)\W*$",
    re.IGNORECASE,
)
# sharpen it, and I need it as a tiff
_FORMATS: Final = re.compile(
    r"\b((?:as|in|into|to) (?:an? )?(?:\w+ )?(?:tiff?|pdf|svg|psd|eps|bmp|gif|webp|heic|jpe?g|raw)"
    r"(?: (?:file|format))?)\W*(?:$|for\b|please|pls|so\b|and\b)",
    re.IGNORECASE,
)
_KINDS: Final = (
    (_QUESTIONS, '"{}" is a question.', "The studio answers none: say what should change."),
    (_FORMATS, '"{}" asks for a kind of file.', FORMATS),
    (_MARVELS, '"{}" asks for nothing.', "Say what should change."),
    (_TAKES_BACK, '"{}" takes back what "{}" asks for.', "Ask for the edit alone if it is wished after all."),
    (_CORRECTS, '"{}" seems to correct what "{}" asks for.', "Ask for what holds in the end, and nothing else."),
    (_LEANS_BACK, 'It is not known here what "{}" means in "{}".', "It remembers no edits: say what should change."),
)
