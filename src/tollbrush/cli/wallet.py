"""`tollbrush wallet …`: the keys that pay. Where a router runs, its wallet is the one that is shown and funded."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tollbrush.cli.context import DataDir, Json, client_settings, find_router
from tollbrush.cli.terminal import Terminal
from tollbrush.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from tollbrush.settings import Settings

app = typer.Typer(help="The wallet that pays.", no_args_is_help=True)
_BACKUP = "Back it up: tollbrush wallet export. Who has its words has its money."


@app.command()
def new(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Make a wallet of 24 words; one that exists is kept."""
    from tollbrush.payments import wallet

    settings = client_settings(data_dir)
    made = wallet.create(settings)
    _tell_addresses(Terminal(as_json=as_json), made, settings)


@app.command(name="import")
def import_(
    file: Annotated[str, typer.Argument(help="File with the words; - reads standard input.")] = "-",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Store the words of an existing wallet."""
    from tollbrush.payments import wallet

    settings = client_settings(data_dir)
    if file == "-" and sys.stdin.isatty():
        words = str(typer.prompt("The wallet's words", hide_input=True))
    else:
        words = _read_words(file)
    stored = wallet.import_words(settings, words)
    _tell_addresses(Terminal(as_json=as_json), stored, settings)


@app.command()
def show(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Addresses and balances; no secrets."""
    settings = client_settings(data_dir)
    terminal = Terminal(as_json=as_json)
    with terminal.working("Asking the chains"):
        said = _described(settings)
    accounts = said["accounts"]
    rows = [(str(a["title"]), str(a["address"]), _shown(a["balance"])) for a in accounts]
    terminal.table(said, ("Network", "Address", ">USDC"), rows)
    for account in accounts:
        if account["balance"] is None:
            terminal.note(account["problem"])
    terminal.note(f"From {said['source']}")


@app.command()
def export(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Print the secret words, for a backup."""
    from tollbrush.payments import wallet

    loaded = wallet.load(client_settings(data_dir))
    if loaded is None:
        raise NotFound("there is no wallet yet.", advice="Make one: tollbrush wallet new")
    if sys.stdout.isatty() and not yes:
        typer.confirm("Whoever sees the words has the money. Show them", abort=True, err=True)
    secrets = loaded.export()
    Terminal(as_json=as_json).result(secrets, *(value for value in secrets.values() if value))


@app.command()
def fund(
    dollars: Annotated[str, typer.Argument(metavar="USD", help="Play money for each local chain.")] = "10",
    network: Annotated[str | None, typer.Option(help="Only this network.", show_default=False)] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Play money on local chains; elsewhere, where to send USDC."""
    from tollbrush.cli import local
    from tollbrush.domain.networks import BY_V1
    from tollbrush.domain.pricing import Price

    amount = _dollars(dollars)
    settings = client_settings(data_dir)
    terminal = Terminal(as_json=as_json)
    accounts = _addresses(settings)
    devnet = local.read(settings.data_dir)
    chains = {n.name: n for n in devnet.networks if network in (None, n.name, BY_V1[n.name].id)} if devnet else {}
    if devnet is None or not chains:
        _tell_how(terminal, accounts)
        return
    funded = []
    for chain in chains.values():
        address = accounts[BY_V1[chain.name].family]
        devnet.fund(chain.name, address, Price.of(amount).atomic)
        balance = devnet.balance(chain, address)
        funded.append(_Funded(chain.name, address, str(balance.dollars)))
    terminal.result(
        {"funded": [vars(f) for f in funded]},
        *(f"{BY_V1[f.network].title:<14}{f.address}  now {_shown(f.balance)}" for f in funded),
    )


@dataclass(frozen=True)
class _Funded:
    network: str
    address: str
    balance: str


def _tell_how(terminal: Terminal, accounts: dict[str, str]) -> None:
    """No local chain: real money comes from its owner."""
    lines = [
        f"Send USDC on Base to    {accounts['evm'] or '(no EVM key)'}",
        f"Send USDC on Solana to  {accounts['svm'] or '(no Solana key)'}",
        "Test networks: https://faucet.circle.com",
        "Play money on this machine: tollbrush devnet, then again tollbrush wallet fund",
    ]
    terminal.result({"funded": [], "addresses": accounts}, *lines)


def _tell_addresses(terminal: Terminal, wallet: Any, settings: Settings) -> None:
    from tollbrush.payments.wallet import path_of

    path = str(path_of(settings))
    terminal.result(
        {"evm": wallet.evm_address, "solana": wallet.solana_address, "path": path},
        f"Base    {wallet.evm_address}",
        f"Solana  {wallet.solana_address}",
        f"Kept in {path}",
    )
    terminal.note(_BACKUP)


def _described(settings: Settings) -> dict[str, Any]:
    """What a running router says of its wallet, else our own."""
    import httpx2

    if router := find_router(settings):
        said: dict[str, Any] = httpx2.get(f"{router}/v1/wallet", timeout=30.0, trust_env=False).json()
        return said | {"source": f"the router at {router}"}
    from tollbrush.payments.payer import Payer
    from tollbrush.payments.wallet import load_or_create, path_of
    from tollbrush.router.accounts import describe

    async def read() -> dict[str, Any]:
        payer = Payer(load_or_create(settings), settings)
        try:
            return await describe(payer)
        finally:
            await payer.close()

    return asyncio.run(read()) | {"source": str(path_of(settings))}


def _addresses(settings: Settings) -> dict[str, str]:
    """Address by family."""
    import httpx2

    if router := find_router(settings):
        said = httpx2.get(f"{router}/v1/wallet", timeout=30.0, trust_env=False).json()
        return {"evm": str(said["evm"]), "svm": str(said["solana"])}
    from tollbrush.payments.wallet import load_or_create

    own = load_or_create(settings)
    return {"evm": own.evm_address, "svm": own.solana_address}


def _shown(balance: str | None) -> str:
    from tollbrush.domain.pricing import Price

    return "unknown" if balance is None else str(Price.of(Decimal(balance)))


def _read_words(file: str) -> str:
    try:
        return sys.stdin.read(4096) if file == "-" else Path(file).expanduser().read_text()[:4096]
    except (OSError, UnicodeDecodeError) as failure:
        raise BadRequest(f"{file!r} cannot be read: {failure}.") from failure


def _dollars(text: str) -> Decimal:
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if not 0 < amount <= 1_000_000:
        raise BadRequest(f"{text[:40]!r} is not an amount of dollars.", advice="For example: tollbrush wallet fund 10")
    return amount
