"""Hosted results: unguessable, immutable, and inert in a browser."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tollbrush.errors import NotFound
from tollbrush.gateway.problems import problem
from tollbrush.storage.interface import ImageStore

_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Images:
    """Answers GET and HEAD on `/images/{key}`."""

    def __init__(self, store: ImageStore) -> None:
        self._store = store

    async def get(self, request: Request) -> Response:
        key = request.path_params["key"]
        found = await self._store.get(key)
        if found is None:
            return problem(NotFound("no such image."))
        data, mime_type = found
        tag = f'"{key}"'
        headers = _HEADERS | {"ETag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(data, headers=headers, media_type=mime_type)
