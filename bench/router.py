"""What the router's process spends on an edit: quote → pay → upload → fetch → save, of an 1024² PNG, the payment signed
on Base. The gateway and the node are other processes and answer at once. `python -m bench.router PORT PICTURE` is that
gateway.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
from aiohttp import web
from PIL import Image
from skimage import data

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from bench.measure import Row
from support.evm_node import EvmNode
from support.servers import free_port, running
from tollbrush.payments.wallet import load_or_create
from tollbrush.settings import Settings

AT_ONCE = (1, 16)
CALLS = 48
ROOT = Path(__file__).parents[1]
EDIT = "/v1/images/image2image"
OFFER = {
    "scheme": "exact", "network": "eip155:84532", "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
    "amount": "21000", "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "maxTimeoutSeconds": 600,
    "extra": {"name": "USDC", "version": "2"},
}  # fmt: skip


def application(picture: bytes) -> web.Application:
    """A gateway that believes every payment. `/uploaded`: the bytes of bodies it was sent."""
    app, told = web.Application(client_max_size=2**30), hashlib.sha256(picture).hexdigest()
    uploaded = 0

    async def quote(request: web.Request) -> web.Response:
        price = {"amount": "0.021000", "currency": "USD"}
        bodies = ["application/json", "multipart/form-data"]
        return web.json_response({"price": price, "accepts": [OFFER], "uploads": bodies})

    async def edit(request: web.Request) -> web.Response:
        nonlocal uploaded
        uploaded += len(await request.read())
        assert request.headers["payment-signature"]
        data = [{"url": f"http://{request.host}/images/result.png", "sha256": told}]
        payment = {"status": "settled", "tx_hash": "0x1", "network": "base-sepolia"}
        return web.json_response({"created": 1, "model": "bench", "data": data, "payment": payment})

    async def image(request: web.Request) -> web.Response:
        return web.Response(body=picture, content_type="image/png")

    async def count(request: web.Request) -> web.Response:
        return web.json_response(uploaded)

    app.router.add_post("/api/v1/images/quote", quote)
    app.router.add_post("/api/v1/images/image2image", edit)
    app.router.add_get("/images/result.png", image)
    app.router.add_get("/uploaded", count)
    return app


@dataclass(frozen=True)
class Routed:
    router: str
    gateway: str
    pid: int
    picture: Path

    def form(self, http: httpx2.Client, seed: int) -> None:
        """As a page or curl sends it."""
        files = {"image": ("photo.png", self.picture.read_bytes(), "image/png")}
        fields = {"prompt": "make it blue", "seed": str(seed)}
        http.post(self.router + EDIT, data=fields, files=files, timeout=300).raise_for_status()

    def path(self, http: httpx2.Client, seed: int) -> None:
        """As the terminal sends it: the file is read by the router."""
        fields = {"prompt": "make it blue", "seed": seed, "image": str(self.picture)}
        http.post(self.router + EDIT, json=fields, timeout=300).raise_for_status()

    def cpu_ms(self) -> float:
        """What the router's process has used so far, threads and children of the kernel's included."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def uploaded(self) -> int:
        return int(httpx2.get(f"{self.gateway}/uploaded").json())


def run() -> list[Row]:
    rows = []
    with opened() as bench, httpx2.Client() as http:
        for seed in range(8):  # what a first edit loads stays loaded
            bench.form(http, seed)
            bench.path(http, seed + 8)
        seeds = iter(range(1000, 10**6))
        for name, call in (("a form", bench.form), ("a path", bench.path)):
            rows += [_measure(bench, call, f"{name}, {many} at once", many, seeds) for many in AT_ONCE]
        before = bench.uploaded()
        bench.form(http, next(seeds))
        rows.append(Row("bytes uploaded a byte of picture", (bench.uploaded() - before) / bench.picture.stat().st_size))
    return rows


def _measure(
    bench: Routed, call: Callable[[httpx2.Client, int], None], name: str, at_once: int, seeds: Iterator[int]
) -> Row:
    with httpx2.Client() as many, ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda seed: call(many, seed), [next(seeds) for _ in range(at_once)]))
        before, took = bench.cpu_ms(), []
        wanted = [next(seeds) for _ in range(CALLS)]

        def timed(seed: int) -> None:
            start = time.perf_counter()
            call(many, seed)
            took.append((time.perf_counter() - start) * 1000)

        list(pool.map(timed, wanted))
        spent = (bench.cpu_ms() - before) / CALLS
    print(f"{name}: median {statistics.median(took):.1f} ms an edit")
    return Row(f"router's CPU, {name}", spent)


@contextmanager
def opened() -> Iterator[Routed]:
    node = EvmNode(int(time.time()))
    with tempfile.TemporaryDirectory() as name:
        folder, gateway, router = Path(name), free_port(), free_port()
        picture = folder / "photo.png"
        _draw(picture)
        env = {
            "TOLLBRUSH_DATA_DIR": str(folder / "data"),
            "TOLLBRUSH_ROUTER__GATEWAY_URL": f"http://127.0.0.1:{gateway}",
            "TOLLBRUSH_ROUTER__SPENDING__PER_HOUR": "1000",
            "TOLLBRUSH_ROUTER__SPENDING__PER_DAY": "1000",
            "TOLLBRUSH_ROUTER__SPENDING__LIFETIME": "1000",
            "TOLLBRUSH_ROUTER__ALLOWED_ROOTS": f'["{folder}"]',
            "TOLLBRUSH_NETWORKS__BASE-SEPOLIA__RPC_URL": node.rpc_url,
        }
        node.balances[load_or_create(Settings(data_dir=folder / "data")).evm_address.lower()] = 10**9
        shop, door = f"http://127.0.0.1:{gateway}", f"http://127.0.0.1:{router}"
        command = ["bench.router", str(gateway), str(picture)]
        with (
            running(command, shop + "/uploaded", log=folder / "gateway.log", cwd=ROOT),
            running(
                ["tollbrush", "route", "--port", str(router)], door + "/health", log=folder / "router.log", env=env
            ) as process,
        ):
            yield Routed(door, shop, process.pid, picture)
    node.stop()


def _draw(path: Path) -> None:
    """1.7 MB: a photograph with its sensor's grain."""
    smooth = np.asarray(Image.fromarray(data.astronaut()).resize((1024, 1024), Image.Resampling.LANCZOS))
    grain = np.random.default_rng(0).integers(0, 4, (1024, 1024, 1), np.uint8)
    Image.fromarray(smooth ^ grain).save(path, "PNG")


if __name__ == "__main__":
    web.run_app(
        application(Path(sys.argv[2]).read_bytes()),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        print=None,
        access_log=None,
    )
