"""An operator's three views of the same money: the chain, the ledger, the metrics."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import httpx2
import pytest

from support.base_chain import EvmAccount, TillOn, evm_payment
from support.engines import Inverter
from support.pictures import data_uri, photo
from tollbrush.devnet.interface import LocalChain
from tollbrush.errors import EngineFailed
from tollbrush.gateway.app import Seams, create_app
from tollbrush.settings import Settings
from tollbrush.storage.reader import read_history

EDIT = "/api/v1/images/image2image"
BODY = {"prompt": "invert", "image": data_uri(photo(64, 64)), "size": "64x64"}
PRICE = 2_100


@pytest.mark.chain
async def test_metrics_ledger_and_chain_agree(
    base_chain: LocalChain, base_till_on: TillOn, base_payer: EvmAccount, tmp_path: Path
) -> None:
    till, engine = base_till_on(base_chain), Inverter()
    app = create_app(Settings(data_dir=tmp_path), Seams(tills=lambda _: [till], engines=lambda _: [engine]))

    def header() -> dict[str, str]:
        payment = evm_payment(base_payer, till.requirement(PRICE))
        content = {"x402Version": 2, "accepted": payment.accepted, "payload": payment.payload}
        return {"X-Payment": base64.b64encode(json.dumps(content).encode()).decode()}

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as http:
        for _ in range(2):
            assert (await http.post(EDIT, json=BODY, headers=header(), timeout=60)).status_code == 200
        engine.failure = EngineFailed("out of paint.")
        assert (await http.post(EDIT, json=BODY, headers=header(), timeout=60)).status_code == 500
        text = (await http.get("/metrics")).text
    samples = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}
    assert samples['tollbrush_revenue_atomic_total{network="base-sepolia"}'] == 2 * PRICE
    assert samples['tollbrush_settlements_total{network="base-sepolia",outcome="settled"}'] == 2
    assert samples['tollbrush_edits_total{model="tollbrush/studio",outcome="completed"}'] == 2
    assert samples['tollbrush_edits_total{model="tollbrush/studio",outcome="engine_failed"}'] == 1
    assert samples['tollbrush_running_jobs{engine="studio"}'] == samples['tollbrush_queue_length{engine="studio"}'] == 0
    assert samples['tollbrush_fee_balance{network="base-sepolia"}'] > 0
    assert samples['tollbrush_open_charges{state="claimed"}'] == 0
    assert base_payer.address not in text and base_payer.address.lower() not in text

    assert base_chain.balance(till.requirement(1).pay_to) == 2 * PRICE
    settled = [c for _, c in read_history(tmp_path / "gateway.db") if c.state.value == "settled"]
    assert sum(c.amount for c in settled) == 2 * PRICE and len({c.tx_hash for c in settled}) == 2
    await app.state.close()
