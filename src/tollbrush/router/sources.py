"""Where a picture comes from: a data URI, a file on this machine, or a public URL.

A file is read only below the allowed roots, by a walk that follows no link, and only given away when its bytes are
a picture: the router acts with its owner's rights for callers who may not have them.
"""

from __future__ import annotations

import asyncio
import re
from urllib.parse import unquote, urlsplit

from tollbrush.client.files import LocalFiles, allowed_roots, shorten
from tollbrush.errors import BadImage
from tollbrush.imaging.header import sniff
from tollbrush.router.fetch import Fetcher
from tollbrush.settings import LimitSettings, RouterSettings
from tollbrush.wire import datauri

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII | re.IGNORECASE)


class Sources:
    """Reads what `image` and `mask` name."""

    def __init__(self, router: RouterSettings, limits: LimitSettings, *, fetcher: Fetcher | None = None) -> None:
        self._files = LocalFiles(allowed_roots(router.allowed_roots), max_bytes=limits.image_bytes)
        self._limits = limits
        self._fetcher = fetcher or Fetcher(max_bytes=limits.image_bytes, extra_hosts=router.extra_hosts)

    async def picture(self, given: str | bytes, *, path: str) -> bytes:
        """What came as bytes, checked, or what a reference names. Raises BadRequest."""
        if isinstance(given, str):
            return await self.read(given, path=path)
        return self._checked(given, f"the file of {path}", path)

    async def read(self, reference: str, *, path: str) -> bytes:
        """The encoded picture. `path`: the request's field (`image[1]`, `mask`), for messages. Raises BadRequest."""
        scheme = _SCHEME.match(reference)
        match scheme[1].lower() if scheme else "":
            case "data":
                data = datauri.decode(reference, path=path, max_bytes=self._limits.image_bytes)
            case "http" | "https":
                data = await self._fetcher.get(reference, path=path)
            case "file":
                local = unquote(urlsplit(reference).path)
                data = await asyncio.to_thread(self._files.read, local, path=path)
            case _:
                data = await asyncio.to_thread(self._files.read, reference, path=path)
        return self._checked(data, shorten(reference), path)

    def _checked(self, data: bytes, shown: str, path: str) -> bytes:
        if len(data) > self._limits.image_bytes:
            raise BadImage(f"{shown} has {len(data):,} bytes; at most {self._limits.image_bytes:,}.", path=path)
        sniff(data, max_pixels=self._limits.image_pixels, path=path)
        return data
