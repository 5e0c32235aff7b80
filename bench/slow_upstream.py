"""A fake image API for benchmarks: reads a request, waits if it is told to, and answers the same picture at once; and
an x402 facilitator that says yes. `python -m bench.slow_upstream PORT ANSWER_FILE`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from aiohttp import web

NETWORK = "eip155:84532"
PAYER = "0x" + "11" * 20


def application(answer: bytes) -> web.Application:
    app = web.Application(client_max_size=2**30)
    gate = asyncio.Event()
    gate.set()
    held = 0

    async def edits(request: web.Request) -> web.Response:
        nonlocal held
        await request.read()
        held += 1
        await gate.wait()
        held -= 1
        return web.Response(body=answer, content_type="application/json")

    async def count(request: web.Request) -> web.Response:
        return web.json_response(held)

    async def hold(request: web.Request) -> web.Response:
        gate.clear()
        return web.json_response(None)

    async def release(request: web.Request) -> web.Response:
        gate.set()
        return web.json_response(None)

    async def supported(request: web.Request) -> web.Response:
        kind = {"x402Version": 2, "scheme": "exact", "network": NETWORK}
        return web.json_response({"kinds": [kind], "extensions": [], "signers": {}})

    async def verify(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"isValid": True, "payer": PAYER})

    async def settle(request: web.Request) -> web.Response:
        await request.read()
        tx = "0x" + os.urandom(32).hex()
        return web.json_response({"success": True, "transaction": tx, "network": NETWORK, "payer": PAYER})

    app.router.add_get("/supported", supported)
    app.router.add_post("/verify", verify)
    app.router.add_post("/settle", settle)
    app.router.add_post("/v1/images/edits", edits)
    app.router.add_get("/held", count)
    app.router.add_post("/hold", hold)
    app.router.add_post("/release", release)
    return app


if __name__ == "__main__":
    web.run_app(application(Path(sys.argv[2]).read_bytes()), host="127.0.0.1", port=int(sys.argv[1]), print=None)
