"""One ASGI application in the foreground: bound first, announced when it answers, stopped cleanly by a signal."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import uvicorn

from tollbrush.cli.terminal import Terminal
from tollbrush.errors import BadSettings, InternalError

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """uvicorn's server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def run_app(
    name: str,
    app: ASGIApp,
    terminal: Terminal,
    *,
    host: str,
    port: int,
    fd: int | None,
    grace: float,
    trusted_proxies: Sequence[str] = (),
) -> None:
    """Serve until SIGTERM or Ctrl-C, then let requests finish for `grace` seconds. `fd`: a socket that already
    listens. Raises BadSettings when the port is taken, InternalError when the application does not start."""
    listening = socket.socket(fileno=fd) if fd is not None else listen(name, host, port)
    shown, port = listening.getsockname()[:2]
    url = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_graceful_shutdown=max(1, round(grace)),
    )
    server = _Server(config, lambda: terminal.event({"ready": name, "url": url}, f"{name} on {url}"))
    # uvicorn raises the signal again once it has stopped; a clean stop ends with exit code 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listening])
    if not server.started:
        raise InternalError(f"the {name} did not start.", advice="What broke is said above.")


def listen(name: str, host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises BadSettings."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as failure:
        raise BadSettings(
            f"the {name} cannot listen on {host}:{port}: {failure.strerror or failure}.",
            advice="Choose another: --port 0 takes a free one.",
        ) from failure
