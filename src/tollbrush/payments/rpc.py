"""JSON-RPC 2.0 over HTTP: the one way this package talks to a chain."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import msgspec

from tollbrush.payments.web import LightWeb, NoAnswer, Web
from tollbrush.wire.nesting import is_too_deep


class RpcError(Exception):
    """The node answered with an error: the call was understood and refused (a revert, for one)."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class RpcUnreachable(Exception):
    """No usable answer came: a refused connection, a time-out, HTTP 5xx, or not JSON-RPC. Whether the call took
    effect is unknown."""


class JsonRpc:
    """One node. Safe for concurrent use within one event loop."""

    def __init__(self, url: str, *, timeout: float = 10.0, web: Callable[[str, float], Web] = LightWeb) -> None:
        self.url, self._web = url, web(url, timeout)
        self._ids = itertools.count(1)

    async def call(self, method: str, *params: Any) -> Any:
        """The `result`. Raises RpcError, RpcUnreachable."""
        request = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        try:
            status, content = await self._web.send("POST", body=msgspec.json.encode(request))
        except NoAnswer as failure:
            raise RpcUnreachable(f"{method}: {failure}") from failure
        if is_too_deep(content):
            raise RpcUnreachable(f"{method}: the answer is nested too deeply")
        try:
            answer = json.loads(content)
        except ValueError as failure:
            raise RpcUnreachable(f"{method}: HTTP {status}, not JSON") from failure
        if not isinstance(answer, dict) or ("result" not in answer and not answer.get("error")):
            raise RpcUnreachable(f"{method}: HTTP {status}, not a JSON-RPC answer")
        if error := answer.get("error"):
            error = error if isinstance(error, dict) else {"message": str(error)}
            raise RpcError(int(error.get("code") or 0), str(error.get("message", ""))[:500], error.get("data"))
        return answer["result"]

    async def close(self) -> None:
        await self._web.close()
