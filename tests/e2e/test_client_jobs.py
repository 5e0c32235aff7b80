"""Jobs at a real gateway process, on both local chains: submitted, watched, cancelled, gone on with elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.pictures import photo
from support.shop import FUNDS, Shop
from tollbrush import AsyncClient, Client
from tollbrush.domain.pricing import Price
from tollbrush.errors import JobCancelled
from tollbrush.payments.payer import Payer
from tollbrush.payments.wallet import Wallet
from tollbrush.settings import NetworkSettings, RouterSettings, Settings

pytestmark = pytest.mark.e2e

PRICE = Price(21_000)
NETWORKS = ["base-sepolia", "solana-devnet"]


class Customer:
    """A funded wallet of one network."""

    def __init__(self, shop: Shop, folder: Path, network: str) -> None:
        self.shop, self.folder, self.network, self.wallet = shop, folder, network, Wallet.create()
        self.chain = shop.base if network == "base-sepolia" else shop.solana
        self.address = self.wallet.evm_address if network == "base-sepolia" else self.wallet.solana_address
        self.chain.fund(self.address, FUNDS)

    def client(self) -> Client:
        networks = {
            "base-sepolia": NetworkSettings(rpc_url=self.shop.base.rpc_url),
            "solana-devnet": NetworkSettings(rpc_url=self.shop.solana.rpc_url),
        }
        settings = Settings(data_dir=self.folder, networks=networks, router=RouterSettings(network=self.network))
        return Client(gateway=self.shop.url, wallet=Payer(self.wallet, settings))

    @property
    def paid(self) -> int:
        return FUNDS - self.chain.balance(self.address)


@pytest.fixture(params=NETWORKS)
def customer(shop: Shop, tmp_path: Path, request: pytest.FixtureRequest) -> Customer:
    return Customer(shop, tmp_path, str(request.param))


def test_a_job_from_its_beginning_to_its_end(shop: Shop, customer: Customer) -> None:
    name = f"job-{customer.network}"
    with customer.client() as client:
        job = client.submit(photo(), f"hold: {name}")
        shop.await_held(name)
        assert job.status().stage == "waiting"
        assert customer.paid == 0
        shop.release(name)
        stages: list[str] = []
        edit = job.wait(lambda step: stages.append(step.stage))
        assert (edit.price, edit.image.width) == (PRICE, 1024)
        assert edit.receipt is not None
        assert stages[-1] == "delivered"
    assert customer.paid == PRICE.atomic


def test_another_process_goes_on_with_it(shop: Shop, customer: Customer) -> None:
    name = f"resume-{customer.network}"
    with customer.client() as client:
        job = client.submit(photo(), f"hold: {name}")
        shop.await_held(name)
    shop.release(name)
    with customer.client() as client:
        assert client.job(job.id).wait().price == PRICE
        (past,) = client.history()
    assert (past.id, past.state, past.price) == (job.id, "completed", PRICE)
    assert customer.paid == PRICE.atomic


def test_a_cancelled_job_costs_nothing(shop: Shop, customer: Customer) -> None:
    name = f"cancel-{customer.network}"
    with customer.client() as client:
        job = client.submit(photo(), f"hold: {name}")
        shop.await_held(name)
        job.cancel()
        shop.release(name)
        with pytest.raises(JobCancelled):
            job.wait()
        assert [p.state for p in client.history()] == ["cancelled"]
    assert customer.paid == 0


async def test_many_jobs_of_one_client(shop: Shop, tmp_path: Path) -> None:
    customer = Customer(shop, tmp_path, "base-sepolia")
    made: Any = customer.client()._client
    async with made as client:
        assert isinstance(client, AsyncClient)
        jobs = [await client.submit(photo(64 + i, 64), "invert the colours", n=2) for i in range(4)]
        edits = [await job.wait() for job in jobs]
    assert [len(edit.images) for edit in edits] == [2] * 4
    assert customer.paid == 4 * 2 * PRICE.atomic
