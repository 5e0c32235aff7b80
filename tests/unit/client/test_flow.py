"""The flow against a strict published gateway, and against hostile ones: what it pays, refuses and books."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from support.paid_server import DROP, PRICE, Heard, PaidServer, Reply, on_base, on_solana, png, reply
from support.purse import Purse
from tollbrush.client.flow import GatewayFlow
from tollbrush.client.orders import Order, Paid, Picture, Progress
from tollbrush.client.transport import open_http
from tollbrush.domain.pricing import Price
from tollbrush.errors import (
    BadImage,
    BadRequest,
    ContentRefused,
    EditTimeout,
    NoFunds,
    NotFound,
    PaymentRefused,
    RateLimited,
    SettlementUnknown,
    SpendingPolicy,
    TollbrushError,
    Unavailable,
    UpstreamFailed,
)
from tollbrush.payments.proof import polling_wallet
from tollbrush.payments.spending import SpendState

FIELDS = {"model": "openai/gpt-image-1", "prompt": "add a hat", "size": "1024x1024", "n": 1}
ORDER = Order(FIELDS | {"masked": False}, FIELDS, (Picture(png(), "image/png"),))
SETTLEMENT_UNKNOWN = reply(503, {"error": "not known yet", "code": "settlement_unknown"}, {"Retry-After": "3"})

Serve = Callable[..., PaidServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[PaidServer] = []

    def start(*offers: Any, **options: Any) -> PaidServer:
        servers.append(PaidServer(*offers, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


class Shop:
    """A flow at one server, paid from the purse."""

    def __init__(self, server: PaidServer, purse: Purse, **router: Any) -> None:
        self.server, self.purse, self.payer = server, purse, purse.payer(**router)
        self.http = open_http(server.url)
        self.told: list[Progress] = []
        self.flow = GatewayFlow(server.url, self.payer, self.http, patience=600, clock=purse.clock, sleep=purse.sleep)

    async def edit(self, *, max_price: Price | None = None, order: Order = ORDER) -> Paid:
        return await self.flow.edit(order, max_price=max_price, progress=self.told.append)

    async def refused(self, error: type[TollbrushError], said: str, *, max_price: Price | None = None) -> Any:
        with pytest.raises(error, match=said) as caught:
            await self.edit(max_price=max_price)
        return caught.value

    @property
    def books(self) -> list[SpendState]:
        """Oldest first."""
        return [spend.state for spend in reversed(self.payer.book.recent())]

    @property
    def payments(self) -> list[str | None]:
        """The payment headers that were sent, in order."""
        return [h.payment for h in self.server.heard if h.payment]


@pytest_asyncio.fixture
async def shop_at(purse: Purse) -> AsyncIterator[Callable[..., Shop]]:
    purse.fund(base=10_000_000, solana=10_000_000)
    shops: list[Shop] = []

    def open_shop(server: PaidServer, **router: Any) -> Shop:
        shops.append(Shop(server, purse, **router))
        return shops[-1]

    yield open_shop
    for shop in shops:
        await shop.http.aclose()
        await shop.payer.close()


ShopAt = Callable[[PaidServer], Shop]


@pytest.mark.parametrize("versions", [(1,), (2,), (1, 2)])
@pytest.mark.parametrize("network", ["base", "solana"])
async def test_a_published_gateway_is_paid_once_and_the_picture_goes_up_once(
    serve: Serve, shop_at: ShopAt, versions: tuple[int, ...], network: str
) -> None:
    """Without `/quote`, as strangers are: a probe of one pixel, then the upload."""
    shop = shop_at(serve(on_base() if network == "base" else on_solana(), versions=versions, quotes=False))
    paid = await shop.edit()
    assert paid.price == Price(PRICE)
    assert paid.receipt is not None
    assert paid.answer["data"][0]["url"].endswith("/images/result.png")
    probe, upload = shop.server.of("edit")
    assert probe.payment is None
    assert len(probe.body) < 400
    assert json.loads(probe.body).keys() == {"model", "prompt", "size", "n", "image"}
    assert upload.body == ORDER.as_json().body
    assert ("x-payment" in upload.headers) == (versions == (1,))
    assert len(shop.server.charged) == 1
    assert shop.books == [SpendState.SPENT]


async def test_with_a_quote_route_nothing_is_probed(serve: Serve, shop_at: ShopAt) -> None:
    shop = shop_at(serve())
    await shop.edit()
    assert [h.path.rsplit("/", 1)[1] for h in shop.server.heard] == ["quote", "image2image"]
    assert [p.stage for p in shop.told] == ["quoted", "signed", "uploading", "delivered"]
    assert all(p.price == Price(PRICE) for p in shop.told)
    assert shop.payer.book.recent()[0].tx_hash == f"0x{1:064x}"


async def test_a_masked_probe_is_masked(serve: Serve, shop_at: ShopAt) -> None:
    shop = shop_at(serve(quotes=False))
    await shop.edit(order=Order(FIELDS | {"masked": True}, FIELDS, ORDER.images, ORDER.images[0]))
    assert "mask" in json.loads(shop.server.of("edit")[0].body)


async def test_a_free_gateway_costs_nothing(serve: Serve, shop_at: ShopAt) -> None:
    server = serve(quotes=False)
    server.script["edit"] = [server.deliver("0x" + "1" * 64), reply(200, {"data": [{"url": "http://x/y"}]})]
    paid = await shop_at(server).edit()
    assert (paid.price, paid.receipt) == (None, None)
    assert server.of("edit")[1].payment is None


async def test_a_gateway_that_prices_only_whole_uploads_is_paid_after_one(serve: Serve, shop_at: ShopAt) -> None:
    server = serve(quotes=False)
    server.script["edit"] = [reply(400, {"error": "image is too small"})]
    shop = shop_at(server)
    assert (await shop.edit(max_price=Price(PRICE))).price == Price(PRICE)
    assert [bool(h.payment) for h in server.of("edit")] == [False, False, True]
    server.script["edit"] = [reply(400, {"error": "image is too small"})]
    await shop.refused(SpendingPolicy, "more than the", max_price=Price(PRICE - 1))
    assert len(server.charged) == 1


# What the caller and the owner allow.


async def test_a_limit_below_the_quote_signs_nothing(serve: Serve, shop_at: ShopAt) -> None:
    shop = shop_at(serve())
    await shop.refused(SpendingPolicy, r"costs \$0.021, more than the \$0.020999", max_price=Price(PRICE - 1))
    assert (shop.payments, shop.books) == ([], [])


async def test_an_empty_wallet_uploads_nothing(serve: Serve, shop_at: ShopAt, purse: Purse) -> None:
    shop = shop_at(serve())
    purse.fund(base=0)
    await shop.refused(NoFunds, "holds")
    assert shop.server.of("edit") == []


HOSTILE_QUOTES = {
    "dear": ([on_base(600_000)], SpendingPolicy, "cap"),
    "no address": ([on_base(pay_to="0x12")], UpstreamFailed, "no address"),
    "foreign asset": ([on_base(asset="0x" + "99" * 20)], SpendingPolicy, "nothing that this wallet pays"),
    "mainnet": ([on_base(network="eip155:8453")], SpendingPolicy, "nothing that this wallet pays"),
    "scheme": ([on_base(scheme="upto")], SpendingPolicy, "nothing that this wallet pays"),
    "ours as fee payer": ([on_solana(extra={})], UpstreamFailed, "fee payer"),
    "cheap first, dear second": ([on_base(1), on_solana(400_000)], SpendingPolicy, "more than"),
}


@pytest.mark.parametrize(("offers", "error", "said"), HOSTILE_QUOTES.values(), ids=HOSTILE_QUOTES)
async def test_hostile_offers_are_not_signed(
    serve: Serve, shop_at: ShopAt, offers: list[Any], error: type[TollbrushError], said: str
) -> None:
    shop = shop_at(serve(*offers))
    await shop.refused(error, said)
    assert (shop.payments, shop.books) == ([], [])


async def test_another_payee_than_last_time_is_refused(serve: Serve, shop_at: ShopAt) -> None:
    shop = shop_at(serve())
    await shop.edit()
    shop.server.offers = [on_base(pay_to="0x" + "33" * 20)]
    await shop.refused(SpendingPolicy, "until now it was")
    assert len(shop.payments) == 1


HOSTILE_402S = {
    "a dearer price": (lambda s: s.ask(on_base(PRICE + 1)), SpendingPolicy, r"asks \$0.021001 now, after a quote"),
    "the same again": (lambda s: s.ask(reason="expired"), PaymentRefused, "refused the payment"),
    "another payee": (lambda s: s.ask(on_base(pay_to="0x" + "33" * 20)), PaymentRefused, "refused"),
    "huge": (lambda s: Reply(402, b"x" * 2_000_000), UpstreamFailed, "more than 1,048,576 bytes"),
    "nothing readable": (lambda s: Reply(402, b"<html>pay</html>"), UpstreamFailed, "no way to pay"),
}


@pytest.mark.parametrize(("answer", "error", "said"), HOSTILE_402S.values(), ids=HOSTILE_402S)
async def test_a_402_after_the_payment_is_never_paid_twice(
    serve: Serve, shop_at: ShopAt, answer: Any, error: type[TollbrushError], said: str
) -> None:
    server = serve()
    server.script["edit"] = [answer(server)]
    shop = shop_at(server)
    refused = await shop.refused(error, said)
    assert len(shop.payments) == 1
    assert shop.books == [SpendState.DOUBTFUL]
    if error is PaymentRefused:
        assert refused.reason in ("expired", "refused")


async def test_a_price_that_rose_is_paid_when_both_signatures_together_are_allowed(
    serve: Serve, shop_at: ShopAt
) -> None:
    server = serve()
    server.script["edit"] = [server.ask(on_base(PRICE + 1))]
    server.offers = [on_base(PRICE)]
    shop = shop_at(server)
    server.script["edit"].append(lambda h: server.deliver("0x" + "2" * 64))
    paid = await shop.edit(max_price=Price(2 * PRICE + 1))
    assert paid.price == Price(PRICE + 1)
    assert shop.books == [SpendState.DOUBTFUL, SpendState.SPENT]
    server.script["edit"] = [server.ask(on_base(PRICE + 1))]
    await shop.refused(SpendingPolicy, "now, after a quote", max_price=Price(2 * PRICE))


async def test_a_gateway_that_took_the_payment_and_asks_again_gets_nothing(
    serve: Serve, shop_at: ShopAt, purse: Purse
) -> None:
    server = serve()

    def take(heard: Heard) -> Reply:
        purse.evm.used.add(shop.payer.book.recent()[0].life)
        return server.ask()

    server.script["edit"] = [take]
    shop = shop_at(server)
    await shop.refused(SpendingPolicy, "although its first payment was taken", max_price=Price(10 * PRICE))
    assert len(shop.payments) == 1


# Answers that are none.


async def test_unknown_settlements_are_asked_again_with_the_same_payment(
    serve: Serve, shop_at: ShopAt, purse: Purse
) -> None:
    server = serve()
    server.script["edit"] = [SETTLEMENT_UNKNOWN, SETTLEMENT_UNKNOWN]
    shop = shop_at(server)
    assert (await shop.edit()).price == Price(PRICE)
    assert len(shop.payments) == 3
    assert len(set(shop.payments)) == 1
    assert purse.slept == [3, 3]
    assert len(server.charged) == 1


async def test_a_settlement_that_stays_unknown_is_said_so(serve: Serve, shop_at: ShopAt) -> None:
    server = serve()
    server.script["edit"] = [SETTLEMENT_UNKNOWN] * 300
    shop = shop_at(server)
    await shop.refused(SettlementUnknown, "does not yet know")
    assert len(set(shop.payments)) == 1
    assert shop.books == [SpendState.DOUBTFUL]


async def test_a_lost_answer_is_asked_again_with_the_same_payment(serve: Serve, shop_at: ShopAt, purse: Purse) -> None:
    server = serve()

    def settle_and_hang_up(heard: Heard) -> Reply:
        server.edit(heard)
        return DROP

    server.script["edit"] = [settle_and_hang_up, DROP]
    shop = shop_at(server)
    assert (await shop.edit()).receipt is not None
    assert (len(shop.payments), len(set(shop.payments)), len(server.charged)) == (3, 1, 1)
    assert purse.slept == [1, 2]


async def test_a_gateway_that_died_after_the_payment_leaves_a_doubt(serve: Serve, shop_at: ShopAt) -> None:
    server = serve()
    server.script["edit"] = [DROP] * 4
    shop = shop_at(server)
    lost = await shop.refused(Unavailable, "stopped answering after the payment was sent")
    assert "Nothing was" not in lost.sentence()
    assert shop.books == [SpendState.DOUBTFUL]


async def test_a_gateway_that_is_not_there_costs_nothing(serve: Serve, shop_at: ShopAt) -> None:
    server = serve()
    shop = shop_at(server)
    server.stop()
    await shop.refused(Unavailable, "does not answer")
    assert shop.books == []


async def test_a_payment_that_never_left_is_given_back(serve: Serve, shop_at: ShopAt) -> None:
    server = serve()

    def quote_and_hang_up(heard: Heard) -> Reply:
        honest = server.quote(heard)
        return replace(honest, headers={**honest.headers, "connection": "close"})

    server.script["quote"] = [quote_and_hang_up]
    shop = shop_at(server)

    def stop_before_the_upload(progress: Progress) -> None:
        if progress.stage == "signed":
            server.stop()

    with pytest.raises(Unavailable, match="does not answer"):
        await shop.flow.edit(ORDER, progress=stop_before_the_upload)
    assert shop.books == [SpendState.UNSPENT]


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (reply(400, {"error": "image is broken", "code": "bad_image"}), BadImage, "image is broken"),
        (reply(403, {"error": "not this", "code": "content_policy"}), ContentRefused, "not this"),
        (reply(429, {"error": "slow down", "code": "rate_limited"}, {"Retry-After": "7"}), RateLimited, "slow down"),
        (reply(503, {"error": "busy", "code": "unavailable"}), Unavailable, "busy"),
        (
            Reply(502, b"<html>Bad</html>", {"content-type": "text/html"}),
            UpstreamFailed,
            "HTTP 502 with text/html",
        ),
        (Reply(302, b"", {"location": "http://evil.example/"}), UpstreamFailed, "HTTP 302"),
        (Reply(200, b"<html>paid, thanks</html>", {"content-type": "text/html"}), UpstreamFailed, "without a picture"),
        (reply(200, {"data": []}), UpstreamFailed, "without a picture"),
        (reply(202, {"id": "j", "poll_url": "http://evil.example/poll"}), UpstreamFailed, "no place of its own"),
        (reply(202, {"id": "j"}), UpstreamFailed, "no place of its own"),
        (reply(202, {"id": "j", "poll_url": 5}), UpstreamFailed, "no place of its own"),
        (reply(202, {"id": "j", "poll_url": "http://[::1"}), UpstreamFailed, "no place of its own"),
        (reply(202, {"id": "j", "poll_url": "//127.0.0.1:99999/"}), UpstreamFailed, "no place of its own"),
    ],
)
async def test_refusals_after_the_payment_are_typed_and_leave_a_doubt(
    serve: Serve, shop_at: ShopAt, answer: Reply, error: type[TollbrushError], said: str
) -> None:
    server = serve()
    server.script["edit"] = [answer]
    shop = shop_at(server)
    await shop.refused(error, said)
    assert len(shop.payments) == 1
    assert shop.books == [SpendState.DOUBTFUL]


async def test_a_receipt_without_a_picture_is_spent_and_said(serve: Serve, shop_at: ShopAt) -> None:
    server = serve()
    server.script["edit"] = [server.deliver("0x" + "5" * 64, data=[])]
    shop = shop_at(server)
    failed = await shop.refused(UpstreamFailed, "without a picture")
    assert "0x" + "5" * 64 in failed.sentence()
    assert shop.books == [SpendState.SPENT]


async def test_the_quotes_own_400_is_the_edits(serve: Serve, shop_at: ShopAt) -> None:
    server = serve()
    details = [{"path": "size", "message": "size 1x1 is not offered"}]
    server.script["quote"] = [
        reply(400, {"error": "size 1x1 is not offered", "code": "bad_request", "details": details})
    ]
    refused = await shop_at(server).refused(BadRequest, "not offered")
    assert refused.details[0].path == "size"


# Slow edits.


async def test_a_slow_edit_is_waited_for_with_the_same_payment(serve: Serve, shop_at: ShopAt, purse: Purse) -> None:
    server = serve()
    server.script["edit"] = [server.accept()]
    busy = reply(202, {"id": "job1", "status": "in_progress", "progress": 0.5, "queue_position": 2})
    server.script["poll"] = [busy, busy, DROP, reply(503, {"code": "unavailable"}), SETTLEMENT_UNKNOWN]
    shop = shop_at(server)
    paid = await shop.edit()
    assert paid.price == Price(PRICE)
    assert len(set(shop.payments)) == 1
    assert len(server.charged) == 1
    assert [h.method for h in server.of("poll")] == ["GET"] * 6
    assert purse.slept[:3] == [1, 1.5, 2.25]
    waiting = [p for p in shop.told if p.stage == "waiting"]
    assert (waiting[0].job, waiting[0].poll_url) == ("job1", f"{server.url}/api/v1/images/generations/job1")
    assert (waiting[1].fraction, waiting[1].queue_position) == (0.5, 2)
    assert shop.books == [SpendState.SPENT]


async def test_a_failed_job_is_its_error(serve: Serve, shop_at: ShopAt) -> None:
    server = serve()
    server.script["edit"] = [server.accept()]
    failed = {"id": "job1", "status": "failed", "error": "the prompt was refused", "code": "content_policy"}
    server.script["poll"] = [reply(200, failed)]
    shop = shop_at(server)
    await shop.refused(ContentRefused, "the prompt was refused")
    assert shop.books == [SpendState.DOUBTFUL]


async def test_a_job_nobody_knows_is_not_found(serve: Serve, shop_at: ShopAt) -> None:
    server = serve()
    server.script["edit"] = [server.accept()]
    server.script["poll"] = [reply(404, {"error": "Job not found"})]
    await shop_at(server).refused(NotFound, "Job not found")


async def test_patience_ends_and_the_job_can_be_collected_later(serve: Serve, shop_at: ShopAt, purse: Purse) -> None:
    server = serve()
    server.script["edit"] = [server.accept()]
    server.script["poll"] = [server.accept()] * 500
    shop = shop_at(server)
    late = await shop.refused(EditTimeout, "after 600 s")
    assert late.extra == {"job": "job1", "poll_url": f"{server.url}/api/v1/images/generations/job1"}
    assert sum(purse.slept) <= 600
    assert max(purse.slept) == 8
    server.script["poll"] = []
    signed = next(p.payment for p in shop.told if p.payment)
    paid = await shop.flow.collect(late.extra["poll_url"], signed)
    assert paid.price == Price(PRICE)
    assert shop.books == [SpendState.SPENT]
    assert len(set(shop.payments)) == 1


async def test_solana_is_paid_afresh_only_when_the_old_blockhash_died(
    serve: Serve, shop_at: ShopAt, purse: Purse
) -> None:
    server = serve(on_solana())

    def die(heard: Heard) -> Reply:
        purse.solana.advance(200)
        return server.ask()

    server.script["edit"] = [server.accept()]
    server.script["poll"] = [server.ask(), die]
    shop = shop_at(server)
    assert (await shop.edit()).price == Price(PRICE)
    first, second, fresh = shop.payments
    assert first == second != fresh
    assert shop.books == [SpendState.DOUBTFUL, SpendState.SPENT]


async def test_until_a_job_is_ready_a_solana_wallet_asks_by_its_signature(
    serve: Serve, shop_at: ShopAt, purse: Purse
) -> None:
    """`x-poll-*` as published; the payment goes out again when the gateway asks for it."""
    server = serve(on_solana())
    server.script["edit"] = [server.accept()]
    seen: list[str | None] = []

    def prove(heard: Heard) -> Reply:
        assert heard.payment is None
        seen.append(polling_wallet(heard.headers, "job1", now=int(purse.now)))
        return server.accept()

    server.script["poll"] = [prove, prove, server.ask()]
    shop = shop_at(server)
    assert (await shop.edit()).price == Price(PRICE)
    assert seen == [purse.wallet.solana_address] * 2
    first, last = shop.payments
    assert first == last
    assert shop.books == [SpendState.SPENT]


async def test_an_expired_evm_payment_is_replaced_on_the_poll(serve: Serve, shop_at: ShopAt, purse: Purse) -> None:
    server = serve()

    def expire(heard: Heard) -> Reply:
        purse.evm.now += 601
        purse.now += 601
        return server.ask()

    server.script["edit"] = [server.accept()]
    server.script["poll"] = [expire]
    shop = shop_at(server)
    assert (await shop.edit()).price == Price(PRICE)
    assert len(set(shop.payments)) == 2
    assert shop.books == [SpendState.UNSPENT, SpendState.SPENT]


async def test_a_poll_that_asks_for_ever_is_refused(serve: Serve, shop_at: ShopAt, purse: Purse) -> None:
    server = serve(on_solana())

    def die(heard: Heard) -> Reply:
        purse.solana.advance(200)
        return server.ask()

    server.script["edit"] = [server.accept()]
    server.script["poll"] = [die] * 200
    shop = shop_at(server)
    await shop.refused(PaymentRefused, "refused the payment", max_price=Price(100 * PRICE))
    assert len(set(shop.payments)) == 3
    assert SpendState.SPENT not in shop.books


async def test_a_chain_that_does_not_answer_makes_nobody_pay_twice(serve: Serve, shop_at: ShopAt, purse: Purse) -> None:
    server = serve()

    def go_dark(heard: Heard) -> Reply:
        purse.evm.down = True
        return server.ask()

    server.script["edit"] = [server.accept()]
    server.script["poll"] = [go_dark, server.ask()]
    shop = shop_at(server)
    assert (await shop.edit()).price == Price(PRICE)
    assert len(set(shop.payments)) == 1


@pytest.mark.parametrize("stage", ["quoted", "signed", "uploading"])
async def test_a_callback_that_raises_gives_back_what_was_not_sent(serve: Serve, shop_at: ShopAt, stage: str) -> None:
    shop = shop_at(serve())

    def fail(progress: Progress) -> None:
        if progress.stage == stage:
            raise RuntimeError(stage)

    with pytest.raises(RuntimeError):
        await shop.flow.edit(ORDER, progress=fail)
    assert shop.books == ([] if stage == "quoted" else [SpendState.UNSPENT])
    assert shop.payments == []


async def test_a_cancelled_call_books_its_doubt(serve: Serve, shop_at: ShopAt) -> None:
    server = serve()
    server.script["edit"] = [server.accept()]
    server.script["poll"] = [server.accept()] * 5
    shop = shop_at(server)
    waiting = asyncio.Event()

    async def sleep_for_ever(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    shop.flow.sleep = sleep_for_ever
    call = asyncio.create_task(shop.edit())
    await waiting.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert shop.books == [SpendState.DOUBTFUL]


async def test_fifty_edits_at_once_pay_fifty_times_and_no_more(serve: Serve, shop_at: ShopAt) -> None:
    server = serve()
    shop = shop_at(server)
    paid = await asyncio.gather(*(shop.edit() for _ in range(50)))
    assert len({p.receipt.tx_hash for p in paid if p.receipt}) == 50
    assert len(server.charged) == 50
    assert shop.books == [SpendState.SPENT] * 50


async def test_a_path_under_the_gateway_is_kept(serve: Serve, shop_at: ShopAt, purse: Purse) -> None:
    """`…/sol` offers Solana alone; its poll URLs come with the prefix."""
    server = serve(on_solana())
    shop = shop_at(server)
    flow = GatewayFlow(server.url + "/sol/", shop.payer, shop.http, clock=purse.clock, sleep=purse.sleep)
    server.script["edit"] = [server.accept(poll_url="/sol/api/v1/images/generations/job1")]
    await flow.edit(ORDER)
    assert [h.path for h in server.heard] == [
        "/sol/api/v1/images/quote",
        "/sol/api/v1/images/image2image",
        *["/sol/api/v1/images/generations/job1"] * 2,  # by proof, and when that is not enough, paying
    ]


def test_an_order_and_progress_do_not_print_pictures_or_payments() -> None:
    assert "AAAA" not in repr(ORDER)
    assert replace(ORDER, quote={}).quote == {}
