"""JSON-RPC 2.0 over HTTP: the one way this package talks to a chain."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tollbrush.wire.nesting import is_too_deep

_MAX_ANSWER = 4 * 2**20


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

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self.url = url
        # A proxy of the environment must not stand between us and a node on this machine.
        remote = urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1")
        headers = {"content-type": "application/json"}
        self._http = httpx2.AsyncClient(timeout=timeout, headers=headers, trust_env=remote)
        self._ids = itertools.count(1)

    async def call(self, method: str, *params: Any) -> Any:
        """The `result`. Raises RpcError, RpcUnreachable."""
        request = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}
        try:
            response = await self._http.post(self.url, json=request)
        except httpx2.HTTPError as failure:
            raise RpcUnreachable(f"{method}: {type(failure).__name__}") from failure
        if len(response.content) > _MAX_ANSWER:
            raise RpcUnreachable(f"{method}: the answer is over {_MAX_ANSWER} bytes")
        if is_too_deep(response.content):
            raise RpcUnreachable(f"{method}: the answer is nested too deeply")
        try:
            answer = response.json()
        except ValueError as failure:
            raise RpcUnreachable(f"{method}: HTTP {response.status_code}, not JSON") from failure
        if not isinstance(answer, dict) or ("result" not in answer and not answer.get("error")):
            raise RpcUnreachable(f"{method}: HTTP {response.status_code}, not a JSON-RPC answer")
        if error := answer.get("error"):
            error = error if isinstance(error, dict) else {"message": str(error)}
            raise RpcError(int(error.get("code") or 0), str(error.get("message", ""))[:500], error.get("data"))
        return answer["result"]

    async def close(self) -> None:
        await self._http.aclose()
