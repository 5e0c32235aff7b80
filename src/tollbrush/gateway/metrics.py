"""`/metrics` for Prometheus. Two observers count: one around the application for requests, one around the ledger, past
which no charge changes its state. All else is read when it is asked for. No address of a payer, no secret, no header.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tollbrush import __version__
from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.domain.jobs import Job
from tollbrush.domain.networks import BY_ID
from tollbrush.editing.queue import Turnstile
from tollbrush.errors import NotFound
from tollbrush.gateway.edge import is_loopback
from tollbrush.gateway.vitals import Vitals, Watch
from tollbrush.storage.interface import Ledger

_OPEN: Final = (ChargeState.CLAIMED, ChargeState.READY, ChargeState.SETTLING, ChargeState.UNKNOWN)
_METHODS: Final = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")
_PASSED_ON: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
_SENT: Final = (ChargeState.SETTLING, ChargeState.UNKNOWN)


class Metrics:
    """One application's own registry. Counters start at zero with the process, as Prometheus expects of them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"tollbrush_{name}", text, labels, registry=self.registry)

        self._requests = counter("requests", "HTTP requests answered.", "method", "route", "status")
        self._edits = counter("edits", "Paid edits that ended, by how: completed, or why not.", "model", "outcome")
        self._settlements = counter("settlements", "Outcomes of settlements that were sent.", "network", "outcome")
        self._revenue = counter("revenue_atomic", "Settled USDC in units of 0.000001.", "network")

    def watch(self, ledger: Ledger) -> Ledger:
        """The same ledger, observed."""
        return cast(Ledger, _Observed(ledger, self))

    def answered(self, method: str, route: str, status: int) -> None:
        self._requests.labels(method, route, str(status)).inc()

    def moved(self, was: Charge, now: Charge, job: Job | None) -> None:
        """A charge has changed its state, durably."""
        if was.state is ChargeState.CLAIMED and job is not None:
            made = now.state is ChargeState.READY
            self._edits.labels(job.model, "completed" if made else now.reason or "failed").inc()
        outcome = {
            ChargeState.SETTLED: "settled",
            ChargeState.UNKNOWN: "unknown",
            ChargeState.RELEASED: "refused" if was.state in _SENT else "",
        }.get(now.state)
        network = now.key.network
        if outcome:
            self._settlements.labels(_name(network), outcome).inc()
        if now.state is ChargeState.SETTLED:
            self._revenue.labels(_name(network)).inc(now.amount)


class _Observed:
    """A ledger that tells of every charge it has moved; in all else the one within."""

    def __init__(self, ledger: Ledger, metrics: Metrics) -> None:
        self._ledger, self._metrics = ledger, metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def save(self, *, job: Job | None = None, charge: Charge | None = None, was: Charge | None = None) -> bool:
        saved = await self._ledger.save(job=job, charge=charge, was=was)
        if saved and charge and was and charge.state is not was.state:
            self._metrics.moved(was, charge, job)
        return saved


class CountRequests:
    """Around the application. A request is counted under its route's pattern, never under the path it named."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            matches = (r for r in scope["app"].routes if r.matches(scope)[0] is not Match.NONE)
            route = getattr(next(matches, None), "path", "other")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.answered(method, route, status)


@dataclass(frozen=True, eq=False)
class _Now(Collector):
    """What is so at this moment."""

    vitals: Vitals
    waiting: Mapping[str, int]
    working: Mapping[str, int]

    def collect(self) -> Iterator[Metric]:
        accounts = {_name(n): a for n, a in self.vitals.accounts.items()}
        yield _gauge("build", "What runs.", "version", {__version__: 1})
        states = {state.value: self.vitals.charges.get(state, 0) for state in _OPEN}
        yield _gauge("open_charges", "Payments claimed and not yet settled or released.", "state", states)
        yield _gauge("queue_length", "Paid edits that wait for an engine.", "engine", self.waiting)
        yield _gauge("running_jobs", "Paid edits at work.", "engine", self.working)
        held = {name: account.held for name, account in accounts.items()}
        yield _gauge("fee_balance", "The settling account's coins, in wei or lamports.", "network", held)
        left = {name: account.settlements for name, account in accounts.items()}
        yield _gauge("fee_settlements", "For how many settlements that will do.", "network", left)
        problems = {_name(part): 1 for part in self.vitals.problems}
        yield _gauge("problem", "What /readyz calls a problem.", "part", problems)
        warnings = {_name(part): 1 for part in self.vitals.warnings}
        yield _gauge("warning", "What /readyz warns of.", "part", warnings)


class Scrape:
    """Answers `/metrics`, to the addresses in `readers` only: takings are nobody else's business. A call from this
    machine is one from the internet where a proxy passes it on: it is believed where nothing says that it was passed
    on, and where it is `direct`: the gateway knows its proxies, or has no public name."""

    def __init__(
        self, metrics: Metrics, watch: Watch, turnstile: Turnstile, readers: Iterable[str], *, direct: bool = True
    ) -> None:
        self._metrics, self._watch, self._turnstile = metrics, watch, turnstile
        self._readers, self._direct = frozenset(readers), direct

    async def get(self, request: Request) -> Response:
        if not self._may_read(request):
            raise NotFound(
                "nothing is here.",
                advice="`gateway.metrics_from` says who may read metrics, `gateway.trusted_proxies` whose word counts.",
            )
        now = _Now(await self._watch.look(), self._turnstile.waiting(), self._turnstile.working())
        registry = CollectorRegistry()
        registry.register(now)
        return Response(
            generate_latest(self._metrics.registry) + generate_latest(registry),
            media_type=CONTENT_TYPE_LATEST,
            headers={"Cache-Control": "no-store"},
        )

    def _may_read(self, request: Request) -> bool:
        address = request.client.host if request.client else ""
        if address in self._readers and is_loopback(address):
            return self._direct and not any(name in request.headers for name in _PASSED_ON)
        return address in self._readers


def _gauge(name: str, text: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tollbrush_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _name(network: str) -> str:
    """A network as settings name it; any other part as it is."""
    return BY_ID[network].v1 if network in BY_ID else network
