"""What time and the chain decide, looked at in turns: unknown settlements, dead processes' jobs, expired results."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from tollbrush.domain.changed import changed
from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.editing.runner import Runner
from tollbrush.editing.service import EditingService
from tollbrush.settings import GatewaySettings
from tollbrush.storage.interface import Ledger

_log: Final = structlog.get_logger(__name__)
_HEARTBEATS: Final = 3
"""Renewals within one lease."""
_AT_ONCE: Final = 8
"""Settlements that the chains are asked about at the same time: a silent one keeps nobody else waiting for long."""


class Sweeper:
    """`clock` gives Unix seconds. `run` for ever in the background, from the start on; `sweep` once, for tests.
    `caught_up`: what an earlier process left has been looked through once."""

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
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self.caught_up = False

    async def run(self) -> None:
        await asyncio.gather(
            self._repeat(self._service.heartbeat, self._settings.lease_seconds / _HEARTBEATS),
            self._repeat(self.tend, self._settings.sweep_seconds),
            self._repeat(self.reconcile, self._settings.sweep_seconds),
        )

    async def _repeat(self, turn: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            await self._survive(turn())
            await asyncio.sleep(seconds)

    async def _survive(self, step: Awaitable[None], **about: str) -> None:
        """One job, one charge, one turn must not take the others with it: a full disk, a defect of ours."""
        try:
            await step
        except Exception:  # noqa: BLE001 - logged whole; the next turn finds it mended or not
            _log.exception("a step of the sweep failed", **about)

    async def sweep(self) -> None:
        await self.reconcile()
        await self.tend()

    async def tend(self) -> None:
        """Jobs and their files. No chain is asked: however slow one is, a dead process's jobs go on."""
        now = int(self._clock())
        for job in await self._ledger.orphans(now):
            await self._survive(self._service.adopt(job), job=job.id)
        await self._survive(self._expire(now))
        await self._survive(self._service.maker.sweep_litter())

    async def reconcile(self) -> None:
        """Payments that are neither settled nor given back."""
        now = int(self._clock())
        if charges := await self._ledger.open_charges():
            await asyncio.gather(*(self._look_at(charge, now) for charge in charges))
        self.caught_up = True

    async def _look_at(self, charge: Charge, now: int) -> None:
        async with self._turns:
            await self._survive(self._decide(charge, now), charge=charge.id)

    async def _decide(self, charge: Charge, now: int) -> None:
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
        for job in await self._ledger.uncollected(int(now - settings.uncollected_seconds)):
            await self._service.discard(job, "expired", "the result was not collected in time")
        if settings.images_seconds:
            for job in await self._ledger.paid(int(now - settings.images_seconds)):
                await self._runner.discard(job.images)
                await self._ledger.save(job=changed(job, images=(), updated=now))
