"""One ASGI application in the foreground: bound first, announced when it answers, stopped cleanly by a signal."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from tollbrush import memory
from tollbrush.cli.connections import Connection, Limits
from tollbrush.cli.terminal import Terminal
from tollbrush.errors import BadSettings, InternalError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_LAST: Final = 5.0
"""Seconds of the grace, a quarter of it at most, that are left to settle and to answer once the work has ended."""
_SPARE_FILES: Final = 512
"""Descriptors besides those of connections: database, pictures, chains, workers."""


class _Server(uvicorn.Server):
    """uvicorn's server that says when it is ready, has the application end its work when it stops, and obeys a
    second signal of either kind."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], drain: Callable[[], Awaitable[None]] | None
    ) -> None:
        super().__init__(config)
        self._ready, self._drain = ready, drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        draining = asyncio.ensure_future(self._drain()) if self._drain is not None else None
        with suppress(TimeoutError):  # whatever hangs then is found in the ledger by the next start
            async with asyncio.timeout((self.config.timeout_graceful_shutdown or 0) + _LAST):
                await super().shutdown(sockets)
        if draining is not None:
            draining.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        super().handle_exit(sig, frame)


def run_app(
    name: str,
    app: ASGIApp,
    terminal: Terminal,
    *,
    host: str,
    port: int,
    fd: int | None,
    grace: float,
    limits: Limits,
    trusted_proxies: Sequence[str] = (),
    drain: Callable[[float], Awaitable[None]] | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then let requests finish for `grace` seconds; `drain` is told how many of them
    work may take. A second signal ends it at once. `fd`: a socket that already listens. Raises BadSettings when the
    port is taken, InternalError when the application does not start, or was forced to stop."""
    listening = socket.socket(fileno=fd) if fd is not None else listen(name, host, port)
    shown, port = listening.getsockname()[:2]
    url = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    _allow_files(2 * limits.connections + _SPARE_FILES)
    memory.keep()
    protocol: Any = partial(Connection, limits)
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_keep_alive=round(limits.idle_seconds),
        timeout_graceful_shutdown=max(1, round(grace)),
    )
    work = None if drain is None else partial(drain, grace - min(_LAST, grace / 4))
    server = _Server(config, lambda: terminal.event({"ready": name, "url": url}, f"{name} on {url}"), work)
    # uvicorn raises the signal again once it has stopped; a clean stop ends with exit code 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listening])
    if not server.started:
        raise InternalError(f"the {name} did not start.", advice="What broke is said above.")
    if server.force_exit:
        raise InternalError(f"the {name} was stopped before its work had ended.", advice="The next start goes on.")


def _allow_files(wanted: int) -> None:
    """As many open files as the connections need, as far as the system lets us."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


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
