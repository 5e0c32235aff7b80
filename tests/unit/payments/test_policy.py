"""The wallet's owner decides: every rule has its refusal, and the caps hold against threads, processes and crashes."""

from __future__ import annotations

import multiprocessing
import stat
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush.domain.networks import BY_V1
from tollbrush.domain.payments import Requirement
from tollbrush.domain.pricing import Price
from tollbrush.errors import SpendingPolicy, Unavailable, UpstreamFailed
from tollbrush.payments.policy import DAY, HOUR, Caps, Spent, check_caps, check_pin, check_terms, origin_of, ours
from tollbrush.payments.spending import SpendingBook, SpendState
from tollbrush.settings import SpendingSettings
from tollbrush.wire.offers import Offer

BASE, SOLANA = BY_V1["base-sepolia"], BY_V1["solana-devnet"]
OWN, PAYEE = "0x" + "11" * 20, "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
SOL_OWN, SOL_PAYEE = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk", "3Cy3YNTFywCmxoxt8n7UH6hg6dLo5uACowX3CFceaSnx"
SOL_FEES = "9B5XszUGdMaxCZ7uSQhPzdks5ZQSmWxrmzCSvtJ6Ns6g"
CAPS = Caps(per_call=50_000, per_hour=100_000, per_day=150_000, lifetime=200_000)
ON_BASE = Requirement(BASE.id, BASE.usdc, 21_000, PAYEE)
ON_SOLANA = Requirement(SOLANA.id, SOLANA.usdc, 21_000, SOL_PAYEE, extra={"feePayer": SOL_FEES})
NOW = 1_800_000_000
GATEWAY = "https://g.example:443"


def terms(requirement: Requirement, *, quoted: Price | None = None, payees: Sequence[str] = ()) -> None:
    network, own = (BASE, OWN) if requirement.network == BASE.id else (SOLANA, SOL_OWN)
    check_terms(requirement, network, own=own, quoted=quoted, caps=CAPS, payees=payees)


def reserve(book: SpendingBook, amount: int, *, now: int = NOW, caps: Caps = CAPS, pay_to: str = PAYEE) -> int:
    requirement = replace(ON_BASE, amount=amount, pay_to=pay_to)
    return book.reserve(requirement, gateway=GATEWAY, caps=caps, now=now, pin=True, life="0x01")


@pytest.fixture
def book(tmp_path: Path) -> SpendingBook:
    return SpendingBook(tmp_path / "data" / "spending.db")


def test_right_terms_pass_on_both_families() -> None:
    terms(ON_BASE, quoted=Price(21_000), payees=[PAYEE.lower()])
    terms(ON_SOLANA, quoted=Price(21_000), payees=[SOL_PAYEE])


@pytest.mark.parametrize(
    ("requirement", "quoted", "payees", "said"),
    [
        (ON_BASE, Price(20_999), (), r"asks \$0.021, more than the \$0.020999 it quoted"),
        (replace(ON_BASE, amount=50_001), None, (), r"\$0.050001 is over the cap of \$0.05 for a call"),
        (ON_BASE, None, ("0x" + "22" * 20,), "none of the configured recipients"),
        (ON_SOLANA, None, (SOL_PAYEE.lower(),), "none of the configured recipients"),
    ],
)
def test_terms_that_the_owner_did_not_mean(
    requirement: Requirement, quoted: Price | None, payees: Sequence[str], said: str
) -> None:
    with pytest.raises(SpendingPolicy, match=said):
        terms(requirement, quoted=quoted, payees=payees)


def test_a_refusal_names_the_setting_that_changes_it() -> None:
    with pytest.raises(SpendingPolicy) as refused:
        terms(replace(ON_BASE, amount=60_000))
    assert "TOLLBRUSH_ROUTER__SPENDING__PER_CALL" in refused.value.sentence()
    assert refused.value.extra == {"cap": "0.050000", "amount": "0.060000", "setting": "per_call"}
    with pytest.raises(SpendingPolicy) as refused:
        terms(ON_BASE, payees=["0x" + "22" * 20])
    assert f'TOLLBRUSH_ROUTER__PAY_TO=["{PAYEE}"]' in refused.value.sentence()


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        (replace(ON_BASE, pay_to="0x1234"), "no address on Base Sepolia"),
        (replace(ON_BASE, pay_to="0x" + "0" * 40), "no address"),
        (replace(ON_BASE, pay_to=SOL_PAYEE), "no address"),
        (replace(ON_BASE, pay_to=OWN.upper().replace("X", "x")), "pay itself"),
        (replace(ON_SOLANA, pay_to=PAYEE), "no address on Solana devnet"),
        (replace(ON_SOLANA, pay_to=SOL_OWN), "pay itself"),
        (replace(ON_SOLANA, extra={}), "fee payer"),
        (replace(ON_SOLANA, extra={"feePayer": SOL_OWN}), "fee payer"),
    ],
)
def test_offers_that_make_no_sense(requirement: Requirement, said: str) -> None:
    with pytest.raises(UpstreamFailed, match=said):
        terms(requirement)


def test_only_our_scheme_networks_and_asset_are_payable() -> None:
    good = Offer(ON_BASE, 2, {})
    strange = [
        Offer(ON_BASE, 2, {}, scheme="upto"),
        Offer(replace(ON_BASE, network="eip155:1"), 2, {}),
        Offer(replace(ON_BASE, network="eip155:8453"), 2, {}),
        Offer(replace(ON_BASE, asset="0x" + "99" * 20), 2, {}),
        Offer(ON_SOLANA, 2, {}),
    ]
    assert ours([*strange, good], [BASE]) == [(good, BASE)]
    with pytest.raises(SpendingPolicy, match=r"'upto' .* It pays USDC on Base Sepolia"):
        ours(strange, [BASE])
    with pytest.raises(SpendingPolicy, match="no offer"):
        ours([], [])


def test_a_pin_holds_the_recipient() -> None:
    check_pin(ON_BASE, BASE, gateway=GATEWAY, pinned=None)
    check_pin(ON_BASE, BASE, gateway=GATEWAY, pinned=PAYEE.lower())
    with pytest.raises(SpendingPolicy, match="until now it was 0x22"):
        check_pin(ON_BASE, BASE, gateway=GATEWAY, pinned="0x" + "22" * 20)
    with pytest.raises(SpendingPolicy):  # base58 is case-sensitive
        check_pin(ON_SOLANA, SOLANA, gateway=GATEWAY, pinned=SOL_PAYEE.lower())


@given(st.integers(0, 300_000), *[st.integers(0, 300_000)] * 3)
@settings(max_examples=200, deadline=None)
def test_caps_pass_exactly_what_fits(amount: int, hour: int, day: int, lifetime: int) -> None:
    fits = hour + amount <= 100_000 and day + amount <= 150_000 and lifetime + amount <= 200_000
    if fits:
        check_caps(amount, CAPS, Spent(hour, day, lifetime))
    else:
        with pytest.raises(SpendingPolicy):
            check_caps(amount, CAPS, Spent(hour, day, lifetime))


def test_caps_in_dollars_are_rounded_down() -> None:
    caps = Caps.of(SpendingSettings(per_call=Decimal("0.0000019"), per_hour=Decimal("5"), per_day=Decimal("-1")))
    assert (caps.per_call, caps.per_hour, caps.per_day) == (1, 5_000_000, 0)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://G.example/sol", "https://g.example:443"),
        ("http://127.0.0.1:8401/", "http://127.0.0.1:8401"),
        ("https://user:secret@g.example:8443/x?y", "https://g.example:8443"),
        ("http://[::1", ""),
        ("http://g.example:99999/", ""),
    ],
)
def test_pins_belong_to_an_origin(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_windows_roll(book: SpendingBook) -> None:
    for _ in range(2):
        reserve(book, 50_000)
    with pytest.raises(SpendingPolicy, match=r"\$0.10 already spent or reserved is over the cap of \$0.10 for an hour"):
        reserve(book, 1)
    reserve(book, 50_000, now=NOW + HOUR)
    with pytest.raises(SpendingPolicy, match="for a day"):
        reserve(book, 1, now=NOW + 2 * HOUR)
    reserve(book, 50_000, now=NOW + DAY)
    with pytest.raises(SpendingPolicy, match="lifetime"):
        reserve(book, 1, now=NOW + 3 * DAY)
    assert book.spent(NOW + DAY) == Spent(50_000, 100_000, 200_000)


def test_only_what_was_not_sent_is_given_back(book: SpendingBook) -> None:
    unsent, doubtful, spent = (reserve(book, 10_000) for _ in range(3))
    book.release(unsent)
    book.doubt(doubtful)
    book.confirm(spent, "0xabc")
    book.release(spent)
    assert book.spent(NOW) == Spent(20_000, 20_000, 20_000)
    assert [(s.state, s.tx_hash) for s in book.recent()] == [
        (SpendState.SPENT, "0xabc"),
        (SpendState.DOUBTFUL, None),
        (SpendState.UNSPENT, None),
    ]


def test_a_receipt_may_come_after_a_doubt(book: SpendingBook) -> None:
    spend = reserve(book, 10_000)
    book.doubt(spend)
    book.confirm(spend, "0xabc")
    assert book.recent()[0].state is SpendState.SPENT


def test_unresolved_are_the_expired_without_a_receipt(book: SpendingBook) -> None:
    crashed, doubtful, spent, released = (reserve(book, 10_000) for _ in range(4))
    book.doubt(doubtful)
    book.confirm(spent, None)
    book.release(released)
    assert book.unresolved(BASE.id, now=NOW + ON_BASE.max_timeout - 1) == []
    assert [s.id for s in book.unresolved(BASE.id, now=NOW + ON_BASE.max_timeout)] == [crashed, doubtful]
    assert book.unresolved(SOLANA.id, now=NOW + DAY) == []


def test_the_first_recipient_is_pinned_until_it_is_forgotten(book: SpendingBook) -> None:
    other = "0x" + "33" * 20
    reserve(book, 1)
    with pytest.raises(SpendingPolicy, match="until now it was"):
        reserve(book, 1, pay_to=other)
    assert book.spent(NOW).lifetime == 1
    assert book.pins() == {(GATEWAY, BASE.id): PAYEE}
    book.unpin(GATEWAY)
    reserve(book, 1, pay_to=other)
    assert book.pins() == {(GATEWAY, BASE.id): other}


def test_configured_recipients_need_no_pin(book: SpendingBook) -> None:
    book.reserve(ON_BASE, gateway=GATEWAY, caps=CAPS, now=NOW, pin=False, life="0x01")
    assert book.pins() == {}


def test_a_refused_reservation_pins_nobody(book: SpendingBook) -> None:
    with pytest.raises(SpendingPolicy):
        reserve(book, 100_001)
    assert book.pins() == {}


def test_fifty_threads_never_pass_a_cap_together(book: SpendingBook) -> None:
    start = threading.Barrier(50)

    def one(_: int) -> bool:
        start.wait()
        try:
            reserve(book, 10_000)
        except SpendingPolicy:
            return False
        return True

    with ThreadPoolExecutor(50) as pool:
        granted = sum(pool.map(one, range(50)))
    assert granted == 10
    assert book.spent(NOW).hour == 100_000


def _spend_all(path: str, start: Any, granted: Any) -> None:
    book, count = SpendingBook(Path(path)), 0
    start.wait()
    for _ in range(8):
        try:
            reserve(book, 10_000)
            count += 1
        except SpendingPolicy:
            break
    granted.put(count)


def test_processes_never_pass_a_cap_together(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    start, granted = fork.Event(), fork.Queue()
    spenders = [fork.Process(target=_spend_all, args=(str(tmp_path / "s.db"), start, granted)) for _ in range(4)]
    for spender in spenders:
        spender.start()
    start.set()
    total = sum(granted.get(timeout=60) for _ in spenders)
    for spender in spenders:
        spender.join()
    assert total == 10


def test_the_book_survives_a_new_process_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "spending.db"
    reserve(SpendingBook(path), 10_000)
    assert SpendingBook(path).spent(NOW).lifetime == 10_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_book_that_cannot_be_used_signs_nothing(tmp_path: Path) -> None:
    (tmp_path / "spending.db").write_text("not a database, but long enough to be looked at" * 20)
    with pytest.raises(Unavailable, match="cannot be used"):
        SpendingBook(tmp_path / "spending.db")
    with pytest.raises(Unavailable, match="cannot be used"):
        SpendingBook(tmp_path / "spending.db" / "below")
