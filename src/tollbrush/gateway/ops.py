"""Is it alive, and may traffic come?"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tollbrush import __version__
from tollbrush.gateway.problems import answer
from tollbrush.payments.gate import Gate

_LOW_DISK: Final = 256 * 2**20


class Ops:
    """Answers `/healthz` and `/readyz`."""

    def __init__(self, gate: Gate, data_dir: Path) -> None:
        self._gate, self._data_dir = gate, data_dir

    async def healthz(self, request: Request) -> Response:
        return answer({"status": "ok", "version": __version__})

    async def readyz(self, request: Request) -> Response:
        """200 when money can be taken and results stored, else 503 with what is wrong, by part."""
        problems = dict(await self._gate.problems())
        if not self._gate.networks:
            problems["payments"] = "no network is configured: set `networks.<name>.pay_to`"
        free = shutil.disk_usage(self._data_dir).free
        if free < _LOW_DISK:
            problems["disk"] = f"only {free // 2**20} MiB are free in the data folder"
        content = {"status": "ready" if not problems else "not_ready", "networks": self._gate.networks}
        return answer(content | {"problems": problems}, 503 if problems else 200)
