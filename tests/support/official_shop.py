"""A gateway that nobody here wrote: FastAPI behind x402's own middleware and facilitator, selling one edit.

A process of its own: `python -m support.official_shop PORT RPC_URL PAY_TO`, with the settling key in SETTLE_KEY.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from x402 import x402ResourceServer
from x402.facilitator import x402FacilitatorSync
from x402.http.middleware.fastapi import PaymentMiddlewareASGI
from x402.mechanisms.evm.exact import ExactEvmServerScheme
from x402.mechanisms.evm.exact.facilitator import ExactEvmScheme
from x402.mechanisms.evm.signers import FacilitatorWeb3Signer

from support.paid_server import EDIT, png

NETWORK = "eip155:84532"


class Facilitator:
    """The official one, without HTTP between."""

    def __init__(self, rpc_url: str) -> None:
        self._official = x402FacilitatorSync()
        signer = FacilitatorWeb3Signer(os.environ["SETTLE_KEY"], rpc_url, confirmation_timeout_seconds=10)
        self._official.register([NETWORK], ExactEvmScheme(signer))

    async def verify(self, *said: Any) -> Any:
        return await asyncio.to_thread(self._official.verify, *said)

    async def settle(self, *said: Any) -> Any:
        return await asyncio.to_thread(self._official.settle, *said)

    def get_supported(self) -> Any:
        return self._official.get_supported()


def create(rpc_url: str, pay_to: str) -> FastAPI:
    app = FastAPI()
    seen: list[int] = []

    @app.get("/seen")
    async def sizes() -> list[int]:
        """The bodies of paid requests, in bytes."""
        return seen

    @app.post(EDIT)
    async def edit(request: Request) -> JSONResponse:
        said: dict[str, Any] = await request.json()
        assert said["image"].startswith("data:image/")
        seen.append(int(request.headers["content-length"]))
        return JSONResponse({"created": 1, "data": [{"b64_json": base64.b64encode(png((9, 7), "gold")).decode()}]})

    facilitator: Any = Facilitator(rpc_url)
    server = x402ResourceServer(facilitator)
    scheme: Any = ExactEvmServerScheme()
    server.register(NETWORK, scheme)
    accepts = {"scheme": "exact", "payTo": pay_to, "price": "$0.03", "network": NETWORK}
    routes: Any = {f"POST {EDIT}": {"accepts": accepts}}
    app.add_middleware(PaymentMiddlewareASGI, routes=routes, server=server)
    return app


if __name__ == "__main__":
    uvicorn.run(create(*sys.argv[2:]), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
