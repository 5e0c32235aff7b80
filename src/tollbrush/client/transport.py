"""One HTTP call, with bounds: the answer's size, and what is known when it fails."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx2
import msgspec

from tollbrush.errors import Unavailable, UpstreamFailed
from tollbrush.wire.nesting import is_too_deep

MAX_ANSWER: Final = 128 * 2**20
"""Bytes of an answer: ten pictures in base64, if a gateway sends them so."""
JSON: Final = {"content-type": "application/json", "accept": "application/json"}
_MAX_REFUSAL: Final = 2**20
_TIMEOUT: Final = httpx2.Timeout(300.0, connect=10.0, pool=None)
_WHOLE_SECONDS: Final = 600
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class NotSent(Exception):
    """No connection: nothing has left this machine."""


class NoAnswer(Exception):
    """The connection broke or timed out after it stood: the other side may have acted."""


@dataclass(frozen=True)
class Answer:
    """`headers` in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any] | None:
        """The JSON object in the body, or None."""
        if is_too_deep(self.body):
            return None
        try:
            value = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None
        return value if isinstance(value, dict) else None

    @property
    def retry_after(self) -> int | None:
        """Whole seconds, when the answer says so."""
        text = self.headers.get("retry-after", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def open_http(url: str) -> httpx2.AsyncClient:
    """A client for this server. It follows no redirect: a payment goes where it was meant to go, or nowhere. Proxies
    of the environment do not stand between us and this machine."""
    local = urlsplit(url).hostname in _LOOPBACK
    if sys.platform == "win32" or (getproxies() and not local):
        return httpx2.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, trust_env=not local)
    from tollbrush.client.direct import Direct

    return httpx2.AsyncClient(transport=Direct(), timeout=_TIMEOUT, follow_redirects=False, trust_env=False)


async def send(
    http: httpx2.AsyncClient, method: str, url: str, *, content: bytes | None = None, headers: Mapping[str, str]
) -> Answer:
    """Raises NotSent, NoAnswer, and UpstreamFailed for an answer over the limit."""
    try:
        # The client's own time-outs watch each read; a byte now and then must not hold us for ever.
        async with (
            asyncio.timeout(_WHOLE_SECONDS),
            http.stream(method, url, content=content, headers=dict(headers)) as response,
        ):
            limit = MAX_ANSWER if response.status_code < 300 else _MAX_REFUSAL
            chunks, size = list[bytes](), 0
            async for chunk in response.aiter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise UpstreamFailed(
                        f"{url} answered HTTP {response.status_code} with more than {limit:,} bytes.",
                        advice="Check that the address is an image editing gateway.",
                    )
            return Answer(response.status_code, response.headers, b"".join(chunks))
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as failure:
        raise NotSent(f"{url}: {failure}") from failure
    except (httpx2.HTTPError, httpx2.StreamError, TimeoutError) as failure:
        raise NoAnswer(f"{url}: {type(failure).__name__}") from failure


async def call(
    http: httpx2.AsyncClient,
    method: str,
    base: str,
    path: str,
    content: bytes | None = None,
    headers: Mapping[str, str] = JSON,
) -> Answer:
    """A call of JSON that pays nothing; sent once more when no answer came, as over a connection that was kept too
    long. Raises Unavailable, UpstreamFailed."""
    try:
        try:
            return await send(http, method, base + path, content=content, headers=headers)
        except NoAnswer:
            return await send(http, method, base + path, content=content, headers=headers)
    except (NotSent, NoAnswer) as failure:
        raise unreachable(base) from failure


def unreachable(where: str) -> Unavailable:
    return Unavailable(f"{where} does not answer.", advice="Nothing was paid. Is it running, and is the address right?")
