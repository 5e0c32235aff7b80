"""An agent as it is: the official MCP client, and `tollbrush mcp` as the process that it starts."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TextIO

from mcp import ClientSession, StdioServerParameters
from mcp.client import ClientRequestContext
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult

from support.stack import environment


class User:
    """Who is asked; `questions` as they were put."""

    def __init__(self, answer: ElicitResult) -> None:
        self._answer, self.questions = answer, list[str]()

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        return self._answer


@asynccontextmanager
async def connected(
    home: Path, *words: str, env: Mapping[str, str] = {}, user: User | None = None, errlog: TextIO = sys.stderr
) -> AsyncIterator[ClientSession]:
    """A session after its handshake. Without `user` the client cannot ask anybody."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "tollbrush", "mcp", *words],
        env=environment(home) | dict(env),
        cwd=home,
    )
    async with (
        stdio_client(server, errlog) as (read, write),
        ClientSession(read, write, elicitation_callback=user) as session,
    ):
        await session.initialize()
        yield session


def text(result: CallToolResult) -> str:
    return "\n".join(part.text for part in result.content if part.type == "text")


def said(result: CallToolResult) -> dict[str, Any]:
    """What the tool gave, checked against its schema by the client."""
    assert not result.is_error, text(result)
    given: dict[str, Any] = result.structured_content
    return given


def kinds(result: CallToolResult) -> Sequence[str]:
    return [part.type for part in result.content]
