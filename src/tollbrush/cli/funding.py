"""What the wallet holds, and how money gets into it."""

from __future__ import annotations

import asyncio
import io
import sys
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from tollbrush.cli.context import find_router, unlocked
from tollbrush.cli.terminal import Terminal
from tollbrush.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from tollbrush.domain.networks import Network
    from tollbrush.settings import Settings

_FAUCET: Final = "https://faucet.circle.com"
_SECONDS: Final = 30.0
_WHITE_ON_BLACK: Final = "\x1b[97;40m"


def ready(settings: Settings, *, missing: str) -> Settings:
    """The settings, our own wallet unlocked where no router runs. Raises NotFound when there is neither; `missing` says
    what to do."""
    from tollbrush.payments.wallet import is_in_environment, path_of

    if find_router(settings):
        return settings
    if not (is_in_environment(settings) or path_of(settings).exists()):
        raise NotFound("there is no wallet yet.", advice=missing)
    return unlocked(settings)


def described(settings: Settings) -> dict[str, Any]:
    """What a running router says of its wallet, else our own, unlocked: `router.accounts.describe` and its `source`."""
    import httpx2

    if router := find_router(settings):
        said: dict[str, Any] = httpx2.get(f"{router}/v1/wallet", timeout=_SECONDS, trust_env=False).json()
        return said | {"source": f"the router at {router}"}
    from tollbrush.payments.payer import Payer
    from tollbrush.payments.wallet import is_in_environment, load_or_create, path_of
    from tollbrush.router.accounts import describe

    async def read() -> dict[str, Any]:
        payer = Payer(load_or_create(settings), settings)
        try:
            return await describe(payer)
        finally:
            await payer.close()

    source = "the environment: TOLLBRUSH_WALLET__…" if is_in_environment(settings) else str(path_of(settings))
    return asyncio.run(read()) | {"source": source}


def shown(balance: str | None) -> str:
    from tollbrush.domain.pricing import Price

    return "unknown" if balance is None else str(Price.of(Decimal(balance)))


def fund(settings: Settings, terminal: Terminal, dollars: str, network: str | None, *, qr: bool) -> None:
    """Play money where local chains run, else the addresses to send to. Raises BadRequest."""
    from tollbrush.cli import local
    from tollbrush.domain.networks import BY_V1, find
    from tollbrush.domain.pricing import Price

    amount = _dollars(dollars)
    chosen = find(network) if network else None
    if network and chosen is None:
        raise BadRequest(f"network {network[:40]!r} is unknown.", advice=f"Known: {', '.join(BY_V1)}.")
    accounts = {n: a for n, a in _accounts(settings).items() if chosen in (None, n)}
    if not accounts:
        raise BadRequest(f"this wallet is not set up for {network}.", advice="See: tollbrush wallet show")
    devnet = local.read(settings.data_dir)
    chains = [n for n in devnet.networks if BY_V1[n.name] in accounts] if devnet else []
    if devnet is None or not chains:
        _tell_where(terminal, accounts, qr=qr)
        return
    funded = []
    for chain in chains:
        address = accounts[BY_V1[chain.name]]
        devnet.fund(chain.name, address, Price.of(amount).atomic)
        balance = devnet.balance(chain, address)
        funded.append({"network": chain.name, "address": address, "balance": str(balance.dollars)})
    lines = (f"{BY_V1[f['network']].title:<14}{f['address']}  now {shown(f['balance'])}" for f in funded)
    terminal.result({"funded": funded}, *lines)


def _accounts(settings: Settings) -> dict[Network, str]:
    """The address on each network that is paid on: of a running router, else of our own wallet."""
    import httpx2

    from tollbrush.domain.networks import BY_V1

    if router := find_router(settings):
        said = httpx2.get(f"{router}/v1/wallet", timeout=_SECONDS, trust_env=False).json()
        return {BY_V1[a["network"]]: str(a["address"]) for a in said["accounts"] if a["network"] in BY_V1}
    from tollbrush.payments.payer import Payer
    from tollbrush.payments.wallet import load_or_create

    own = load_or_create(unlocked(settings))
    return {n: own.address(n.family) for n in Payer(own, settings).networks}


def _tell_where(terminal: Terminal, accounts: dict[Network, str], *, qr: bool) -> None:
    """No local chain: real money comes from its owner."""
    if terminal.as_json:
        terminal.result({"funded": [], "addresses": {n.v1: address for n, address in accounts.items()}})
        return
    titles: dict[str, list[Network]] = {}
    for network, address in accounts.items():
        titles.setdefault(address, []).append(network)
    for address, networks in titles.items():
        terminal.result({}, f"Send USDC on {' or '.join(n.title for n in networks)} to  {address}")
        if qr and sys.stdout.isatty():
            print(code(address))
    terminal.note("Only USDC, and only on these networks: anything else is lost.")
    if any(network.test for network in accounts):
        terminal.note(f"For test networks: {_FAUCET}")
    terminal.note("Play money on this machine: tollbrush devnet, then again tollbrush wallet fund")


def code(address: str) -> str:
    """The address as a QR code of half blocks, black on white whatever the terminal's colours are."""
    import segno

    drawn = io.StringIO()
    segno.make(address, error="m", micro=False).terminal(drawn, border=2, compact=True)
    lines = drawn.getvalue().splitlines()
    return "\n".join(f"{_WHITE_ON_BLACK}{line}\x1b[0m" for line in lines)


def _dollars(text: str) -> Decimal:
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if not 0 < amount <= 1_000_000:
        raise BadRequest(f"{text[:40]!r} is not an amount of dollars.", advice="For example: tollbrush wallet fund 10")
    return amount
