"""OpenAI's image models, and whatever else speaks their API, from as many servers as there are.

Reference: OpenAI API, "Create image edit" and "Image edit streaming events".
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from tollbrush.domain.catalog import MODELS
from tollbrush.domain.edits import Size
from tollbrush.domain.pricing import Price
from tollbrush.engines.connections import Connections
from tollbrush.engines.fleet import Fleet
from tollbrush.engines.interface import Capabilities, EditInput, EditOutput, Needs
from tollbrush.engines.openai.asked import Asked, Source, refusal
from tollbrush.engines.openai.calls import Call, Told, all_of
from tollbrush.engines.openai.upstream import Upstream
from tollbrush.settings import OpenAISettings, UpstreamSettings

_QUALITIES: Final = ("low", "medium", "high")
_BACKGROUNDS: Final = ("auto", "transparent", "opaque")
_TO_SAY_SO: Final = 5.0
"""Seconds beyond our own limit: cut off from outside we would never learn which server hangs."""


@dataclass(frozen=True)
class Served:
    """A model of the catalog's. `key` is the catalog's word for it, `name` the servers'. `places`: where it is served;
    empty: at the common ones. `sold`: what a picture of a size is sold for."""

    key: str
    name: str
    sizes: tuple[Size, ...]
    places: tuple[UpstreamSettings, ...] = ()
    sold: Callable[[Size], Price] | None = None


def built_in() -> tuple[Served, ...]:
    return tuple(Served(m.upstream, m.upstream, m.sizes.listed()) for m in MODELS if m.engine == OpenAIEngine.name)


class OpenAIEngine:
    """One connection pool a process. Tried again, there or elsewhere, is only what nobody can have worked on: a server
    that was not reached, or that refused with 429, or with 503 and Retry-After."""

    name = "openai"

    def __init__(
        self,
        settings: OpenAISettings,
        served: Sequence[Served] | None = None,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._settings, self._sleep = settings, sleep
        common = _upstreams(settings.common(), settings)
        self._served = {s.key: s for s in (built_in() if served is None else served)}
        self._fleets = {
            key: Fleet(_upstreams(model.places, settings) if model.places else common)
            for key, model in self._served.items()
        }
        for key, fleet in self._fleets.items():
            for member in fleet.members:
                member.names.add(member.place.model or self._served[key].name)
        self._upstreams = tuple(dict.fromkeys(m for fleet in self._fleets.values() for m in fleet.members))
        self._connections = Connections(self.check, settings.health_seconds)

    def capabilities(self, upstream: str) -> Capabilities:
        profiles = [m.profile for m in self.members(upstream)]
        read = frozenset[str]().union(*(p.fields for p in profiles))
        best = self._settings.quality
        sold = _QUALITIES if best == "auto" else _QUALITIES[: _QUALITIES.index(best) + 1]
        return Capabilities(
            fixed_sizes=self._served[upstream].sizes,
            generative=True,
            masks=any(p.masks for p in profiles),
            variations=True,
            max_sources=max((p.max_sources for p in profiles), default=1),
            alpha=any(p.alpha for p in profiles),
            mask_form="alpha",
            seed=bool(profiles) and all("seed" in p.fields for p in profiles),
            time_limit=self._settings.timeout_seconds + _TO_SAY_SO,
            width=max(1, sum(m.width for m in self._upstreams)),
            qualities=("auto", *sold) if "quality" in read else (),
            backgrounds=_BACKGROUNDS if "background" in read else (),
            previews=min(self._settings.previews, max((p.previews for p in profiles), default=0)),
            remote=True,
            files=True,
        )

    def members(self, upstream: str) -> Sequence[Upstream]:
        """The servers of a model."""
        return self._fleets[upstream].members

    def plan(self, prompt: str, *, masked: bool) -> str | None:
        return None

    def require(self, upstream: str, needs: Needs) -> None:
        """Servers that are down are another matter."""
        members = self.members(upstream)
        sold = {size: self._sold(upstream, size) for size in (*self._served[upstream].sizes, needs.size)}
        asked = Asked.needing(needs, sold[needs.size])

        def served(asked: Asked) -> bool:
            return any(asked.rank(m) is not None for m in members)

        if not served(asked):
            raise refusal(asked, served, sold)

    def _sold(self, upstream: str, size: Size) -> Price | None:
        sold = self._served[upstream].sold
        return None if sold is None else sold(size)

    async def edit(self, upstream: str, request: EditInput) -> EditOutput:
        """Raises ContentRefused, RateLimited, UpstreamFailed, Unavailable, EditTimeout; BadImage and BadMask for what
        is over the server's limits."""
        model, fleet = self._served[upstream], self._fleets[upstream]
        asked = Asked.of(
            request, model.name, self._sold(upstream, request.size), seeds=self.capabilities(upstream).seed
        )
        whole = asked.n == 1 or (asked.seed is None and not asked.previews and fleet.suits(asked.rank))
        parts = [asked] if whole else [asked.single(i) for i in range(asked.n)]
        source, told = Source(request, uses=len(parts)), Told(request.report, len(parts))
        del request  # its pixels must not wait with us
        until = asyncio.get_running_loop().time() + (self._settings.timeout_seconds + _TO_SAY_SO / 2) * asked.n
        http = self._connections.http
        outputs = await all_of(
            [
                Call(http, self._settings, fleet, part, source, partial(told.hear, i), until, self._sleep).run()
                for i, part in enumerate(parts)
            ]
        )
        usage: Counter[str] = Counter()
        for output in outputs:
            usage.update(output.usage)
        return EditOutput(tuple(image for output in outputs for image in output.images), dict(usage))

    async def start(self) -> None:
        self._connections.open()

    async def close(self) -> None:
        await self._connections.close()

    def alarms(self) -> Mapping[str, str]:
        """By host, with its models: a key that is refused, a server that is down, a model that it does not have."""
        troubles: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for key, fleet in self._fleets.items():
            for member in fleet.members:
                if member.alarm is not None:
                    troubles[member.label][member.alarm].append(key)
        return {
            label: "; ".join(f"for {', '.join(keys)}: {alarm}" for alarm, keys in alarms.items())
            for label, alarms in troubles.items()
        }

    async def check(self) -> None:
        """Ask the servers how they are: everybody at first, later those who are not well or could be spared."""
        asked = [m for m in self._upstreams if not (m.alone and m.well and m.checked)]
        await asyncio.gather(*(m.check(self._connections.http) for m in asked))


def _upstreams(places: Sequence[UpstreamSettings], settings: OpenAISettings) -> tuple[Upstream, ...]:
    alone, stalled = len(places) == 1, settings.stalled_seconds
    return tuple(Upstream(place, alone=alone, stalled_seconds=stalled) for place in places)
