"""HTTP as payments need it: one server, small bodies, no redirects, an end to every call."""

from __future__ import annotations

from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx2

MAX_ANSWER: Final = 4 * 2**20
_JSON: Final = {"content-type": "application/json"}


class NoAnswer(Exception):
    """No usable answer came; the message is a name for why. Whether the call took effect is unknown."""


class Web(Protocol):
    """Connections to one server, for one event loop."""

    async def send(self, verb: str, path: str = "", body: bytes | None = None) -> tuple[int, bytes]:
        """Status and content, after `path` was put behind the server's URL. Raises NoAnswer: `timeout`, `unreachable`,
        `answer_too_large`."""
        ...

    async def close(self) -> None: ...


def trusts_environment(url: str) -> bool:
    """A proxy of the environment must not stand between us and a server on this machine."""
    return urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1")


class LightWeb:
    """By what every installation has. A gateway's is payments/pooled.py."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self._http = httpx2.AsyncClient(timeout=seconds, headers=_JSON, trust_env=trusts_environment(url))

    async def send(self, verb: str, path: str = "", body: bytes | None = None) -> tuple[int, bytes]:
        try:
            response = await self._http.request(verb, self._url + path, content=body)
        except httpx2.TimeoutException as failure:
            raise NoAnswer("timeout") from failure
        except (httpx2.HTTPError, httpx2.InvalidURL) as failure:
            raise NoAnswer("unreachable") from failure
        if len(response.content) > MAX_ANSWER:
            raise NoAnswer("answer_too_large")
        return response.status_code, response.content

    async def close(self) -> None:
        await self._http.aclose()
