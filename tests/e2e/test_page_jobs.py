"""Long edits on a gateway's page: followed, cancelled, gone on with after a reload, never lost and never paid twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from support.browser import Watched, connect, long_form, needs_browser, needs_page, watched
from support.fair import FUNDS, Fair
from support.own_gateway import PRICE
from tollbrush.errors import EngineFailed

pytestmark = [pytest.mark.e2e, needs_browser, needs_page]


@pytest.fixture
def visit(browser: Browser, fair: Fair) -> Iterator[Watched]:
    with watched(browser) as made:
        yield made
    fair.gateway.release()


@pytest.fixture
def payer(visit: Watched, fair: Fair) -> str:
    """The address of a wallet on Base that the page has found."""
    wallet = fair.fox()
    wallet.install(visit.page.context)
    return wallet.address


def order(visit: Watched, fair: Fair, wallet: str = "Test Fox") -> Page:
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    page.get_by_role("button", name="Invert the mask").click()
    connect(page, wallet)
    page.get_by_role("button", name="Edit $").click()
    return page


def at_work(page: Page) -> None:
    expect(page.locator(".doing")).to_contain_text("At work")


def spent(fair: Fair, payer: str) -> int:
    return FUNDS - fair.market.base.balance(payer)


@long_form
def test_followed_to_its_end(visit: Watched, fair: Fair, payer: str) -> None:
    fair.gateway.hold()
    page = order(visit, fair)
    at_work(page)
    expect(page.get_by_role("progressbar")).to_be_visible()
    assert spent(fair, payer) == 0
    fair.gateway.release()
    page.wait_for_selector(".result")
    assert spent(fair, payer) == PRICE


def test_cancelled(visit: Watched, fair: Fair, payer: str) -> None:
    fair.gateway.hold()
    page = order(visit, fair)
    at_work(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Edit $")).to_be_enabled()
    fair.gateway.release()
    page.reload()
    expect(page.locator(".welcome")).to_be_visible()
    assert spent(fair, payer) == 0


@pytest.mark.parametrize("how", ["reloaded", pytest.param("left and come back to", marks=long_form)])
def test_gone_on_with(visit: Watched, fair: Fair, payer: str, how: str) -> None:
    fair.gateway.hold()
    page = order(visit, fair)
    at_work(page)
    if how == "reloaded":
        page.reload()
    else:
        page.goto("about:blank")
        page.go_back()
    at_work(page)
    expect(page.locator(".painted")).to_contain_text("100 % painted")
    expect(page.locator("#prompt")).to_have_value("invert it")
    fair.gateway.release()
    page.wait_for_selector(".result")
    assert spent(fair, payer) == PRICE


def test_reloaded_in_the_middle_of_sending(visit: Watched, fair: Fair, payer: str) -> None:
    """The request may have arrived or not: the next page sends the same payment again."""
    held: list[Route] = []
    visit.page.route("**/v1/images/image2image", lambda route: held.append(route))
    page = order(visit, fair)
    expect(page.locator(".doing")).to_contain_text("Sending")
    page.unroute("**/v1/images/image2image")
    page.reload()
    page.wait_for_selector(".result")
    assert spent(fair, payer) == PRICE


def test_a_closed_tab_loses_nothing(visit: Watched, fair: Fair, payer: str) -> None:
    fair.gateway.hold()
    page = order(visit, fair)
    at_work(page)
    page.close()
    fair.gateway.release()
    later = Watched(visit.page.context.new_page())
    later.page.goto(fair.gateway.url)
    later.page.wait_for_selector(".result")
    assert spent(fair, payer) == PRICE
    assert later.complaints == []


def test_another_tab_is_free_for_another_edit(visit: Watched, fair: Fair, payer: str) -> None:
    fair.gateway.hold()
    page = order(visit, fair)
    at_work(page)
    other = Watched(visit.page.context.new_page())
    beside = other.open(fair.gateway.url, fair.photo, "invert it again")
    expect(beside.get_by_role("button", name="Edit $")).to_be_enabled()
    fair.gateway.release()
    page.wait_for_selector(".result")
    beside.get_by_role("button", name="Edit $").click()
    beside.wait_for_selector(".result")
    beside.get_by_role("button", name="History").click()
    expect(beside.locator(".card")).to_have_count(2)
    assert spent(fair, payer) == 2 * PRICE
    assert other.complaints == []


@pytest.mark.parametrize("then", ["cancelled", pytest.param("reloaded", marks=long_form)])
def test_a_wallet_that_never_answers(visit: Watched, fair: Fair, payer: str, then: str) -> None:
    """Its window was lost behind others: nothing is sent, and the page is the reader's again."""
    page = visit.open(fair.gateway.url, fair.photo, "invert it")
    connect(page, "Test Fox")
    page.evaluate("() => { window.__evmWallet = () => new Promise(() => undefined) }")
    page.get_by_role("button", name="Edit $").click()
    expect(page.locator(".doing")).to_contain_text("Confirm in your wallet")
    if then == "cancelled":
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name="Edit $")).to_be_enabled()
    else:
        page.reload()
        expect(page.locator(".welcome")).to_be_visible()
    assert spent(fair, payer) == 0


@pytest.mark.parametrize("by", ["Go on", pytest.param("a reload", marks=long_form)])
def test_the_pictures_are_fetched_again_not_paid_again(visit: Watched, fair: Fair, payer: str, by: str) -> None:
    pictures = f"{fair.gateway.url}/images/*"
    visit.page.route(pictures, lambda route: route.abort())
    page = order(visit, fair)
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    assert spent(fair, payer) == PRICE
    page.unroute(pictures)
    if by == "a reload":
        page.reload()
    else:
        page.get_by_role("button", name="Go on").click()
    page.wait_for_selector(".result")
    assert spent(fair, payer) == PRICE
    visit.complaints.clear()  # the browser's own lines on the lost fetches


def test_a_payment_that_lapsed_is_signed_once_more(visit: Watched, fair: Fair) -> None:
    wallet = fair.ghost()
    wallet.install(visit.page.context)
    fair.gateway.hold()
    page = order(visit, fair, "Test Ghost")
    at_work(page)
    fair.market.solana.advance(400)
    fair.clock.ahead += 60  # as the chain's
    fair.gateway.release()
    page.wait_for_selector(".result")
    assert wallet.signed == 2
    assert fair.market.solana.balance(wallet.address) == FUNDS - PRICE
    visit.complaints.clear()  # the browser's own line on a 402


def test_an_edit_that_fails_says_so(visit: Watched, fair: Fair, payer: str) -> None:
    fair.gateway.hold()
    page = order(visit, fair)
    at_work(page)
    fair.gateway.engine.failure = EngineFailed("the brush broke.")
    try:
        fair.gateway.release()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was charged.")
    finally:
        fair.gateway.engine.failure = None
    page.get_by_role("button", name="Edit $").click()  # the way on is the same button
    page.wait_for_selector(".result")
    assert spent(fair, payer) == PRICE
