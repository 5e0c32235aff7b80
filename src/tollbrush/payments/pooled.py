"""HTTP for a gateway, which asks its chains and facilitators all day: a fifth of the CPU of payments/web.py's."""

from __future__ import annotations

from typing import Final

import aiohttp

from tollbrush.payments.web import MAX_ANSWER, NoAnswer, trusts_environment

_JSON: Final = {"content-type": "application/json"}
_AT_ONCE: Final = 100


class PooledWeb:
    """`seconds` bound each call as a whole."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url, self._seconds = url, seconds
        self._session: aiohttp.ClientSession | None = None

    async def send(self, verb: str, path: str = "", body: bytes | None = None) -> tuple[int, bytes]:
        if self._session is None:  # made where the event loop is that it belongs to
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_AT_ONCE),
                timeout=aiohttp.ClientTimeout(total=self._seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=trusts_environment(self._url),
            )
        try:
            async with self._session.request(
                verb, self._url + path, data=body, headers=_JSON, allow_redirects=False
            ) as response:
                return response.status, await _content(response)
        except TimeoutError as failure:
            raise NoAnswer("timeout") from failure
        except (aiohttp.ClientError, OSError, ValueError) as failure:  # ValueError: of a URL
            raise NoAnswer("unreachable") from failure

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _content(response: aiohttp.ClientResponse) -> bytes:
    """Raises NoAnswer."""
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER:
            raise NoAnswer("answer_too_large")
    return b"".join(parts)
