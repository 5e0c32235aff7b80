"""What the router answers, route by route. Errors leave as exceptions; `app` and the OpenAI doors give them shape."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial, wraps
from typing import Any, Final

import pybase64
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tollbrush import __version__
from tollbrush.client.orders import Order
from tollbrush.client.problems import from_answer
from tollbrush.domain.edits import EditRequest
from tollbrush.errors import BadRequest, TollbrushError, TooLarge
from tollbrush.router import accounts, chat
from tollbrush.router.buying import Buyer, present
from tollbrush.router.calls import Call, Terms, digest, from_command, read_call
from tollbrush.router.problems import openai_problem
from tollbrush.router.replay import Replays, Result
from tollbrush.router.results import MIME_TYPES, History, Pictures
from tollbrush.router.sources import Sources
from tollbrush.settings import LimitSettings
from tollbrush.wire import jsonbody, schemas

SERVICE: Final = "tollbrush-router"
_MODELS: Final = "/v1/models"
_PAST: Final = 50
_WELCOME: Final = """tollbrush router

POST /v1/images/image2image   edit a picture: JSON or multipart; image and mask may be paths, URLs or data URIs
POST /v1/images/edits         the same in OpenAI's shape
POST /v1/chat/completions     /img2img --image PATH PROMPT, in any chat
POST /v1/images/quote         what an edit would cost
GET  /v1/models  /v1/wallet  /v1/history  /images/{key}  /health
"""

Handler = Callable[["Routes", Request], Awaitable[Response]]


def _openai_door(handler: Handler) -> Handler:
    """Errors in OpenAI's shape."""

    @wraps(handler)
    async def answered(self: Routes, request: Request) -> Response:
        try:
            return await handler(self, request)
        except TollbrushError as error:
            return openai_problem(error)

    return answered


class Routes:
    def __init__(
        self,
        buyer: Buyer,
        replays: Replays,
        pictures: Pictures,
        history: History,
        sources: Sources,
        limits: LimitSettings,
    ) -> None:
        self._buyer, self._replays, self._pictures, self._history = buyer, replays, pictures, history
        self._sources, self._limits = sources, limits

    def table(self) -> list[Route]:
        both = ("", "/api")
        return [
            *(Route(f"{prefix}/v1/images/image2image", self.edit, methods=["POST"]) for prefix in both),
            *(Route(f"{prefix}/v1/images/edits", self.openai_edit, methods=["POST"]) for prefix in both),
            *(Route(f"{prefix}/v1/images/quote", self.quote, methods=["POST"]) for prefix in both),
            *(Route(f"{prefix}/v1/models", self.models) for prefix in both),
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/v1/wallet", self.wallet),
            Route("/v1/history", self.past),
            Route("/images/{key}", self.image),
            Route("/health", self.health),
            Route("/", self.welcome),
        ]

    async def edit(self, request: Request) -> Response:
        call = read_call(await self._body(request), request.headers.get("content-type", ""))
        return JSONResponse(await self._answer(request, call, await call.read(self._sources), "url"))

    @_openai_door
    async def openai_edit(self, request: Request) -> Response:
        call = read_call(await self._body(request), request.headers.get("content-type", ""))
        return JSONResponse(await self._answer(request, call, await call.read(self._sources), "b64_json"))

    @_openai_door
    async def chat(self, request: Request) -> Response:
        said = chat.read_chat(jsonbody.parse(await self._body(request)))
        model = said.command.model or await self._sold(said.assistant)
        call = from_command(said.command, model=model, network=said.network)
        # Read before the stream begins: a missing file still has its own status.
        wanted = await call.read(self._sources)
        return await chat.respond(said, lambda: self._answer(request, call, wanted, "url"))

    async def quote(self, request: Request) -> Response:
        """`{"price", "accepts": [{network, amount, pay_to}]}`; price null when the gateway asks for nothing."""
        fields = jsonbody.parse(await self._body(request))
        schemas.read_quote(fields)
        quoted = await self._buyer.flow().quote(Order(b"", fields))
        accepts = [
            {"network": o.requirement.network, "amount": str(o.requirement.amount), "pay_to": o.requirement.pay_to}
            for o in (quoted.offers if quoted else ())
        ]
        return JSONResponse({"price": quoted.price.wire() if quoted else None, "accepts": accepts})

    async def models(self, request: Request) -> Response:
        return JSONResponse(await self._models())

    async def wallet(self, request: Request) -> Response:
        return JSONResponse(await accounts.describe(self._buyer.payer()))

    async def past(self, request: Request) -> Response:
        """Newest first; `?limit=` up to 500."""
        text = request.query_params.get("limit", str(_PAST))
        if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= 500):
            raise BadRequest(f"limit {text[:20]!r} is not 1 to 500.", path="limit")
        rows = []
        for row in self._history.recent(int(text)):
            answer = present(row.answer, _base(request), replayed=False) if row.answer else None
            rows.append({"id": row.id, "at": row.at, "prompt": row.prompt, "answer": answer})
        return JSONResponse({"object": "list", "data": rows})

    async def image(self, request: Request) -> Response:
        key = request.path_params["key"]
        path = self._pictures.find(key)
        headers = {"cache-control": "private, max-age=31536000, immutable", "content-security-policy": "sandbox"}
        return FileResponse(path, media_type=MIME_TYPES[path.suffix[1:]], headers=headers)

    async def health(self, request: Request) -> Response:
        body = {"status": "ok", "service": SERVICE, "version": __version__, "pid": os.getpid()}
        return JSONResponse(body | {"gateway": self._buyer.gateway})

    async def welcome(self, request: Request) -> Response:
        return PlainTextResponse(_WELCOME)

    async def _answer(self, request: Request, call: Call, wanted: EditRequest, shape: str) -> Mapping[str, Any]:
        """Bought, joined or replayed; with local URLs, and the bytes as `b64_json` when that shape is wanted."""
        result = await self._bought(wanted, call.terms)
        answer = present(result.answer, _base(request), replayed=result.replayed)
        if (call.terms.response_format or shape) == "b64_json":
            for shown, kept in zip(answer["data"], result.answer["data"], strict=True):
                data = await asyncio.to_thread(self._pictures.find(kept["key"]).read_bytes)
                shown["b64_json"] = pybase64.b64encode_as_string(data)
        return answer

    async def _bought(self, wanted: EditRequest, terms: Terms) -> Result:
        same = await asyncio.to_thread(digest, wanted, self._buyer.gateway)
        buy = partial(self._buyer.buy, wanted, terms, same)
        return await self._replays.once(same, wanted.prompt, buy, again=terms.again, since=terms.since)

    async def _models(self) -> dict[str, Any]:
        """The gateway's list as it is."""
        answer = await self._buyer.flow().call("GET", _MODELS)
        said = answer.json()
        if answer.status != 200 or said is None:
            raise from_answer(answer, self._buyer.gateway)
        return said

    async def _sold(self, name: str) -> str | None:
        """The name, when the gateway sells a model of it: a chat must name some model, often one of its own."""
        if not name:
            return None
        rows = (await self._models()).get("data")
        rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return name if any(name == row.get("id") or name in (row.get("aliases") or ()) for row in rows) else None

    async def _body(self, request: Request) -> bytes:
        """Raises TooLarge, BadRequest when it does not arrive in time."""
        limit, body = self._limits.body_bytes, bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        raise TooLarge(f"the body is over {limit:,} bytes.", advice="Send smaller pictures.")
        except TimeoutError as late:
            raise BadRequest(f"the body did not arrive within {self._limits.body_seconds:g} s.") from late
        except ClientDisconnect as gone:
            raise BadRequest("the connection broke before the body was whole.") from gone
        return bytes(body)


def _base(request: Request) -> str:
    """scheme://host as called; the guard has checked the host."""
    return f"http://{request.headers['host']}"
