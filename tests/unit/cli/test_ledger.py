"""`tollbrush ledger` as an operator types it, beside a gateway that writes."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush.cli.app import run
from tollbrush.cli.ledger import Entry, _totals
from tollbrush.domain.charges import Charge, ChargeState, ClaimKey
from tollbrush.domain.jobs import Job
from tollbrush.storage.sqlite import SqliteLedger

Capture = pytest.CaptureFixture[str]
S = ChargeState
NOON = 1_795_003_200  # 2026-11-18T12:00:00Z
DAY = 86_400
BASE, SOLANA = "eip155:8453", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
PATHS: dict[ChargeState, Sequence[ChargeState]] = {
    S.CLAIMED: (),
    S.READY: (S.READY,),
    S.UNKNOWN: (S.READY, S.SETTLING, S.UNKNOWN),
    S.SETTLED: (S.READY, S.SETTLING, S.SETTLED),
    S.RELEASED: (S.RELEASED,),
}


async def sell(
    ledger: SqliteLedger,
    name: str,
    state: ChargeState,
    amount: int,
    *,
    network: str = BASE,
    model: str = "tollbrush/studio",
    at: int = NOON,
    reason: str | None = None,
    payer: str = "0xpayer",
) -> None:
    """One charge walked to its state; settled and unknown ones have a transaction."""
    job = Job(f"job-{name}", payer, model, model, "64x64", 1, amount, at)
    key = ClaimKey(network, "0xusdc", payer, f"nonce-{name}")
    charge = Charge(f"charge-{name}", key, amount, "0xseller", at + 999, "hash", job.id, "{}", at)
    await ledger.claim(charge, job, balance=10**18, max_open=99)
    for step in PATHS[state]:
        sent = f"0x{name}" if step in (S.SETTLED, S.UNKNOWN) else None
        moved = charge.to(step, now=at + 5, tx_hash=sent, reason=reason)
        assert await ledger.save(charge=moved, was=charge)
        charge = moved


async def _fill(ledger: SqliteLedger) -> None:
    await sell(ledger, "old", S.SETTLED, 2_100, at=NOON - DAY)
    await sell(ledger, "doubt", S.UNKNOWN, 21_000, at=NOON - DAY, network=SOLANA, reason="settlement_pending")
    await sell(ledger, "made", S.READY, 2_100)
    await sell(ledger, "failed", S.RELEASED, 2_100, reason="timeout")
    await sell(ledger, "new", S.SETTLED, 1, model="openai/gpt-image-1", at=NOON + 1)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway's data folder with five charges; the gateway has stopped."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "data"

    async def fill() -> None:
        ledger = SqliteLedger(folder / "gateway.db")
        await _fill(ledger)
        await ledger.close()

    asyncio.run(fill())
    return folder


def ask(capsys: Capture, folder: Path, *words: str) -> str:
    assert run(["ledger", "--data-dir", str(folder), *words]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_the_unsettled_stand_on_top_and_are_marked(data: Path, capsys: Capture) -> None:
    out = ask(capsys, data)
    rows = [line.split()[:2] for line in out.splitlines() if line[1:2] in "!…✓–" and line.strip()]
    assert rows == [["!", "unknown"], ["…", "ready"], ["✓", "settled"], ["–", "released"], ["✓", "settled"]]
    assert "https://basescan.org/tx/0xold" in out and "timeout" in out
    assert "https://explorer.solana.com/tx/0xdoubt?cluster=devnet" in out
    assert "Settled $0.002101 in 2; released unpaid 1. Unsettled $0.0231 in 2" in out


def test_one_json_document_with_exact_amounts(data: Path, capsys: Capture) -> None:
    said = json.loads(ask(capsys, data, "--json"))
    charges = {c["charge"]: c for c in said["charges"]}
    assert len(charges) == 5 and charges["charge-new"]["amount"] == 1
    assert charges["charge-new"]["dollars"] == "0.000001"
    doubt = charges["charge-doubt"]
    assert (doubt["state"], doubt["reason"], doubt["tx_hash"]) == ("unknown", "settlement_pending", "0xdoubt")
    assert (doubt["network"], doubt["job"], doubt["time"]) == ("solana-devnet", "job-doubt", "2026-11-17T12:00:00Z")
    (total,) = said["totals"]
    assert (total["settled"], total["settled_dollars"], total["unsettled_amount"]) == (2, "0.002101", 23_100)


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("day", {"2026-11-17": (1, 2_100, 1), "2026-11-18": (1, 1, 1)}),
        ("model", {"tollbrush/studio": (1, 2_100, 2), "openai/gpt-image-1": (1, 1, 0)}),
        ("network", {"base": (2, 2_101, 1), "solana-devnet": (0, 0, 1)}),
    ],
)
def test_sums(data: Path, capsys: Capture, by: str, groups: dict[str, tuple[int, int, int]]) -> None:
    said = json.loads(ask(capsys, data, "--by", by, "--json"))
    totals = {t["group"]: (t["settled"], t["settled_amount"], t["unsettled"]) for t in said["totals"]}
    assert totals == groups
    text = ask(capsys, data, "--by", by)
    assert text.index("! unknown") < text.index(min(groups)) and "Settled $0.002101" in text
    table = list(csv.DictReader(io.StringIO(ask(capsys, data, "--by", by, "--csv"))))
    assert {row["group"]: int(row["settled_amount"]) for row in table} == {k: v[1] for k, v in groups.items()}


def test_what_the_engine_consumed_is_told_and_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """An expired payment and the fresh one that took its place stand for one job, and for one run of the engine."""
    monkeypatch.setenv("HOME", str(tmp_path))
    usage = {"input_tokens": 120, "input_tokens_details.text_tokens": 20, "output_tokens": 272, "total_tokens": 392}

    async def fill() -> None:
        ledger = SqliteLedger(tmp_path / "gateway.db")
        await sell(ledger, "first", S.RELEASED, 21_000, reason="expired")
        job = await ledger.job("job-first")
        assert job is not None
        await ledger.save(job=job.start(NOON + 1).complete((), NOON + 2, usage))
        key = ClaimKey(BASE, "0xusdc", "0xpayer", "another nonce")
        charge = Charge("charge-second", key, 21_000, "0xseller", NOON + 999, "hash", job.id, "{}", NOON + 6)
        await ledger.claim(charge, job, balance=10**18, max_open=99)
        await ledger.close()

    asyncio.run(fill())
    said = json.loads(ask(capsys, tmp_path, "--json"))
    assert [c["usage"] for c in said["charges"]] == [usage, usage]
    assert said["totals"][0]["tokens"] == 392
    (row,) = csv.DictReader(io.StringIO(ask(capsys, tmp_path, "--by", "model", "--csv")))
    assert row["tokens"] == "392"
    assert "392" in ask(capsys, tmp_path, "--by", "model")
    rows = csv.DictReader(io.StringIO(ask(capsys, tmp_path, "--csv")))
    assert [json.loads(row["usage"]) for row in rows] == [usage, usage]


def test_since_keeps_what_is_open(data: Path, capsys: Capture) -> None:
    said = json.loads(ask(capsys, data, "--since", "2026-11-18", "--json"))
    assert [c["charge"] for c in said["charges"]] == ["charge-doubt", "charge-made", "charge-new", "charge-failed"]
    evening = json.loads(ask(capsys, data, "--since", "2026-11-18T13:00:01+01:00", "--json"))
    assert [c["charge"] for c in evening["charges"]] == ["charge-doubt", "charge-made", "charge-new"]


def test_csv_is_rfc_4180_and_nothing_in_it_moves_a_terminal(tmp_path: Path, capsys: Capture) -> None:
    nasty = 'said "no",\r\nthen \x1b[2J left'

    async def fill() -> None:
        ledger = SqliteLedger(tmp_path / "gateway.db")
        await sell(ledger, "odd", S.RELEASED, 7, reason=nasty, model="a,b")
        await ledger.close()

    asyncio.run(fill())
    out = ask(capsys, tmp_path, "--csv")
    assert out.count("\r\n") == 2 and out.endswith("\r\n") and "\x1b" not in out
    (row,) = csv.DictReader(io.StringIO(out, newline=""))
    assert (row["model"], row["reason"]) == ("a,b", 'said "no",\\r\\nthen \\x1b[2J left')
    assert "\x1b" not in ask(capsys, tmp_path) and "\x1b" not in ask(capsys, tmp_path, "--json")


def test_it_reads_while_the_gateway_writes(tmp_path: Path, capsys: Capture) -> None:
    async def both() -> list[int]:
        ledger, seen = SqliteLedger(tmp_path / "gateway.db"), []
        for i in range(5):
            await sell(ledger, f"n{i}", S.SETTLED, 10)
            said = await asyncio.to_thread(ask, capsys, tmp_path, "--json")
            seen.append(json.loads(said)["totals"][0]["settled_amount"])
        assert len(await ledger.history()) == 5  # and took nothing from it
        await ledger.close()
        return seen

    assert asyncio.run(both()) == [10, 20, 30, 40, 50]


def test_local_transactions_are_on_no_explorer(data: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLLBRUSH_NETWORKS__BASE__RPC_URL", "http://127.0.0.1:8545")
    charges = {c["charge"]: c for c in json.loads(ask(capsys, data, "--json"))["charges"]}
    assert (charges["charge-old"]["tx_hash"], charges["charge-old"]["explorer"]) == ("0xold", "")
    assert charges["charge-doubt"]["explorer"].startswith("https://explorer.solana.com/")


def test_nothing_sold_yet_is_one_sentence(tmp_path: Path, capsys: Capture) -> None:
    asyncio.run(SqliteLedger(tmp_path / "gateway.db").close())
    assert re.fullmatch(r"Nothing was sold\. .+\n", ask(capsys, tmp_path))
    assert json.loads(ask(capsys, tmp_path, "--json"))["charges"] == []
    assert ask(capsys, tmp_path, "--csv").count("\r\n") == 1


def test_a_wrong_folder_or_file_says_what_to_do(tmp_path: Path, capsys: Capture) -> None:
    assert run(["ledger", "--data-dir", str(tmp_path / "nowhere")]) == 4
    assert "tollbrush serve" in capsys.readouterr().err and not (tmp_path / "nowhere").exists()
    (tmp_path / "gateway.db").write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    assert run(["ledger", "--data-dir", str(tmp_path)]) == 5
    assert "cannot be read" in capsys.readouterr().err
    (tmp_path / "gateway.db").write_bytes(b"")
    assert run(["ledger", "--data-dir", str(tmp_path)]) == 5
    assert "of version 0" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--since", "yesterday"), ("--csv", "--json"), ("--by", "colour")])
def test_wrong_words_are_a_usage_error(data: Path, capsys: Capture, words: tuple[str, ...]) -> None:
    try:
        code: object = run(["ledger", "--data-dir", str(data), *words])
    except SystemExit as stop:
        code = stop.code
    assert code == 2 and words[0].removeprefix("--") in capsys.readouterr().err


_ENTRY = Entry(
    "2026-11-18T12:00:00Z", "settled", "base", "m", "m", "1x1", 1, 0, Decimal(0), "", "", "", "", "", "", "", {}
)
_ENTRIES = st.lists(
    st.builds(
        lambda state, network, amount: replace(_ENTRY, state=state.value, network=network, amount=amount),
        st.sampled_from(ChargeState),
        st.sampled_from(["base", "solana", "base-sepolia"]),
        st.integers(0, 10**15),
    ),
    max_size=20,
)


@settings(max_examples=50)
@given(_ENTRIES)
def test_groups_add_up_to_the_whole(entries: list[Entry]) -> None:
    (whole,) = _totals(entries, None)
    groups = _totals(entries, "network")
    assert sum(g.settled_dollars for g in groups) == whole.settled_dollars == Decimal(whole.settled_amount).scaleb(-6)
    assert sum(g.unsettled_amount for g in groups) == whole.unsettled_amount
    assert sum(g.settled + g.unsettled + g.released for g in groups) == len(entries)
