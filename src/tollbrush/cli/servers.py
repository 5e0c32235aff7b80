"""Commands that serve in the foreground until SIGTERM or Ctrl-C: devnet, serve, route, up."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tollbrush.cli.context import DataDir, Json, load_settings
from tollbrush.cli.terminal import Terminal, tell_transfer
from tollbrush.errors import BadSettings

if TYPE_CHECKING:
    from tollbrush.settings import Settings

Port = Annotated[int | None, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", show_default=False)]
Fd = Annotated[int | None, typer.Option(hidden=True, help="A listening socket that was handed over.")]
_BASE_PORT: Final = 8545
_SOLANA_PORT: Final = 8899


def register(app: typer.Typer) -> None:
    for command in (up, serve, route, devnet):
        app.command()(command)


def up(
    port: Annotated[int | None, typer.Option(help="0: free ports everywhere.", show_default=False)] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Run everything here, on local chains."""
    from tollbrush.cli.local import LOCAL_FOLDER, read_stack
    from tollbrush.cli.stack import Ports, Stack

    settings = load_settings(data_dir)
    terminal = Terminal(as_json=as_json)
    stop = stop_signal()
    ports = Ports() if port == 0 else Ports(settings.gateway.port, settings.router.port, _BASE_PORT, _SOLANA_PORT)
    folder = settings.data_dir / LOCAL_FOLDER
    if there := read_stack(folder):
        raise BadSettings(f"it runs already, its router at {there.router}.", advice=f"Stop it: kill {there.pid}")
    with Stack(folder, ports) as stack:
        with terminal.working("Starting the local chains, the gateway and the router"):
            stack.start()
        terminal.event(stack.describe(), *stack.story())
        stack.follow(terminal, stop)


def serve(
    port: Port = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default=False)] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(metavar="ray://HOST:PORT", help="Diffusion models run on this Ray cluster.", show_default=False),
    ] = None,
    fd: Fd = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Run the gateway, which sells edits."""
    from tollbrush.cli.serving import run_app

    settings = load_settings(data_dir)
    if engine:
        settings = _on_ray(settings, engine)
    try:
        from tollbrush.gateway.app import create_app
    except ImportError as failure:
        raise BadSettings(
            f"the gateway's parts are not installed ({failure.name}).", advice="pip install 'tollbrush[gateway]'"
        ) from failure
    gateway = settings.gateway
    app = create_app(settings)
    run_app(
        "gateway",
        app,
        Terminal(as_json=as_json),
        host=host or gateway.host,
        port=gateway.port if port is None else port,
        fd=fd,
        grace=gateway.grace_seconds,
        limits=gateway.limits,
        trusted_proxies=gateway.trusted_proxies,
        drain=app.state.drain,
    )


def _on_ray(settings: Settings, addresses: list[str]) -> Settings:
    """Whoever names a cluster sells what runs there: the usual model, where the settings name none."""
    from tollbrush.engines.diffusion import served

    engines = settings.engines
    ray = engines.ray.model_copy(update={"addresses": tuple(addresses)})
    usual = engines.diffusion.model_copy(update={"enabled": True})
    diffusion = engines.diffusion if served.wanted(settings) else usual
    engines = engines.model_copy(update={"ray": ray, "diffusion": diffusion})
    return settings.model_copy(update={"engines": engines})


def route(
    port: Port = None,
    gateway: Annotated[str | None, typer.Option(help="Gateway to buy from.", show_default=False)] = None,
    fd: Fd = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Run the router, which pays for edits."""
    from tollbrush.cli.serving import run_app
    from tollbrush.router.app import create_router

    settings = load_settings(data_dir)
    if gateway:
        settings = settings.model_copy(update={"router": settings.router.model_copy(update={"gateway_url": gateway})})
    run_app(
        "router",
        create_router(settings),
        Terminal(as_json=as_json),
        host=settings.router.host,
        port=settings.router.port if port is None else port,
        fd=fd,
        grace=settings.gateway.grace_seconds,
        limits=settings.gateway.limits,
    )


def devnet(
    base_port: Annotated[int, typer.Option(help="Port of the local Base.")] = _BASE_PORT,
    solana_port: Annotated[int, typer.Option(help="Port of the local Solana.")] = _SOLANA_PORT,
    port: Annotated[int | None, typer.Option(help="0: free ports for both.", show_default=False)] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Run a local Base and Solana with play money."""
    from tollbrush.cli.local import Chains, read
    from tollbrush.domain.networks import BY_V1

    folder = load_settings(data_dir).data_dir
    if there := read(folder):
        raise BadSettings("the local chains run already.", advice=f"Stop them: kill {there.pid}")
    terminal = Terminal(as_json=as_json)
    stop = stop_signal()
    if port == 0:
        base_port = solana_port = 0
    chains = Chains(base_port=base_port, solana_port=solana_port)
    running = chains.describe()
    running.write(folder)
    try:
        chains.on_transfer(lambda transfer: tell_transfer(terminal, transfer))
        lines = (f"{BY_V1[n.name].title}  {n.rpc_url}  ({n.kind})" for n in running.networks)
        terminal.event({"ready": "devnet", "control": running.control}, *lines)
        terminal.note("Play money: tollbrush wallet fund    Stop: Ctrl-C")
        stop.wait()
    finally:
        running.forget(folder)
        chains.stop()


def stop_signal() -> threading.Event:
    """Set by SIGTERM or Ctrl-C, from now on."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
