"""What every command starts from: settings with the flags applied, the running local chains, the running router."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from tollbrush.errors import BadSettings

if TYPE_CHECKING:
    from tollbrush.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="Where all state is kept.", show_default=False)
]
_PROBE_SECONDS: Final = 1.0
_FORMS: Final = {
    "sizes": ', each size with its price in dollars ({"1024x1024" = "0.02"}),',
    "licence": ', as its model card calls it ("Apache-2.0"),',
}
"""How what is missing is written, where its name does not say."""


def load_settings(data_dir: Path | None = None) -> Settings:
    """Flags over environment over files. Where the local chains run, the test networks mean them, unless an RPC
    address is set. Raises BadSettings."""
    from pydantic import ValidationError

    from tollbrush.cli import local
    from tollbrush.settings import NetworkSettings, Settings

    try:
        settings = Settings(data_dir=data_dir.expanduser().absolute()) if data_dir else Settings()
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = ".".join(map(str, first["loc"]))
        if first["type"] == "missing":
            form = _FORMS.get(str(first["loc"][-1]), "")
            raise BadSettings(f"setting {name} is missing.", advice=f"Add it{form} and try again.") from None
        raise BadSettings(f"setting {name}: {first['msg']}.", advice="Correct it and try again.") from None
    except ValueError as wrong:  # a TOML file or an environment variable that cannot be parsed
        raise BadSettings(f"the settings cannot be read: {wrong}.", advice="Correct them and try again.") from wrong
    devnet = local.read(settings.data_dir)
    networks = dict(settings.networks)
    for running in devnet.networks if devnet else ():
        known = networks.get(running.name, NetworkSettings())
        if not known.rpc_url:
            networks[running.name] = known.model_copy(update={"rpc_url": running.rpc_url})
    return settings.model_copy(update={"networks": networks})


def client_settings(data_dir: Path | None = None) -> Settings:
    """The same for commands that buy: while `tollbrush up` runs, its wallet, router and chains are meant, unless a
    data folder was named. Raises BadSettings."""
    from tollbrush.cli import local

    settings = load_settings(data_dir)
    if "data_dir" not in settings.model_fields_set and local.read_stack(settings.data_dir / local.LOCAL_FOLDER):
        settings = load_settings(settings.data_dir / local.LOCAL_FOLDER)
    if stack := local.read_stack(settings.data_dir):
        port = urlsplit(stack.router).port
        router = settings.router.model_copy(update={"gateway_url": stack.gateway, "port": port})
        settings = settings.model_copy(update={"router": router})
    return settings


def unlocked(settings: Settings) -> Settings:
    """With the keystore's passphrase, asked for when it is needed and somebody sits here. Raises WalletLocked."""
    from pydantic import SecretStr

    from tollbrush.payments.wallet import needs_passphrase

    if not (sys.stdin.isatty() and sys.stderr.isatty() and needs_passphrase(settings)):
        return settings
    said = typer.prompt("Passphrase of the wallet", hide_input=True, err=True)
    wallet = settings.wallet.model_copy(update={"passphrase": SecretStr(str(said))})
    return settings.model_copy(update={"wallet": wallet})


def find_router(settings: Settings) -> str | None:
    """The base URL of a router that runs at its address, else None."""
    import httpx2

    url = f"http://{settings.router.host}:{settings.router.port}"
    try:
        said = httpx2.get(f"{url}/health", timeout=_PROBE_SECONDS, trust_env=False).json()
    except (httpx2.HTTPError, ValueError):
        return None
    return url if isinstance(said, dict) and said.get("service") == "tollbrush-router" else None
