"""`/v1/chat/completions`, so that `/img2img …` works in any chat that speaks OpenAI's dialect.

The last user message must begin with `/img2img`; its image parts count as `--image`. The answer is the pictures in
Markdown, the price and the receipt. Streamed, comments keep the connection alive while the edit runs.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from starlette.responses import JSONResponse, Response, StreamingResponse

from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, TollbrushError
from tollbrush.router.problems import openai_body, without_402
from tollbrush.wire import slash

HEARTBEAT_SECONDS: Final = 10.0
_IGNORED_PARTS: Final = frozenset({"refusal"})


@dataclass(frozen=True)
class ChatCall:
    """What a chat asked for. `assistant` is the model the chat named, which may be one of the gateway's."""

    command: slash.SlashCommand
    assistant: str
    stream: bool
    network: str | None


def read_chat(body: Mapping[str, Any]) -> ChatCall:
    """Raises BadRequest when the last user message is no command."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise BadRequest("messages must be a list.", path="messages")
    said = next((m for m in reversed(messages) if isinstance(m, dict) and m.get("role") == "user"), None)
    if said is None:
        raise BadRequest("no message of the user's came.", path="messages")
    text, images = _content(said.get("content"))
    if not slash.is_command(text):
        raise BadRequest(
            f"this chat edits pictures: the last message must begin with {slash.COMMAND}.",
            path="messages",
            advice=f"For example: {slash.EXAMPLE}",
        )
    stream, network, model = body.get("stream"), body.get("network"), body.get("model")
    if stream not in (None, True, False):
        raise BadRequest("stream must be true or false.", path="stream")
    if body.get("n") not in (None, 1):
        raise BadRequest("n counts chat answers and must be 1.", path="n", advice="Several pictures: --n 2.")
    if network is not None and not isinstance(network, str):
        raise BadRequest("network must be text.", path="network")
    assistant = model if isinstance(model, str) else ""
    return ChatCall(slash.parse(text, images), assistant, bool(stream), network)


def _content(content: Any) -> tuple[str, list[str]]:
    """The text and the image references of a message."""
    if isinstance(content, str):
        return content, []
    if not isinstance(content, list):
        raise BadRequest("the message's content must be text or a list of parts.", path="messages")
    texts, images = [], []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        match kind, part:
            case "text", {"text": str(text)}:
                texts.append(text)
            case "image_url", {"image_url": {"url": str(url)}} | {"image_url": str(url)}:
                images.append(url)
            case _ if kind not in _IGNORED_PARTS:
                raise BadRequest(f"a message part of type {str(kind)[:40]!r} is not understood.", path="messages")
    return "\n".join(texts), images


def markdown(answer: Mapping[str, Any]) -> str:
    """The pictures, then what was paid and how to check it."""
    pictures = [f"![edited picture]({picture['url']})" for picture in answer["data"]]
    price, paid = answer.get("price"), answer.get("payment")
    line = [str(Price.of(Decimal(price["amount"])))] if price else []
    line += [str(answer["model"])]
    line += [f"paid on {paid['network']}, transaction `{paid['tx_hash']}`"] if paid else []
    line += ["the same edit as before, not charged again"] if answer.get("replayed") else []
    return "\n\n".join([*pictures, " · ".join(line)])


async def respond(
    call: ChatCall, edit: Callable[[], Awaitable[Mapping[str, Any]]], *, heartbeat: float = HEARTBEAT_SECONDS
) -> Response:
    """A `chat.completion`, or its chunks. A failure within the first heartbeat has its own status."""
    if not call.stream:
        return JSONResponse(_completion(await edit()))
    task = asyncio.ensure_future(edit())
    await asyncio.wait([task], timeout=heartbeat)
    if task.done() and (failure := task.exception()):
        raise failure
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_stream(task, heartbeat), media_type="text/event-stream", headers=headers)


async def _stream(task: asyncio.Future[Mapping[str, Any]], heartbeat: float) -> AsyncIterator[str]:
    """Server-sent events: the role, comments while it works, the text, `[DONE]`."""
    frame = {"id": _chat_id(), "object": "chat.completion.chunk", "created": int(time.time()), "model": "tollbrush"}
    yield _event(frame, {"role": "assistant", "content": ""})
    while not task.done():
        await asyncio.wait([task], timeout=heartbeat)
        if not task.done():
            yield ": still editing\n\n"
    try:
        answer = await task
    except TollbrushError as error:
        yield f"data: {json.dumps(openai_body(without_402(error)))}\n\n"
    else:
        frame["model"] = answer["model"]
        yield _event(frame, {"content": markdown(answer)})
        yield _event(frame, {}, finish="stop")
    yield "data: [DONE]\n\n"


def _event(frame: Mapping[str, Any], delta: Mapping[str, Any], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return f"data: {json.dumps({**frame, 'choices': [choice]})}\n\n"


def _completion(answer: Mapping[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": markdown(answer), "refusal": None}
    return {
        "id": _chat_id(),
        "object": "chat.completion",
        "created": answer["created"],
        "model": answer["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        "edit": answer,
    }


def _chat_id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"
