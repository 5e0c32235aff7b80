"""A gateway's page, paid from wallets in the browser, on real local chains."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import Watched, connect, long_form, needs_browser, needs_page, watched
from support.browser_wallets import FoxWallet, Refusal
from support.fair import FUNDS, Fair
from support.own_gateway import PRICE

pytestmark = [pytest.mark.e2e, needs_browser, needs_page]

BASE, SOLANA = "eip155:84532", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"


@pytest.fixture
def visit(browser: Browser) -> Iterator[Watched]:
    with watched(browser) as made:
        yield made


def buy(page: Page) -> None:
    page.get_by_role("button", name="Edit $").click()
    page.wait_for_selector(".result")


def complaint(page: Page) -> str:
    page.get_by_role("button", name="Edit $").click()
    return page.locator(".says.bad").inner_text()


def test_a_wallet_on_base(visit: Watched, fair: Fair) -> None:
    wallet, before = fair.fox(), fair.market.earned(BASE)
    wallet.install(visit.page.context)
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    connect(page, "Test Fox")
    buy(page)
    assert fair.market.earned(BASE) - before == PRICE
    assert fair.market.base.balance(wallet.address) == FUNDS - PRICE
    receipt = page.locator(".receipt")
    expect(receipt).to_contain_text("$0.0021 on Base Sepolia")
    assert "0x" in str(receipt.locator("a").get_attribute("href"))
    page.reload()  # still connected, the result in the history
    expect(page.locator(".account")).to_contain_text(wallet.address[:6])
    page.get_by_role("button", name="History").click()
    expect(page.locator(".card")).to_have_count(1)
    assert wallet.asked.count("eth_signTypedData_v4") == 1


def test_a_wallet_on_solana(visit: Watched, fair: Fair) -> None:
    wallet, before = fair.ghost(), fair.market.earned(SOLANA)
    wallet.install(visit.page.context)
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    connect(page, "Test Ghost")
    buy(page)
    assert fair.market.earned(SOLANA) - before == PRICE
    assert fair.market.solana.balance(wallet.address) == FUNDS - PRICE
    expect(page.locator(".receipt")).to_contain_text("$0.0021 on Solana devnet")
    assert wallet.signed == 1


def test_the_account_is_followed_and_let_go(visit: Watched, fair: Fair) -> None:
    wallet, other = fair.fox(), FoxWallet("")
    wallet.install(visit.page.context)
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    connect(page, "Test Fox")
    page.evaluate("address => evmTells('accountsChanged', [address])", other.address)
    expect(page.locator(".account")).to_contain_text(other.address[:6])
    page.evaluate("() => evmTells('accountsChanged', [])")
    expect(page.locator("button.pay")).to_contain_text("Connect a wallet")
    connect(page, "Test Fox")
    page.locator(".account").click()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.locator("button.pay")).to_contain_text("Connect a wallet")


@long_form
def test_solana_accounts_are_followed(visit: Watched, fair: Fair) -> None:
    wallet = fair.ghost()
    wallet.install(visit.page.context)
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    connect(page, "Test Ghost")
    page.evaluate("() => solanaTells({ accounts: [] })")
    expect(page.locator("button.pay")).to_contain_text("Connect a wallet")


def test_no_wallet(visit: Watched, fair: Fair) -> None:
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    page.locator("button.pay").click()
    expect(page.get_by_role("dialog")).to_contain_text("No wallet was found in this browser.")
    expect(page.get_by_role("dialog")).to_contain_text("Phantom")


REFUSALS = [
    ("wallet_switchEthereumChain", Refusal(4902, "Unrecognized chain"), "does not know Base Sepolia. Add that network"),
    ("wallet_switchEthereumChain", Refusal(4001, "User rejected"), "Switch it to Base Sepolia, then try again"),
    ("eth_signTypedData_v4", Refusal(4001, "User rejected"), "You did not sign, so nothing was sent"),
    ("eth_signTypedData_v4", Refusal(-32603, "Ledger is locked"), "It says: Ledger is locked. Nothing was charged."),
]


def test_a_wallet_says_no(visit: Watched, fair: Fair) -> None:
    wallet = fair.fox()
    wallet.install(visit.page.context)
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    connect(page, "Test Fox")
    for method, refusal, said in REFUSALS:
        wallet.chain_id, wallet.refuses = 1, {method: refusal}
        page.get_by_role("button", name="Edit $").click()
        expect(page.locator(".says.bad")).to_contain_text(said)
    assert fair.market.base.balance(wallet.address) == FUNDS
    wallet.refuses.clear()
    buy(page)  # the way on is the same button
    assert wallet.chain_id == 84532  # switched from the page


def test_an_account_that_is_not_shared(visit: Watched, fair: Fair) -> None:
    wallet = fair.fox()
    wallet.refuses = {"eth_requestAccounts": Refusal(4001, "User rejected")}
    wallet.install(visit.page.context)
    page = visit.open(fair.gateway.url)
    page.get_by_role("button", name="Connect a wallet").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Test Fox").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("did not share an account")


def test_too_little_on_base(visit: Watched, fair: Fair) -> None:
    wallet = fair.fox(held=100)
    wallet.install(visit.page.context)
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    connect(page, "Test Fox")
    said = complaint(page)
    assert said.startswith("This account holds $0.0001 in USDC and the edit costs $0.0021. Add USDC to 0x")
    assert "eth_signTypedData_v4" not in wallet.asked


def test_too_little_on_solana(visit: Watched, fair: Fair) -> None:
    wallet = fair.ghost(held=0)
    wallet.install(visit.page.context)
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    connect(page, "Test Ghost")
    page.route("**/assets/transfer-*.js", lambda route: route.abort())
    assert "load the page again, and go on. Nothing was charged." in complaint(page)
    page.unroute("**/assets/transfer-*.js")
    page.reload()
    page.locator("input[type=file]").first.set_input_files(fair.photo)
    page.fill("#prompt", "invert it")
    expect(page.locator(".account")).to_contain_text(wallet.address[:6])
    visit.complaints.clear()  # the browser's own line on what did not load
    said = complaint(page)
    assert said.startswith(f"This account holds $0.00 in USDC and the edit costs $0.0021. Add USDC to {wallet.address}")
    assert wallet.signed == 0


def test_a_solana_wallet_on_another_network_or_unwilling(visit: Watched, fair: Fair) -> None:
    wallet = fair.ghost()
    wallet.chains = ("solana:mainnet",)
    wallet.install(visit.page.context)
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    connect(page, "Test Ghost")
    assert "Switch it to Solana devnet" in complaint(page)
    wallet.chains = ("solana:devnet",)
    wallet.refusal = Refusal(0, "User rejected the request.")
    page.reload()
    page.locator("input[type=file]").first.set_input_files(fair.photo)
    page.fill("#prompt", "invert it")
    expect(page.locator(".account")).to_contain_text(wallet.address[:6])
    assert "You did not sign" in complaint(page)
    wallet.refusal = None
    buy(page)
