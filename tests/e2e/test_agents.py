"""The slash command in a chat, as the official OpenAI SDK sends it: text, attached pictures, streams, refusals."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from support.pictures import half_mask, photo
from support.stack import Everything

pytestmark = pytest.mark.e2e

URL = re.compile(r"!\[edited picture\]\((http://[^)]+)\)")


@pytest.fixture
def chat(stack: Everything) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{stack.router}/v1", api_key="none", max_retries=0) as client:
        yield client


def user(*content: Any) -> list[Any]:
    return [{"role": "user", "content": content[0] if len(content) == 1 else list(content)}]


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def picture(data: bytes) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(data).decode()}}


def test_whole(stack: Everything, chat: openai.OpenAI) -> None:
    before = stack.balances()
    said = chat.chat.completions.create(
        model="tollbrush/studio", messages=user("/img2img --image ~/photo.png --size 320x320 make it cooler")
    )
    (choice,) = said.choices
    assert choice.finish_reason == "stop" and said.object == "chat.completion" and said.model == "tollbrush/studio"
    shown = choice.message.content or ""
    (url,) = URL.findall(shown)
    assert "$0.0021 · tollbrush/studio · paid on " in shown
    answer = httpx2.get(url)
    assert answer.headers["content-type"] == "image/png"
    assert sum(before.values()) - sum(stack.balances().values()) == 2_100


def test_streamed(stack: Everything, chat: openai.OpenAI) -> None:
    line = "/img2img --image ~/photo.png --size 320x320 --n 2 make it warmer"
    stream = chat.chat.completions.create(model="studio", messages=user(line), stream=True)
    chunks = list(stream)
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"} and len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert len(URL.findall(told)) == 2 and "$0.0042" in told


def test_an_attached_picture_counts_as_image(stack: Everything, chat: openai.OpenAI) -> None:
    mask = stack.home / "half.png"
    mask.write_bytes(half_mask(96, 96))
    messages = user(text("/img2img --mask half.png --size auto make it black and white"), picture(photo(96, 96)))
    said = chat.chat.completions.create(model="studio", messages=messages)
    edit = json.loads(said.model_dump_json())["edit"]
    assert (edit["data"][0]["width"], edit["data"][0]["height"], edit["data"][0]["preserved"]) == (96, 96, True)


def test_a_long_talk_is_read_from_its_end(stack: Everything, chat: openai.OpenAI) -> None:
    """And the same line again is the same picture, not charged again; the chat's own model names nothing here."""
    line = "/img2img --image ~/photo.png --model tollbrush/studio --size 320x320 make it cooler"
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        *user("/img2img --image /nowhere.png add a hat"),
        {"role": "assistant", "content": "No such file."},
        *user(line),
    ]
    before = stack.balances()
    said = chat.chat.completions.create(model="gpt-9", messages=messages, temperature=0.7, max_tokens=100)
    assert "not charged again" in (said.choices[0].message.content or "")
    assert stack.balances() == before


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "no message of the user"),
        (user("hello"), "must begin with /img2img"),
        (user("/img2img add a hat"), "no picture was given"),
        (user("/img2img --image ~/photo.png --colour red hat"), "--colour"),
        (user("/img2img --image /etc/passwd add a hat"), "outside the folders"),
        (user("/img2img --image ~/photo.png --size 320x320 --max-price 0.0001 make it sepia"), "more than the"),
        (user("/img2img --image ~/photo.png --model studio make it explode into dragons"), "dragons"),
        (user(text("/img2img add a hat"), {"type": "input_audio", "input_audio": {}}), "input_audio"),
    ],
)
def test_refusals_are_errors_of_the_sdk(
    stack: Everything, chat: openai.OpenAI, messages: list[Any], words: str, stream: bool
) -> None:
    """Streamed or not: with a status, before any stream begins."""
    before = stack.balances()
    with pytest.raises((openai.BadRequestError, openai.PermissionDeniedError), match=words):
        chat.chat.completions.create(model="tollbrush/studio", messages=messages, stream=stream)
    assert stack.balances() == before
