"""What an operator must know of the outside: chains, fee accounts, unknown settlements, ledger, disk."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tollbrush.domain.charges import ChargeState
from tollbrush.domain.networks import BY_ID
from tollbrush.errors import Unavailable
from tollbrush.payments.gate import Gate
from tollbrush.payments.interface import FeeAccount
from tollbrush.storage.interface import Ledger

_FRESH_SECONDS: Final = 2.0
_PATIENCE: Final = 3.0
"""Seconds that a chain has to answer before it counts as silent."""
_LOW_DISK, _NO_DISK = 1024 * 2**20, 256 * 2**20
_LONG_UNKNOWN: Final = 600
"""Seconds after its claim from which on an unknown settlement is worth a look."""
_COIN: Final = {"evm": "ETH", "svm": "SOL"}


@dataclass(frozen=True)
class Vitals:
    """By part: `problems` keep money from being taken or results from being stored, `warnings` will if nobody acts.
    `charges`: open ones by state."""

    problems: Mapping[str, str]
    warnings: Mapping[str, str]
    accounts: Mapping[str, FeeAccount]
    charges: Mapping[ChargeState, int]


class Watch:
    """Looks when asked, at most every two seconds however many ask. `clock` gives Unix seconds; a fee account that
    pays for fewer than `low_settlements` is a warning, and so are a start that has not `caught_up` and `alarms` of the
    engines' own servers."""

    def __init__(
        self,
        gate: Gate,
        ledger: Ledger,
        data_dir: Path,
        *,
        clock: Callable[[], float],
        low_settlements: int,
        caught_up: Callable[[], bool],
        alarms: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._gate, self._ledger, self._data_dir = gate, ledger, data_dir
        self._clock, self._low, self._caught_up, self._alarms = clock, low_settlements, caught_up, alarms
        self._looking = asyncio.Lock()
        self._seen: tuple[float, Vitals] | None = None

    async def look(self) -> Vitals:
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if self._seen is None or self._seen[0] + _FRESH_SECONDS <= now:
                self._seen = (now, await self._look())
            return self._seen[1]

    async def _look(self) -> Vitals:
        problems, accounts = await asyncio.gather(
            self._gate.problems(within=_PATIENCE), self._gate.fee_accounts(within=_PATIENCE)
        )
        if not self._gate.networks:
            problems["payments"] = "no network is configured: set `networks.<name>.pay_to`"
        warnings = {
            n: self._short(n, a) for n, a in accounts.items() if n not in problems and a.settlements < self._low
        }
        if not self._caught_up():
            warnings["start"] = "the settlements that an earlier process left open are still being looked up"
        if alarms := self._alarms():
            warnings["upstreams"] = "; ".join(alarms)
        charges: Counter[ChargeState] = Counter()
        try:
            await self._ledger.probe()
            open_charges = await self._ledger.open_charges()
        except Unavailable as failure:
            problems["ledger"] = failure.message
        else:
            charges.update(charge.state for charge in open_charges)
            since = self._clock() - _LONG_UNKNOWN
            doubtful = sum(c.state is ChargeState.UNKNOWN and c.created < since for c in open_charges)
            if doubtful:
                warnings["settlements"] = f"{doubtful} unknown for over {_LONG_UNKNOWN // 60} minutes: tollbrush ledger"
        free = shutil.disk_usage(self._data_dir).free
        if free < _LOW_DISK:
            told = problems if free < _NO_DISK else warnings
            told["disk"] = f"only {free // 2**20} MiB are free in the data folder: make room"
        return Vitals(problems, warnings, accounts, charges)

    def _short(self, network: str, account: FeeAccount) -> str:
        known = BY_ID[network]
        return (
            f"the settling account {account.address} pays for {account.settlements} more settlements on {known.title}: "
            f"send it {_COIN[known.family]}"
        )
