"""The diffusion engine as the gateway has it when the models run on a Ray cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from tollbrush.engines.connections import Connections
from tollbrush.engines.diffusion.abilities import Abilities
from tollbrush.engines.diffusion.hub import Hub
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.ray.address import base_url
from tollbrush.engines.diffusion.ray.messages import Edit, encode_edit
from tollbrush.engines.diffusion.ray.proxy import Lost, Proxy
from tollbrush.engines.fleet import Fleet
from tollbrush.engines.interface import Capabilities, EditInput, EditOutput
from tollbrush.errors import BadSettings, EditTimeout
from tollbrush.settings import RaySettings

_log: Final = structlog.get_logger(__name__)

_TO_SAY_SO: Final = 5.0
"""Seconds beyond our own limit: cut off from outside we would not say whose it was."""
_PAUSE: Final = 1.0
"""Before a proxy that was not reached is tried again."""


class RayEngine:
    """An `Engine`. An edit whose replica dies is asked for once more: the same seed makes the same picture, and nothing
    of the first try was delivered."""

    name: Final = "diffusion"

    def __init__(
        self,
        settings: RaySettings,
        rows: Sequence[DiffusionModel],
        *,
        cache: Path | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._settings, self._sleep = settings, sleep
        known = Abilities(rows, Hub(cache))
        self._capabilities = {row.name: self._able(row, known) for row in rows}
        self._proxies = tuple(
            Proxy(
                base_url(address),
                secret=settings.secret.get_secret_value(),
                width=settings.width,
                stalled_seconds=settings.stalled_seconds,
            )
            for address in settings.addresses
        )
        self._fleet = Fleet(self._proxies)
        self._connections = Connections(self.check, settings.health_seconds)

    def capabilities(self, upstream: str) -> Capabilities:
        return self._capabilities[upstream]

    def plan(self, prompt: str, *, masked: bool) -> str | None:
        return None

    async def edit(self, upstream: str, request: EditInput) -> EditOutput:
        """Raises what the diffusion engine raises, UpstreamFailed, Unavailable, EditTimeout."""
        seconds = self._settings.timeout_seconds * request.n
        question = _Question(upstream, request)
        size, n, report = request.size, request.n, request.report
        del request  # its pixels must not wait with us
        until = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(until):
                avoided = set[Proxy]()
                for last in (False, True):
                    proxy = self._fleet.choose(_any, avoided)
                    left = max(0.001, until - asyncio.get_running_loop().time())
                    try:
                        with self._fleet.at_work(proxy):
                            return await proxy.ask(
                                self._connections.http, upstream, await question.body(left), size, n, report
                            )
                    except Lost as lost:
                        if last:
                            raise lost.error from lost
                        _log.warning("an edit is asked for again", proxy=proxy.label, problem=str(lost))
                        if not lost.reached:
                            avoided.add(proxy)
                            await self._sleep(_PAUSE)
        except TimeoutError as slow:
            raise EditTimeout(f"The edit took longer than {seconds:.0f} s.") from slow
        raise AssertionError("the second try returns or raises")

    async def start(self) -> None:
        """Does not wait for the cluster: what is wrong with it is an alarm."""
        self._connections.open()

    async def close(self) -> None:
        await self._connections.close()

    def alarms(self) -> Mapping[str, str]:
        """By host: a cluster that is down, another secret, a model that it does not have or cannot load; and by model
        there: one that is slower than it was to be."""
        slow = {name: words for p in self._proxies for name, words in p.slow().items()}
        return slow | {p.label: p.alarm for p in self._proxies if p.alarm is not None}

    async def check(self) -> None:
        await asyncio.gather(*(proxy.check(self._connections.http, self._capabilities) for proxy in self._proxies))

    def _able(self, row: DiffusionModel, known: Abilities) -> Capabilities:
        """Waiting is the cluster's, which grows by it. Raises BadSettings."""
        try:
            own = known.of(row.name)
        except ImportError as lacking:  # a gateway has no weights, and needs no part that fetches them
            raise BadSettings(
                f"{row.name}: which pipeline it is is not known on this machine.", advice="Say its weights' pipeline."
            ) from lacking
        return replace(
            own,
            fixed_sizes=row.sizes,
            remote=True,
            width=self._settings.width,
            time_limit=self._settings.timeout_seconds + _TO_SAY_SO,
        )


class _Question:
    """An edit as it is sent, made anew for each try where the caller can make its pixels again."""

    def __init__(self, model: str, request: EditInput) -> None:
        self._model, self._again = model, request.again
        self._request: EditInput | None = request

    async def body(self, seconds: float) -> bytes:
        return await asyncio.to_thread(self._encode, seconds)

    def _encode(self, seconds: float) -> bytes:
        request, again = self._request, self._again
        if again is not None:
            self._request = None
            request = request or again()
        assert request is not None
        return encode_edit(Edit.of(self._model, request, seconds))


def _any(_: Proxy) -> int:
    return 0
