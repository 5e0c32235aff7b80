"""A gateway inside the test's process, over real HTTP: for what no setting reaches, such as short deadlines, another
clock, an engine that is held."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from support.engines import Inverter
from support.pictures import data_uri, photo
from support.shop import EDIT
from tollbrush.gateway.app import Seams, create_app
from tollbrush.payments.interface import Till
from tollbrush.settings import Settings

BODY = {
    "prompt": "invert", "image": data_uri(photo(64, 64)), "model": "tollbrush/studio", "size": "64x64",
}  # fmt: skip
PRICE = 2_100


@dataclass(frozen=True)
class OwnGateway:
    url: str
    data: Path
    engine: Inverter
    loop: asyncio.AbstractEventLoop

    def post(self, headers: dict[str, str] | None = None, path: str = EDIT, **changes: Any) -> httpx2.Response:
        return httpx2.post(self.url + path, json=BODY | changes, headers=headers, timeout=60)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx2.Response:
        return httpx2.get(self.url + path, headers=headers, timeout=60)

    def hold(self) -> None:
        """Edits wait at the engine until `release`."""
        self.loop.call_soon_threadsafe(self.engine.gate.clear)

    def release(self) -> None:
        self.loop.call_soon_threadsafe(self.engine.gate.set)

    def pictures(self) -> int:
        return sum(1 for p in (self.data / "images").rglob("*") if p.is_file())


@contextmanager
def open_gateway(
    folder: Path,
    tills: Callable[[], Sequence[Till]],
    *,
    clock: Callable[[], float] = time.time,
    engine: Inverter | None = None,
    **gateway: Any,
) -> Iterator[OwnGateway]:
    """`tills` are made anew for each gateway; `gateway` are its settings. Everything ends with the block: an edit that
    is held then is handed on."""
    made = engine or Inverter()
    seams = Seams(clock=clock, tills=lambda _: tills(), engines=lambda _: [made])
    app = create_app(Settings(data_dir=folder, gateway={"grace_seconds": 1.0, **gateway}), seams)
    server = uvicorn.Server(uvicorn.Config(app, ws="none", log_level="warning", timeout_graceful_shutdown=2))
    running: list[asyncio.AbstractEventLoop] = []

    async def serve(listening: socket.socket) -> None:
        running.append(asyncio.get_running_loop())
        await server.serve(sockets=[listening])

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = threading.Thread(target=lambda: asyncio.run(serve(listening)))
        thread.start()
        try:
            httpx2.get(url + "/healthz", timeout=30).raise_for_status()
            yield OwnGateway(url, folder, made, running[0])
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()
