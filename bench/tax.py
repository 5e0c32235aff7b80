"""What being paid costs an endpoint: our verification, claim and settlement against x402's own middleware, both with a
facilitator over HTTP that says yes at once. The endpoint takes 2.3 MB and answers as much."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from x402 import x402ResourceServer
from x402.http import FacilitatorConfig, HTTPFacilitatorClient
from x402.http.middleware.fastapi import PaymentMiddlewareASGI
from x402.mechanisms.evm.exact import ExactEvmServerScheme

from bench.measure import ROUNDS, Row
from bench.shop import fake_upstream
from bench.slow_upstream import NETWORK
from tollbrush.domain.charges import ChargeState
from tollbrush.domain.jobs import Job
from tollbrush.domain.networks import BY_ID
from tollbrush.domain.payments import Requirement
from tollbrush.domain.pricing import Price
from tollbrush.editing.cashier import Cashier
from tollbrush.errors import PaymentRequired
from tollbrush.gateway.problems import answer
from tollbrush.payments.eip3009 import address_of, authorize
from tollbrush.payments.facilitator import FacilitatorTill
from tollbrush.payments.gate import Gate
from tollbrush.payments.pooled import PooledWeb
from tollbrush.payments.web import LightWeb, Web
from tollbrush.storage.sqlite import SqliteLedger
from tollbrush.wire import x402

sys.modules.setdefault("httpx", httpx2)  # the name by which x402's client asks for it

BODY = os.urandom(2_310_000)
CALLS = 12
_PIECE = 65_536
PATH = "/edit"
PRICE = Price(30_000)
KEY = os.urandom(32)
SELLER = address_of(os.urandom(32))


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as name, fake_upstream(Path(name), b"") as url:
        return asyncio.run(_measure(url, Path(name)))


async def _edit(request: Request) -> Response:
    await request.body()
    return Response(BODY, media_type="application/octet-stream")


def _bare() -> Starlette:
    return Starlette(routes=[Route(PATH, _edit, methods=["POST"])])


class _Ours:
    """The same endpoint behind our gate and our ledger."""

    def __init__(self, url: str, folder: Path) -> None:
        self.gate = Gate([FacilitatorTill(BY_ID[NETWORK], SELLER, url)])
        self.ledger = SqliteLedger(folder / "ours.db")
        self.cashier = Cashier(self.gate, self.ledger, clock=time.time, max_open=10**6)
        self.app = Starlette(routes=[Route(PATH, self.edit, methods=["POST"])])

    async def edit(self, request: Request) -> Response:
        offers, now = self.gate.offers(PRICE), int(time.time())
        payment = x402.read_payment(request.headers.items(), limit=65_536)
        if payment is None:
            resource = x402.Resource("http://127.0.0.1" + PATH, "an edit")
            headers, content = x402.payment_required(offers, resource, PaymentRequired("It costs."))
            return answer(content, 402, headers)
        digest = hashlib.sha256(await request.body()).hexdigest()
        paid = await self.cashier.verify(payment, offers, deadline=now + 60)
        job = Job(os.urandom(9).hex(), paid.payer, "m", "m", "1024x1024", 1, PRICE.atomic, now)
        charge = await self.cashier.claim(paid, job, digest)
        response = await _edit(request)
        started = job.start(now)
        ready = charge.to(ChargeState.READY, now=now)
        await self.ledger.save(job=started.complete((), now), charge=ready, was=charge)
        settled = await self.cashier.settle(ready)
        response.headers.update(
            x402.settlement_headers(NETWORK, settled.tx_hash or "", settled.key.payer, settled.amount)
        )
        return response


def _theirs(url: str) -> Starlette:
    server = x402ResourceServer(HTTPFacilitatorClient(FacilitatorConfig(url=url)))
    scheme: Any = ExactEvmServerScheme()
    server.register(NETWORK, scheme)
    accepts = {"scheme": "exact", "payTo": SELLER, "price": "$0.03", "network": NETWORK}
    routes: Any = {f"POST {PATH}": {"accepts": accepts}}
    app = _bare()
    app.add_middleware(PaymentMiddlewareASGI, routes=routes, server=server)
    return app


async def _measure(url: str, folder: Path) -> list[Row]:
    ours = _Ours(url, folder)
    apps = {"bare": _bare(), "ours": ours.app, "theirs": _theirs(url)}
    for name in ("ours", "theirs"):
        assert (await _call(apps[name], None))[0] == 402
        assert (await _call(apps[name], await _payment(apps[name])))[0] == 200
    paid, own, unpaid = [], [], []
    for _ in range(ROUNDS):
        costs = {name: await _cost(app, paid=True) for name, app in apps.items()}
        paid.append((costs["ours"] - costs["bare"], costs["theirs"] - costs["bare"]))
        asked = [await _asked(web(url, 60.0)) for web in (PooledWeb, LightWeb)]
        own.append((paid[-1][0] - asked[0], paid[-1][1] - asked[1]))
        unpaid.append((await _cost(apps["ours"], paid=False), await _cost(apps["theirs"], paid=False)))
    await ours.gate.close()
    await ours.ledger.close()
    peer = "x402's FastAPI middleware"
    return [
        _row("CPU added to a paid call", paid, peer),
        _row("of it, without its two calls of the facilitator", own, peer),
        _row("CPU of an unpaid 402", unpaid, peer),
    ]


async def _asked(web: Web) -> float:
    """CPU milliseconds of asking a facilitator twice over this side's HTTP, and nothing else."""
    body = json.dumps({"paymentPayload": "x" * 600, "paymentRequirements": "x" * 400}).encode()
    await web.send("POST", "/verify", body)
    begun = time.process_time()
    for _ in range(CALLS):
        await web.send("POST", "/verify", body)
        await web.send("POST", "/settle", body)
    cost = (time.process_time() - begun) * 1000 / CALLS
    await web.close()
    return cost


def _row(name: str, pairs: list[tuple[float, float]], peer: str) -> Row:
    low, middle, high = statistics.quantiles([theirs / ours for ours, theirs in pairs], n=4)
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Row(name, mine, theirs, peer, middle, (low, high))


async def _cost(app: Starlette, *, paid: bool) -> float:
    """CPU milliseconds a call, of all this process's threads."""
    headers = [await _payment(app) if paid else None for _ in range(CALLS)]
    begun = time.process_time()
    for header in headers:
        await _call(app, header)
    return (time.process_time() - begun) * 1000 / CALLS


async def _payment(app: Starlette) -> bytes:
    """A fresh payment, signed over what the application itself offers."""
    _, headers = await _call(app, None)
    if b"payment-required" not in headers:
        return b""
    entry = json.loads(base64.b64decode(headers[b"payment-required"]))["accepts"][0]
    due = Requirement(NETWORK, entry["asset"], int(entry["amount"]), entry["payTo"], 600, entry["extra"])
    payload = authorize(KEY, due, BY_ID[NETWORK].chain_id, now=int(time.time()), nonce=os.urandom(32))
    return base64.b64encode(json.dumps({"x402Version": 2, "accepted": entry, "payload": payload}).encode())


async def _call(app: Starlette, payment: bytes | None) -> tuple[int, dict[bytes, bytes]]:
    """As a server would call it, with the body in the pieces that sockets give."""
    headers = [(b"host", b"127.0.0.1"), (b"content-length", str(len(BODY)).encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": PATH, "raw_path": PATH.encode(), "root_path": "", "query_string": b"", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "headers": headers + ([(b"payment-signature", payment)] if payment else []),
    }  # fmt: skip
    pieces = [BODY[at : at + _PIECE] for at in range(0, len(BODY), _PIECE)]
    told: dict[str, Any] = {}

    async def receive() -> dict[str, Any]:
        if not pieces:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            told.update(message)

    await app(scope, receive, send)
    return told["status"], dict(told["headers"])
