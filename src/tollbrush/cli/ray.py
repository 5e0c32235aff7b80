"""`tollbrush ray`: the diffusion engine on a Ray cluster, put there and taken off again."""

from __future__ import annotations

from typing import Annotated

import typer

from tollbrush.cli.context import DataDir, Json, load_settings
from tollbrush.cli.terminal import Terminal

Cluster = Annotated[
    str, typer.Option(metavar="HOST:PORT", help="The cluster, as `ray start` printed it; auto: this machine's.")
]

app = typer.Typer(
    help="""The diffusion engine on many GPUs, by Ray Serve.

\b
  ray start --head
  tollbrush ray deploy
  tollbrush serve --engine ray://127.0.0.1:8000
""",
    no_args_is_help=True,
)


@app.command()
def deploy(
    host: Annotated[str, typer.Option(help="Address that Serve's proxies listen on: a private one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Their port.", min=1, max=65535)] = 8000,
    cluster: Cluster = "auto",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Run the models on the cluster; again, to change what runs: edits at work finish first."""
    from tollbrush.engines.diffusion.ray import deploying

    settings, terminal = load_settings(data_dir), Terminal(as_json=as_json)
    with terminal.working("Starting the replicas and loading the models"):
        address = deploying.deploy(settings, cluster=cluster, host=host, port=port)
    terminal.event({"deployed": address}, f"deployed at {address}")
    terminal.note(f"Sell it: tollbrush serve --engine {address}")


@app.command()
def remove(cluster: Cluster = "auto", as_json: Json = False) -> None:
    """Take the models off the cluster; edits at work finish first."""
    from tollbrush.engines.diffusion.ray import deploying

    terminal = Terminal(as_json=as_json)
    with terminal.working("Stopping the replicas"):
        deploying.remove(cluster=cluster)
    terminal.event({"removed": True}, "removed")
