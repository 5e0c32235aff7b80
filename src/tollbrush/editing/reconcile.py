"""What time and the chain decide, looked at in turns: unknown settlements, dead processes' jobs, expired results."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import structlog

from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.domain.jobs import Job, JobState
from tollbrush.editing.runner import Runner
from tollbrush.editing.service import EditingService
from tollbrush.errors import Unavailable
from tollbrush.settings import GatewaySettings
from tollbrush.storage.interface import Ledger

_log: Final = structlog.get_logger(__name__)
_HEARTBEATS: Final = 3
"""Renewals within one lease."""


class Sweeper:
    """`clock` gives Unix seconds. `run` for ever in the background; `sweep` once, for starts and tests."""

    def __init__(
        self,
        service: EditingService,
        ledger: Ledger,
        runner: Runner,
        settings: GatewaySettings,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._service, self._ledger, self._runner = service, ledger, runner
        self._settings, self._clock = settings, clock

    async def run(self) -> None:
        await asyncio.gather(
            self._repeat(self._service.heartbeat, self._settings.lease_seconds / _HEARTBEATS),
            self._repeat(self.sweep, self._settings.sweep_seconds),
        )

    async def _repeat(self, turn: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await turn()
            except Unavailable as failure:  # a full disk, a locked database: the next turn finds it mended or not
                _log.warning("a turn failed", turn=getattr(turn, "__name__", "?"), error=failure.message)

    async def sweep(self) -> None:
        now = int(self._clock())
        for job in await self._ledger.orphans(now):
            await self._service.adopt(job)
        for charge in await self._ledger.open_charges():
            await self._look_at(charge, now)
        await self._expire(now)

    async def _look_at(self, charge: Charge, now: int) -> None:
        cashier = self._service.cashier
        if charge.state in (ChargeState.SETTLING, ChargeState.UNKNOWN):
            # Whoever settles it may still be at it: leave it a lease's time.
            if charge.updated + self._settings.lease_seconds <= now:
                await cashier.resolve(charge)
        elif charge.state is ChargeState.READY and charge.valid_until <= now:
            await cashier.release(charge, "expired")
        elif charge.state is ChargeState.CLAIMED:
            job = await self._ledger.job(charge.job_id)
            if job is None or job.finished:
                await cashier.release(charge, "interrupted")

    async def _expire(self, now: int) -> None:
        settings = self._settings
        for job in await self._ledger.stale(int(now - settings.uncollected_seconds)):
            if job.state is JobState.COMPLETED and not await self._owed(job):
                await self._service.discard(job, "expired", "the result was not collected in time")
        if settings.images_seconds:
            for job in await self._ledger.stale(int(now - settings.images_seconds)):
                await self._ledger.save(job=replace(job, images=(), updated=now))
                await self._runner.discard(job.images)

    async def _owed(self, job: Job) -> bool:
        """Paid for, or perhaps paid for."""
        keep = (ChargeState.SETTLED, ChargeState.SETTLING, ChargeState.UNKNOWN)
        return any(c.state in keep for c in await self._ledger.charges_of_job(job.id))
