"""`tollbrush wallet …`: the keys that pay. Where a router runs, its wallet is the one that is shown and funded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tollbrush.cli.context import DataDir, Json, client_settings, unlocked
from tollbrush.cli.terminal import Terminal, safe
from tollbrush.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from tollbrush.payments.wallet import Wallet
    from tollbrush.settings import Settings

_MAX_SECRET = 4096
_NONE_YET = "Make one: tollbrush wallet new. Or bring yours: tollbrush wallet import"

app = typer.Typer(
    help="""The wallet that pays.

\b
  tollbrush wallet new
  tollbrush wallet fund
  tollbrush wallet import words.txt
  tollbrush wallet show

The environment comes first: TOLLBRUSH_WALLET__MNEMONIC, TOLLBRUSH_WALLET__EVM_KEY, TOLLBRUSH_WALLET__SOLANA_KEY.
""",
    no_args_is_help=True,
)

Store = Annotated[
    str | None,
    typer.Option(
        help="plain (a file only you can read), keystore (under a passphrase) or keyring (the desktop's).",
        show_default=False,
        autocompletion=lambda: ["plain", "keystore", "keyring"],
    ),
]


@app.command()
def new(store: Store = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Make a wallet of 24 words; one that exists is kept."""
    from tollbrush.payments import wallet

    settings = _stored_as(client_settings(data_dir), store)
    terminal = Terminal(as_json=as_json)
    _tell_stored(terminal, wallet.create(settings), settings)
    terminal.note("Back it up: tollbrush wallet export. Who has its words has its money.")
    terminal.note("Fund it: tollbrush wallet fund")


@app.command(name="import")
def import_(
    file: Annotated[str, typer.Argument(help="File with the words or the key; - reads standard input.")] = "-",
    store: Store = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Store an existing wallet: its words, or its key.

    12 to 24 words; an EVM key in hex; a Solana keypair in base58 or as solana-keygen's file; or both keys, a line
    each. They are read from a file or typed unseen, never from the command line, which the shell remembers.
    """
    from tollbrush.payments import wallet

    settings = client_settings(data_dir)
    if file == "-" and sys.stdin.isatty():
        secret = str(typer.prompt("The wallet's words, or its key", hide_input=True, err=True))
    else:
        secret = _read(file)
    read = wallet.Wallet.read(secret)  # before a passphrase is asked for
    settings = _stored_as(settings, store)
    wallet.import_secret(settings, secret)
    _tell_stored(Terminal(as_json=as_json), read, settings)


@app.command()
def show(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show addresses and balances; no secrets."""
    from tollbrush.cli import funding

    settings = funding.ready(client_settings(data_dir), missing=_NONE_YET)
    terminal = Terminal(as_json=as_json)
    with terminal.working("Asking the chains"):
        said = funding.described(settings)
    accounts = said["accounts"]
    rows = [(str(a["title"]), str(a["address"]), funding.shown(a["balance"])) for a in accounts]
    terminal.table(said, ("Network", "Address", ">USDC"), rows)
    for account in accounts:
        if account["balance"] is None:
            terminal.note(account["problem"])
    terminal.note(f"From {said['source']}")
    if accounts and all(a["balance"] is not None and not float(a["balance"]) for a in accounts):
        terminal.note("It is empty. Fund it: tollbrush wallet fund")


@app.command()
def export(data_dir: DataDir = None) -> None:
    """Print the secret words or keys, for a backup.

    On a terminal only, and asked twice.
    """
    from tollbrush.payments import wallet

    settings = client_settings(data_dir)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadRequest(
            "the wallet's secret is shown on a terminal only, not to a pipe or a file.",
            advice="Type in a terminal: tollbrush wallet export",
        )
    loaded = wallet.load(unlocked(settings))
    if loaded is None:
        raise NotFound("there is no wallet yet.", advice=_NONE_YET)
    typer.confirm("Whoever sees the words has the money. Show them?", abort=True, err=True)
    typer.confirm("Does nobody watch this screen, and does nothing record it?", abort=True, err=True)
    for name, value in loaded.export().items():
        if value:
            print(value if name == "mnemonic" else f"{name}  {value}")


@app.command()
def fund(
    dollars: Annotated[str, typer.Argument(metavar="USD", help="Play money for each local chain.")] = "10",
    network: Annotated[str | None, typer.Option(help="Only this network.", show_default=False)] = None,
    qr: Annotated[bool, typer.Option("--qr/--no-qr", help="Show the addresses as QR codes on a terminal.")] = True,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Add money: where to send USDC, or play money on local chains.

    \b
      tollbrush wallet fund                     addresses and their QR codes;
                                                on local chains, 10 dollars
      tollbrush wallet fund 25 --network base-sepolia
    """
    from tollbrush.cli import funding

    funding.fund(client_settings(data_dir), Terminal(as_json=as_json), dollars, network, qr=qr)


def _tell_stored(terminal: Terminal, wallet: Wallet, settings: Settings) -> None:
    from tollbrush.payments.wallet import is_in_environment, path_of

    path = str(path_of(settings))
    lines = [f"{name}  {address}" for name, address in _addresses(wallet).items()]
    terminal.result(
        {"evm": wallet.evm_address, "solana": wallet.solana_address, "path": path}, *lines, f"Kept in {path}"
    )
    if is_in_environment(settings):
        terminal.note("But the environment holds another wallet, which comes first: TOLLBRUSH_WALLET__…")


def _addresses(wallet: Wallet) -> dict[str, str]:
    named = {"Base  ": wallet.evm_address, "Solana": wallet.solana_address}
    return {name: address for name, address in named.items() if address}


def _stored_as(settings: Settings, store: str | None) -> Settings:
    """The settings with this store, and the new passphrase of a keystore, asked for twice. Raises BadRequest."""
    from pydantic import SecretStr

    from tollbrush.payments.keystore import STORES

    if store is not None and store not in STORES:
        raise BadRequest(f"--store {store[:40]!r} is unknown.", advice=f"One of: {', '.join(STORES)}.")
    update: dict[str, object] = {"store": store} if store else {}
    kind = store or settings.wallet.store
    if kind == "keystore" and not settings.wallet.passphrase.get_secret_value() and sys.stdin.isatty():
        said = typer.prompt("A new passphrase", hide_input=True, confirmation_prompt=True, err=True)
        update["passphrase"] = SecretStr(str(said))
    return settings.model_copy(update={"wallet": settings.wallet.model_copy(update=update)})


def _read(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.read(_MAX_SECRET)
        with Path(file).expanduser().open(encoding="utf-8") as opened:
            return opened.read(_MAX_SECRET)
    except (OSError, UnicodeDecodeError) as failure:
        raise BadRequest(f"{safe(file)!r} cannot be read: {failure}.") from failure
