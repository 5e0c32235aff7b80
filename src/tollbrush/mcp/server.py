"""The MCP server: what it says of itself, its tools and its prompt; results and errors in the protocol's shape."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

import msgspec

from tollbrush import __version__
from tollbrush.errors import TollbrushError
from tollbrush.mcp import prompt
from tollbrush.mcp.answers import Answer
from tollbrush.mcp.consent import Place
from tollbrush.mcp.protocol import INVALID_PARAMS, NO_METHOD, Call, Params, RpcError, serve
from tollbrush.mcp.shapes import schema
from tollbrush.mcp.tools import TOOLS, Tool, Tools

VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Of the protocol; a client that speaks none of them is offered the last."""
_LINKS_SINCE: Final = "2025-06-18"
"""Structured results and resource links exist since then."""
_INSTRUCTIONS: Final = """Edits pictures and pays for each edit in USDC, within the caps of the wallet's owner.
Give local pictures by their path: never read them into the conversation first. `quote` is free, `edit_image` pays.
A prompt is one plain instruction (change the background to a starry sky; remove the background; add a hat); with a mask
only its white part changes. When an edit is still running, call `get_job`: the same edit is never paid for twice."""


class Server:
    """One client's connection. `place` finds the settings and the running router; it may block."""

    def __init__(self, place: Callable[[], Place]) -> None:
        self._tools = Tools(place)
        self._version = VERSIONS[-1]

    async def request(self, call: Call, method: str, params: Params) -> Mapping[str, Any]:
        match method:
            case "initialize":
                return self._initialize(params)
            case "ping":
                return {}
            case "tools/list":
                return {"tools": self._listed}
            case "tools/call":
                return await self._called(call, params)
            case "prompts/list":
                return {"prompts": [prompt.DESCRIPTION]}
            case "prompts/get":
                return prompt.get(params)
        raise RpcError(NO_METHOD, f"There is no method {method[:60]!r}.")

    def surprise(self, error: Exception) -> None:
        import structlog

        structlog.get_logger(__name__).error("unforeseen error", exc_info=error)

    async def close(self) -> None:
        await self._tools.close()

    def _initialize(self, params: Params) -> Mapping[str, Any]:
        asked = params.get("protocolVersion")
        self._version = asked if asked in VERSIONS else VERSIONS[-1]
        capabilities = params.get("capabilities")
        elicitation = capabilities.get("elicitation") if isinstance(capabilities, dict) else None
        # `{}` means forms; a client may also say that it only opens URLs.
        self._tools.can_ask = isinstance(elicitation, dict) and (not elicitation or "form" in elicitation)
        return {
            "protocolVersion": self._version,
            "capabilities": {"tools": {}, "prompts": {}},
            "serverInfo": {"name": "tollbrush", "title": "tollbrush", "version": __version__},
            "instructions": _INSTRUCTIONS,
        }

    @cached_property
    def _listed(self) -> list[Mapping[str, Any]]:
        return [_described(tool) for tool in TOOLS.values()]

    async def _called(self, call: Call, params: Params) -> Mapping[str, Any]:
        tool = TOOLS.get(str(params.get("name")))
        if tool is None:
            raise RpcError(INVALID_PARAMS, f"There is no tool {str(params.get('name'))[:60]!r}.")
        try:
            arguments = msgspec.convert(params.get("arguments") or {}, tool.takes)
        except msgspec.ValidationError as wrong:
            return _failure(f"{tool.name}: {wrong}.", "bad_request")
        try:
            answer = await tool.run(self._tools, call, arguments)
        except TollbrushError as error:
            return _failure(error.sentence(), error.code)
        return await asyncio.to_thread(self._shown, answer)

    def _shown(self, answer: Answer) -> Mapping[str, Any]:
        content: list[Mapping[str, Any]] = [{"type": "text", "text": answer.text}]
        if answer.pictures:
            from tollbrush.mcp.album import thumbnails

            content += [{"type": "image", "data": d, "mimeType": kind} for d, kind in thumbnails(answer.pictures)]
        if self._version < _LINKS_SINCE:
            return {"content": content}
        content += [{"type": "resource_link", "uri": path.as_uri(), "name": path.name} for path in answer.files]
        return {"content": content, "structuredContent": msgspec.to_builtins(answer.value)}


async def run(place: Callable[[], Place]) -> None:
    """Serve the client on stdin and stdout until it hangs up."""
    server = Server(place)
    await serve(server, server.close)


def _failure(text: str, code: str) -> Mapping[str, Any]:
    """A tool's error, as its caller reads it; control characters of paths and foreign words are escaped."""
    safe = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return {"content": [{"type": "text", "text": safe}], "isError": True, "_meta": {"tollbrush/code": code}}


def _described(tool: Tool) -> Mapping[str, Any]:
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": schema(tool.takes),
        "outputSchema": schema(tool.gives),
        "annotations": {
            "title": tool.title,
            "readOnlyHint": not tool.spends,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": True,
        },
    }
