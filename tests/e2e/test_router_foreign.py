"""The router buys from a gateway behind x402's official middleware and facilitator, settled on the local Base."""

from __future__ import annotations

import base64
from pathlib import Path

import httpx2
import pytest

from support.base_chain import EvmAccount
from support.paid_server import png
from support.servers import free_port, running, tail
from tollbrush.devnet.interface import LocalChain
from tollbrush.payments.wallet import load_or_create
from tollbrush.router.app import create_router
from tollbrush.settings import Settings

pytestmark = pytest.mark.e2e


async def test_an_edit_is_bought_from_a_stranger(tmp_path: Path, own_base_chain: LocalChain) -> None:
    settler, seller = EvmAccount.fresh(), EvmAccount.fresh().address
    own_base_chain.fund(settler.address, 0)
    own_base_chain.fund(seller, 0)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(
        data_dir=tmp_path / "data",
        networks={"base-sepolia": {"rpc_url": own_base_chain.rpc_url}},
        router={"gateway_url": url, "allowed_roots": (tmp_path,)},
    )
    own_base_chain.fund(load_or_create(settings).evm_address, 1_000_000)
    (tmp_path / "photo.png").write_bytes(png((40, 30)))
    app = create_router(settings)
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 5000))
    command = ["support.official_shop", str(port), own_base_chain.rpc_url, seller]
    with running(command, url + "/seen", log=tmp_path / "shop.log", env={"SETTLE_KEY": settler.key.hex()}):
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://localhost:8402", timeout=120) as http,
        ):
            wish = {"prompt": "add a hat", "image": str(tmp_path / "photo.png")}
            quoted = await http.post("/v1/images/quote", json={"prompt": "add a hat"})
            answer = await http.post("/v1/images/image2image", json=wish)
            assert answer.status_code == 200, tail(tmp_path / "shop.log")
            again = await http.post("/v1/images/image2image", json=wish)
            picture = await http.get(answer.json()["data"][0]["url"])
            uploads = (await http.get("/v1/history")).json()["data"]
        seen = httpx2.get(url + "/seen").json()
    assert quoted.json()["price"]["amount"] == "0.030000"
    assert answer.json()["payment"]["network"] == "base-sepolia"
    assert picture.content == png((9, 7), "gold")
    assert (again.json()["replayed"], len(uploads)) == (True, 1)
    assert own_base_chain.balance(seller) == 30_000
    assert len(seen) == 1
    assert seen[0] < 2 * len(base64.b64encode((tmp_path / "photo.png").read_bytes())) + 500
