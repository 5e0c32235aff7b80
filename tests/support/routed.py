"""Routers within this process, called without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from support.evm_node import EvmNode
from support.paid_server import png
from tollbrush.payments.wallet import load_or_create
from tollbrush.router.app import create_router
from tollbrush.settings import Settings


class Machine:
    """An owner's machine: a picture, a funded wallet, and routers that share both. `router`: settings for each."""

    def __init__(self, folder: Path, node: EvmNode, **router: Any) -> None:
        self.folder, self.node, self.router = folder, node, router
        (folder / "photo.png").write_bytes(png())
        node.balances[load_or_create(self.settings()).evm_address.lower()] = 100_000_000

    def settings(self, **router: Any) -> Settings:
        return Settings(
            data_dir=self.folder / "data",
            networks={"base-sepolia": {"rpc_url": self.node.rpc_url}},
            router={"allowed_roots": (self.folder,), **self.router, **router},
        )

    def wish(self, **fields: Any) -> dict[str, Any]:
        return {"prompt": "add a hat", "image": str(self.folder / "photo.png")} | fields

    @asynccontextmanager
    async def caller(self, **router: Any) -> AsyncIterator[httpx2.AsyncClient]:
        """Of a router that starts now and stops with the context."""
        app = create_router(self.settings(**router))
        transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 5000))
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://localhost:8402", timeout=60) as http,
        ):
            yield http
