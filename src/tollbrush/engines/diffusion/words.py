"""How long a prompt is to the model that reads it: diffusers cuts what is too long and logs it; we refuse."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final

from tollbrush.engines.diffusion.adapters import Words
from tollbrush.errors import BadRequest

_CLIP_LENGTH: Final = 77


class Reader:
    """Counts with tokenizers of its own: the pipeline's are told to cut and to pad while they read, which is seen by
    whoever counts with them at that moment, and the other way round."""

    def __init__(self, pipe: Any, words: Words) -> None:
        names = ("tokenizer", "tokenizer_2", "system_message")
        own = {name: copy.deepcopy(getattr(pipe, name)) for name in names if getattr(pipe, name, None) is not None}
        self._own, self._words = SimpleNamespace(**own), words
        self._gate = threading.Lock()

    def check(self, prompt: str) -> None:
        """Raises BadRequest with the count and the limit, both without what the model's own template and markers
        take."""
        with self._gate:
            counts = _counts(self._own, self._words, prompt)
        for found, limit in counts:
            if found > limit:
                raise BadRequest(
                    f"prompt is {found:,} tokens to this model; it reads {limit:,}.",
                    path="prompt",
                    advice="Say it in fewer words. Nothing was charged.",
                )


def _counts(pipe: Any, words: Words, prompt: str) -> list[tuple[int, int]]:
    """(tokens, limit) of each tokenizer that counts."""
    if words.how == "clip":
        readers = [reader for reader in (pipe.tokenizer, getattr(pipe, "tokenizer_2", None)) if reader is not None]
        return [_beside(lambda text, r=reader: _plain(r, text), prompt, _own_limit(reader)) for reader in readers]
    limit = words.limit
    assert limit is not None
    if words.how == "t5":  # CLIP reads along for the mood of the whole, and is cut by design
        return [_beside(lambda text: _plain(pipe.tokenizer_2, text), prompt, limit)]
    if words.how == "chat":
        return [_beside(lambda text: _chat(pipe, text), prompt, limit)]
    if words.how == "processor":
        return [_beside(lambda text: _processed(pipe, text), prompt, limit)]
    if words.how == "quoted":
        return [(_quoted(pipe.tokenizer, prompt), limit)]
    return [(_plain(pipe.tokenizer, prompt), limit)]


def _beside(count: Any, prompt: str, limit: int) -> tuple[int, int]:
    """Without what an empty prompt takes."""
    frame = count("")
    return count(prompt) - frame, limit - frame


def _own_limit(reader: Any) -> int:
    """A tokenizer without a length of its own says 10^30."""
    length = int(reader.model_max_length)
    return length if length < 10**6 else _CLIP_LENGTH


def _plain(reader: Any, text: str) -> int:
    return len(reader(text, verbose=False)["input_ids"])


def _chat(pipe: Any, text: str) -> int:
    """The template's switch for thinking writes a few tokens of its own; the longer form is counted."""
    message = [{"role": "user", "content": text}]
    return max(
        _plain(
            pipe.tokenizer,
            pipe.tokenizer.apply_chat_template(
                message, tokenize=False, add_generation_prompt=True, enable_thinking=thinking
            ),
        )
        for thinking in (False, True)
    )


def _processed(pipe: Any, text: str) -> int:
    """As `Flux2Pipeline` writes it: a system message, and `[IMG]` taken out."""
    said = [
        {"role": "system", "content": [{"type": "text", "text": pipe.system_message}]},
        {"role": "user", "content": [{"type": "text", "text": text.replace("[IMG]", "")}]},
    ]
    read: Mapping[str, Any] = pipe.tokenizer.apply_chat_template(
        [said], add_generation_prompt=False, tokenize=True, return_dict=True
    )
    return len(read["input_ids"][0])


def _quoted(reader: Any, text: str) -> int:
    from diffusers.pipelines.longcat_image.pipeline_longcat_image_edit import split_quotation

    parts = (piece for part, quoted in split_quotation(text) for piece in (part if quoted else (part,)))
    return sum(len(reader(piece, add_special_tokens=False, verbose=False)["input_ids"]) for piece in parts)
