"""`tollbrush ledger`: what this gateway sold, from the claim on a payment to its transaction. It only reads, and may
do so while the gateway runs."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import typer

from tollbrush.cli.context import DataDir, Json, client_settings
from tollbrush.cli.terminal import Link, Terminal, safe, usage
from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.domain.networks import BY_ID
from tollbrush.domain.pricing import Price

if TYPE_CHECKING:
    from tollbrush.domain.jobs import Job
    from tollbrush.settings import Settings

By = Literal["day", "model", "network"]
_SAYS: Final = {
    ChargeState.UNKNOWN: "! unknown",
    ChargeState.SETTLING: "! settling",
    ChargeState.READY: "… ready",
    ChargeState.CLAIMED: "… claimed",
    ChargeState.SETTLED: "✓ settled",
    ChargeState.RELEASED: "– released",
}
_RANK: Final = {state: rank for rank, state in enumerate(list(_SAYS)[:4])}
"""What is unsettled comes first, what nobody knows at its head; all else follows, newest first."""
_WIDE: Final = 110
"""Columns of a terminal that hold every column of the table."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Entry:
    """One charge. `time` of its claim in UTC; `amount` in atomic units, `dollars` the same exactly; `explorer` is empty
    without a transaction, and on a local chain; `usage` is what the engine consumed, whether it was paid for or not."""

    time: str
    state: str
    network: str
    model: str
    requested_model: str
    size: str
    n: int
    amount: int
    dollars: Decimal
    payer: str
    pay_to: str
    reason: str
    tx_hash: str
    explorer: str
    job: str
    charge: str
    usage: Mapping[str, int]


@dataclass(frozen=True)
class Total:
    """The charges of one `group`; of `unsettled` ones nobody knows yet whether they will be paid. `tokens` were
    consumed by the jobs behind them."""

    group: str
    settled: int
    settled_amount: int
    settled_dollars: Decimal
    unsettled: int
    unsettled_amount: int
    unsettled_dollars: Decimal
    released: int
    tokens: int


def register(app: typer.Typer) -> None:
    app.command()(ledger)


def ledger(
    by: Annotated[By | None, typer.Option(help="Sums instead of single charges.", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Claimed since: 2026-11-01, in UTC.", show_default=False)
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Answer as CSV (RFC 4180).")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """What the gateway sold: every charge from claim to transaction."""
    from tollbrush.storage.reader import read_history

    if as_csv and as_json:
        usage("--csv and --json exclude each other: choose one.")
    start = _moment(since)
    settings = client_settings(data_dir)
    history = read_history(settings.data_dir / "gateway.db", since=start)
    charges = sorted(history, key=lambda row: (_RANK.get(row[1].state, len(_RANK)), -row[1].created, row[1].id))
    entries = [_entry(job, charge, settings) for job, charge in charges]
    totals = _totals(entries, by)
    if as_csv:
        _write_csv(totals if by else entries, Total if by else Entry)
    else:
        _tell(Terminal(as_json=as_json), entries, totals, by, f" since {since}" if since else "")


def _moment(since: str | None) -> int:
    if since is None:
        return 0
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        usage(f"--since {since!r} is not a date. Write it as 2026-11-01 or 2026-11-01T18:00.")
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _entry(job: Job, charge: Charge, settings: Settings) -> Entry:
    network, price = BY_ID.get(charge.key.network), Price(charge.amount)
    name = network.v1 if network else charge.key.network
    part = settings.networks.get(name)
    on_explorer = network and charge.tx_hash and not (part and urlsplit(part.rpc_url).hostname in _LOOPBACK)
    return Entry(
        time=datetime.fromtimestamp(charge.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        state=charge.state.value,
        network=name,
        model=job.model,
        requested_model=job.requested_model,
        size=job.size,
        n=job.n,
        amount=price.atomic,
        dollars=price.dollars,
        payer=charge.key.payer,
        pay_to=charge.pay_to,
        reason=charge.reason or "",
        tx_hash=charge.tx_hash or "",
        explorer=network.explorer_tx.format(charge.tx_hash) if network and on_explorer else "",
        job=job.id,
        charge=charge.id,
        usage=dict(job.usage),
    )


def _totals(entries: Sequence[Entry], by: By | None) -> list[Total]:
    """One a group, in the groups' order; without `by` one of all."""
    groups: dict[str, list[Entry]] = {} if by else {"all": []}
    for entry in entries:
        group = {"day": entry.time[:10], "model": entry.model, "network": entry.network}[by] if by else "all"
        groups.setdefault(group, []).append(entry)
    return [_total(group, groups[group]) for group in sorted(groups)]


def _total(group: str, entries: Iterable[Entry]) -> Total:
    count, amount = dict.fromkeys(ChargeState, 0), dict.fromkeys(ChargeState, 0)
    tokens: dict[str, int] = {}
    for entry in entries:
        tokens[entry.job] = entry.usage.get("total_tokens", 0)
        state = ChargeState(entry.state)
        count[state] += 1
        amount[state] += entry.amount
    settled, owed = Price(amount[ChargeState.SETTLED]), Price(sum(amount[state] for state in _RANK))
    return Total(
        group=group,
        settled=count[ChargeState.SETTLED],
        settled_amount=settled.atomic,
        settled_dollars=settled.dollars,
        unsettled=sum(count[state] for state in _RANK),
        unsettled_amount=owed.atomic,
        unsettled_dollars=owed.dollars,
        released=count[ChargeState.RELEASED],
        tokens=sum(tokens.values()),
    )


def _write_csv(rows: Sequence[Entry | Total], kind: type[Entry | Total]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\r\n")
    out.writerow(kind.__dataclass_fields__)
    out.writerows([safe(_cell(value)) for value in asdict(row).values()] for row in rows)


def _cell(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _tell(terminal: Terminal, entries: Sequence[Entry], totals: Sequence[Total], by: By | None, since: str) -> None:
    if terminal.as_json:
        said: dict[str, Any] = {"by": by, "totals": [asdict(total) for total in totals]}
        terminal.result(said if by else said | {"charges": [asdict(entry) for entry in entries]})
        return
    if not entries:
        terminal.result(None, f"Nothing was sold{since}. An edit shows here once its payment is claimed.")
        return
    owed = [entry for entry in entries if ChargeState(entry.state) in _RANK]
    if by and owed:
        _show(terminal, owed)
    if by:
        columns = (by.capitalize(), ">Settled", ">Dollars", ">Unsettled", ">Dollars", ">Released", ">Tokens")
        rows = [
            (t.group, str(t.settled), _money(t.settled_amount), str(t.unsettled), _money(t.unsettled_amount),
             str(t.released), f"{t.tokens:,}") for t in totals
        ]  # fmt: skip
        terminal.table(None, columns, rows)
    else:
        _show(terminal, entries)
    terminal.result(None, _sentence(entries))


def _show(terminal: Terminal, entries: Sequence[Entry]) -> None:
    columns = ["State", "Claimed (UTC)", "Network", "Model", "Size", ">Price", "Payer", "Transaction"]
    if sys.stdout.isatty() and shutil.get_terminal_size().columns < _WIDE:
        columns = [name for name in columns if name not in ("Size", "Payer")]
    cells: list[dict[str, str | Link]] = [
        {
            "State": _SAYS[ChargeState(e.state)],
            "Claimed (UTC)": e.time[:16].replace("T", " "),
            "Network": e.network,
            "Model": e.model,
            "Size": e.size,
            ">Price": _money(e.amount),
            "Payer": _short(e.payer),
            "Transaction": _transaction(e),
        }
        for e in entries
    ]
    terminal.table(None, tuple(columns), [tuple(cell[name] for name in columns) for cell in cells])


def _transaction(entry: Entry) -> str | Link:
    """On a terminal a short hash to click, elsewhere the whole; without one why there is none."""
    if not entry.tx_hash:
        return entry.reason
    if not sys.stdout.isatty():
        return entry.explorer or entry.tx_hash
    return Link(_short(entry.tx_hash), entry.explorer) if entry.explorer else _short(entry.tx_hash)


def _sentence(entries: Sequence[Entry]) -> str:
    total = _total("all", entries)
    text = f"Settled {_money(total.settled_amount)} in {total.settled}; released unpaid {total.released}."
    owed = f" Unsettled {_money(total.unsettled_amount)} in {total.unsettled}: the gateway keeps asking the chain."
    return text + owed if total.unsettled else text


def _money(atomic: int) -> str:
    return str(Price(atomic))


def _short(text: str) -> str:
    return f"{text[:6]}…{text[-4:]}" if len(text) > 11 else text
