"""The prompt `img2img`: the slash line as people type it, read by the one parser, told to the agent as a tool call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tollbrush.errors import BadRequest
from tollbrush.mcp.protocol import INVALID_PARAMS, Params, RpcError
from tollbrush.wire import slash

DESCRIPTION: Final = {
    "name": "img2img",
    "title": "Edit a picture",
    "description": "Edit a picture and pay for it: --image PATH [--mask PATH] [--model NAME] [--size WxH] [--n N] "
    "[--seed N] [--max-price USD] [--again] PROMPT",
    "arguments": [
        {
            "name": "line",
            "title": "What to edit",
            "description": "For example: --image ~/photo.png change the background to a starry sky",
            "required": True,
        }
    ],
}


def get(params: Params) -> Mapping[str, Any]:
    """Raises RpcError."""
    arguments = params.get("arguments")
    line = arguments.get("line") if isinstance(arguments, dict) else None
    if params.get("name") != "img2img" or not isinstance(line, str):
        raise RpcError(INVALID_PARAMS, "The only prompt is img2img, with the argument line.")
    try:
        command = slash.parse(line if slash.is_command(line) else f"{slash.COMMAND} {line}")
    except BadRequest as wrong:
        raise RpcError(INVALID_PARAMS, wrong.sentence()) from wrong
    said = {
        "image": list(command.images),
        "prompt": command.prompt,
        "mask": command.mask,
        "model": command.model,
        "size": command.size,
        "n": command.n,
        "seed": command.seed,
        "max_price": None if command.max_price is None else format(command.max_price, "f"),
        "again": command.again or None,
    }
    given = json.dumps({name: value for name, value in said.items() if value is not None}, ensure_ascii=False)
    text = f"Call the tool edit_image once, with exactly these arguments, and tell me what came of it:\n\n{given}"
    return {
        "description": command.prompt,
        "messages": [{"role": "user", "content": {"type": "text", "text": text}}],
    }
