"""Pictures by URL, from public addresses only.

The host name is resolved here, every address it has must be public, and the connection goes to the very address
that was checked (TLS still verifies the name). Each redirect is a new URL and is checked as one. No proxy of the
environment is used: it would resolve the name again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection
from typing import Final
from urllib.parse import urljoin

import httpx2

from tollbrush.errors import BadRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""(host, port) → numeric addresses. Raises OSError."""

_REDIRECTS: Final = 3
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


async def resolve(host: str, port: int) -> list[str]:
    """The system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Whether the address is reachable on the internet, whatever it is wrapped in (mapped, 6to4, NAT64)."""
    ip: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class Fetcher:
    """Fetches one body at a time, capped in bytes and seconds. `extra_hosts`: `host:port` that may be private."""

    def __init__(
        self,
        *,
        max_bytes: int,
        seconds: float = 20.0,
        extra_hosts: Collection[str] = (),
        resolve: Resolve = resolve,
    ) -> None:
        self._max_bytes, self._seconds = max_bytes, seconds
        self._extra = frozenset(extra_hosts)
        self._resolve = resolve

    async def get(self, url: str, *, path: str) -> bytes:
        """The body behind the URL. `path`: the request's field, for messages. Raises BadRequest."""
        try:
            async with asyncio.timeout(self._seconds), self._client() as http:
                return await self._follow(http, url, path)
        except TimeoutError as late:
            raise BadRequest(f"{_shown(url)} took longer than {self._seconds:g} s.", path=path) from late
        except httpx2.HTTPError as failure:
            raise BadRequest(f"{_shown(url)} did not answer ({type(failure).__name__}).", path=path) from failure

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=httpx2.Timeout(self._seconds))

    async def _follow(self, http: httpx2.AsyncClient, url: str, path: str) -> bytes:
        for _ in range(_REDIRECTS + 1):
            request = await self._request(http, url, path)
            response = await http.send(request, stream=True)
            try:
                if response.has_redirect_location:
                    url = urljoin(url, response.headers["location"])
                    continue
                if response.status_code != 200:
                    raise BadRequest(f"{_shown(url)} answered HTTP {response.status_code}.", path=path)
                return await self._body(response, url, path)
            finally:
                await response.aclose()
        raise BadRequest(f"{_shown(url)} redirects more than {_REDIRECTS} times.", path=path)

    async def _request(self, http: httpx2.AsyncClient, url: str, path: str) -> httpx2.Request:
        """The request for the checked address, bearing the URL's own name. Raises BadRequest."""
        try:
            target = httpx2.URL(url)
        except httpx2.InvalidURL as broken:
            raise BadRequest(f"{_shown(url)} is not a URL.", path=path) from broken
        if target.scheme not in ("http", "https") or not target.host:
            raise BadRequest(f"{_shown(url)} is not an http or https URL.", path=path)
        if target.userinfo:
            raise BadRequest(f"{_shown(target.host)}: a URL with a password is not fetched.", path=path)
        port = target.port or {"http": 80, "https": 443}[target.scheme]
        address = await self._address(target.host, port, path)
        request = http.build_request(
            "GET",
            target.copy_with(host=address, fragment=None),
            headers={
                "host": target.netloc.decode("ascii"),
                "accept": "image/*",
                "accept-encoding": "identity",
                "user-agent": "tollbrush",
            },
        )
        request.extensions["sni_hostname"] = target.raw_host.decode("ascii")
        return request

    async def _address(self, host: str, port: int, path: str) -> str:
        try:
            addresses = await self._resolve(host, port)
        except OSError as unknown:
            raise BadRequest(f"host {_shown(host)} is not known.", path=path) from unknown
        if f"{host}:{port}" not in self._extra and not all(map(is_public, addresses)):
            raise BadRequest(
                f"{_shown(host)} is not a public address.",
                path=path,
                advice="Pictures are fetched from the public internet only; give the file's path instead.",
            )
        if not addresses:
            raise BadRequest(f"host {_shown(host)} has no address.", path=path)
        return addresses[0]

    async def _body(self, response: httpx2.Response, url: str, path: str) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise BadRequest(f"{_shown(url)} answers in an encoding that was not asked for.", path=path)
        body = bytearray()
        announced = response.headers.get("content-length", "")
        if not (announced.isdigit() and len(announced) < 16 and int(announced) > self._max_bytes):
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self._max_bytes:
                    break
            else:
                return bytes(body)
        raise BadRequest(f"{_shown(url)} is larger than {self._max_bytes / 2**20:g} MB.", path=path)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:117] + "…")
