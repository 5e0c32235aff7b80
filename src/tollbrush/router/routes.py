"""What the router answers, route by route. Errors leave as exceptions; `app` and the OpenAI doors give them shape."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, Final

import pybase64
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from tollbrush import __version__
from tollbrush.client.history import History
from tollbrush.client.orders import Order
from tollbrush.domain.edits import EditRequest
from tollbrush.errors import BadRequest, TollbrushError, TooLarge, UnsupportedParameter
from tollbrush.router import accounts, chat
from tollbrush.router.buying import present
from tollbrush.router.calls import Call, from_command, own_network, read_call
from tollbrush.router.catalog import Catalog
from tollbrush.router.desk import Asked, Desk
from tollbrush.router.market import Bid, Market
from tollbrush.router.problems import openai_problem
from tollbrush.router.results import MIME_TYPES, Pictures
from tollbrush.router.sources import Sources
from tollbrush.router.statuses import JOBS as _JOBS
from tollbrush.router.statuses import accepted, over, past
from tollbrush.settings import LimitSettings
from tollbrush.wire import jsonbody, schemas

SERVICE: Final = "tollbrush-router"
_PAST: Final = 50
_WAIT: Final = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?([0-9]{1,6})", re.ASCII)
_LONGEST_WAIT: Final = 240.0

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
        desk: Desk,
        market: Market,
        pictures: Pictures,
        history: History,
        catalog: Catalog,
        sources: Sources,
        limits: LimitSettings,
    ) -> None:
        self._desk, self._market, self._pictures, self._history = desk, market, pictures, history
        self._catalog, self._sources, self._limits = catalog, sources, limits

    def table(self) -> list[Route]:
        both = ("", "/api")
        return [
            *(Route(f"{prefix}/v1/images/image2image", self.edit, methods=["POST"]) for prefix in both),
            *(Route(f"{prefix}/v1/images/edits", self.openai_edit, methods=["POST"]) for prefix in both),
            *(Route(f"{prefix}/v1/images/quote", self.quote, methods=["POST"]) for prefix in both),
            *(Route(f"{prefix}{_JOBS}{{id}}", self.job, methods=["GET", "DELETE"]) for prefix in both),
            *(Route(f"{prefix}/v1/models", self.models) for prefix in both),
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/v1/wallet", self.wallet),
            Route("/v1/history", self.past),
            Route("/images/{key}", self.image),
            Route("/health", self.health),
        ]

    async def edit(self, request: Request) -> Response:
        """Holds on until the edit is done, unless `Prefer: respond-async` asks for a job: at once, or `wait=N` seconds
        later."""
        call = read_call(await self._body(request), request.headers.get("content-type", ""))
        asked = await self._desk.ask(await call.read(self._sources), call.terms)
        if asked.job is not None and (seconds := _patience(request)) is not None:
            await asyncio.wait([asked.job.task], timeout=seconds)
            if not asked.job.task.done():
                return accepted(asked.job, self._history.get(asked.id))
        return JSONResponse({"id": asked.id, **await self._finished(request, call, asked, "url")})

    async def job(self, request: Request) -> Response:
        """How far an edit of this router's is, or its answer; `Prefer: wait=N` holds on so long. DELETE ends it, unless
        it is paid for."""
        name = request.path_params["id"]
        if request.method == "DELETE":
            await self._desk.cancel(name)
        row, job = self._desk.find(name)
        if job is not None:
            await asyncio.wait([job.task], timeout=_patience(request, asked="wait") or 0)
            if not job.task.done():
                return accepted(job, row)
            row, _ = self._desk.find(name)
        return JSONResponse(over(row, _base(request)))

    @_openai_door
    async def openai_edit(self, request: Request) -> Response:
        """As OpenAI's own: the picture's bytes in the answer, errors in OpenAI's shape."""
        call = read_call(await self._body(request), request.headers.get("content-type", ""))
        if call.form.fields.previews:
            raise UnsupportedParameter("previews go with a job.", path="previews", advice="Ask at image2image.")
        return JSONResponse(await self._answer(request, call, await call.read(self._sources), "b64_json"))

    @_openai_door
    async def chat(self, request: Request) -> Response:
        """`/img2img …` in the last message of the user, as it is typed; streamed if asked for. Answers a picture in
        Markdown."""
        said = chat.read_chat(jsonbody.parse(await self._body(request)))
        model = said.command.model or await self._catalog.sold(said.assistant)
        call = from_command(said.command, model=model, network=said.network)
        # Read before the stream begins: a missing file still has its own status.
        wanted = await call.read(self._sources)
        return await chat.respond(said, lambda: self._answer(request, call, wanted, "url"))

    async def quote(self, request: Request) -> Response:
        """`{"price", "accepts": [{network, amount, pay_to}]}`; price null when the gateway asks for nothing."""
        fields = jsonbody.parse(await self._body(request))
        own: dict[str, Any] = {name: fields.pop(name) for name in ("gateway", "network") if name in fields}
        schemas.read_quote(fields)
        bids = await self._market.bids(Order(fields), own.get("gateway"), own_network(own))
        if bids[0].error:
            raise bids[0].error
        accepts = [
            {"network": o.requirement.network, "amount": str(o.requirement.amount), "pay_to": o.requirement.pay_to}
            for o in (bids[0].quote.offers if bids[0].quote else ())
        ]
        said: dict[str, Any] = {"price": bids[0].price.wire() if bids[0].price else None, "accepts": accepts}
        if len(bids) > 1:
            said |= {"gateway": bids[0].gateway, "quotes": [_shown(bid) for bid in bids]}
        return JSONResponse(said)

    async def models(self, request: Request) -> Response:
        """What the gateway sells; of several gateways, each row says whose it is."""
        return JSONResponse(await self._catalog.listed())

    async def wallet(self, request: Request) -> Response:
        """Addresses and balances, no secret: `{"evm", "solana", "accounts": [{network, title, address, balance}]}`."""
        return JSONResponse(await accounts.describe(self._market.payer()))

    async def past(self, request: Request) -> Response:
        """Newest first; `?limit=` up to 500."""
        text = request.query_params.get("limit", str(_PAST))
        if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= 500):
            raise BadRequest(f"limit {text[:20]!r} is not 1 to 500.", path="limit")
        rows = [past(row, _base(request)) for row in self._history.recent(int(text))]
        return JSONResponse({"object": "list", "data": rows})

    async def image(self, request: Request) -> Response:
        """A result's file."""
        key = request.path_params["key"]
        path = self._pictures.find(key)
        headers = {"cache-control": "private, max-age=31536000, immutable", "content-security-policy": "sandbox"}
        return FileResponse(path, media_type=MIME_TYPES[path.suffix[1:]], headers=headers)

    async def health(self, request: Request) -> Response:
        """That it runs, its version and its gateways."""
        body = {"status": "ok", "service": SERVICE, "version": __version__, "pid": os.getpid()}
        gateways = dict(self._market.gateways)
        return JSONResponse(body | {"gateway": next(iter(gateways.values())), "gateways": gateways})

    async def _answer(self, request: Request, call: Call, wanted: EditRequest, shape: str) -> Mapping[str, Any]:
        """Bought, joined or replayed; with local URLs, and the bytes as `b64_json` when that shape is wanted."""
        return await self._finished(request, call, await self._desk.ask(wanted, call.terms), shape)

    async def _finished(self, request: Request, call: Call, asked: Asked, shape: str) -> Mapping[str, Any]:
        kept = asked.answer
        if kept is None:
            assert asked.job is not None
            kept = await asyncio.shield(asked.job.task)
        answer = present(kept, _base(request), replayed=asked.replayed)
        if (call.terms.response_format or shape) == "b64_json":
            for shown, entry in zip(answer["data"], kept["data"], strict=True):
                data = await asyncio.to_thread(self._pictures.find(entry["key"]).read_bytes)
                shown["b64_json"] = pybase64.b64encode_as_string(data)
        return answer

    async def _body(self, request: Request) -> bytes:
        """Raises TooLarge, BadRequest when it does not arrive in time."""
        limit, chunks, size = self._limits.body_bytes, list[bytes](), 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.stream():
                    chunks.append(chunk)
                    size += len(chunk)
                    if size > limit:
                        raise TooLarge(f"the body is over {limit:,} bytes.", advice="Send smaller pictures.")
        except TimeoutError as late:
            raise BadRequest(f"the body did not arrive within {self._limits.body_seconds:g} s.") from late
        except ClientDisconnect as gone:
            raise BadRequest("the connection broke before the body was whole.") from gone
        return b"".join(chunks)


def _shown(bid: Bid) -> dict[str, Any]:
    said: dict[str, Any] = {"gateway": bid.gateway, "price": bid.price.wire() if bid.price else None}
    return said | ({"error": bid.error.message, "code": bid.error.code} if bid.error else {})


def _patience(request: Request, *, asked: str = "respond-async") -> float | None:
    """Seconds to hold on for, when the caller asks by `Prefer` (RFC 7240)."""
    preferred = request.headers.get("prefer", "").lower()
    if asked not in preferred:
        return None
    wait = _WAIT.search(preferred)
    return min(float(wait[1]), _LONGEST_WAIT) if wait else 0.0


def _base(request: Request) -> str:
    """scheme://host as called; the guard has checked the host."""
    return f"http://{request.headers['host']}"
