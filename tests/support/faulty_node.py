"""A chain behind a wire that can be spoilt, method by method, for both chain families."""

from __future__ import annotations

from typing import Any

import httpx2

from support.spoilt import SpoiltServer


class FaultyNode(SpoiltServer):
    """Passes calls on to the JSON-RPC at `target`. Calls are named by their method."""

    def __init__(self, target: str) -> None:
        self._target, self._behind = target, httpx2.Client(timeout=30)
        super().__init__()

    def name(self, path: str, body: dict[str, Any]) -> str:
        return str(body["method"])

    def work(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        content: dict[str, Any] = self._behind.post(self._target, json=body).json()
        return content

    def stop(self) -> None:
        super().stop()
        self._behind.close()
