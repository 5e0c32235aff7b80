"""Is it alive, and may traffic come?"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from tollbrush import __version__
from tollbrush.gateway.problems import answer
from tollbrush.gateway.vitals import Watch


class Ops:
    """Answers `/healthz` and `/readyz`."""

    def __init__(self, watch: Watch, networks: Sequence[str]) -> None:
        self._watch, self._networks = watch, networks

    async def healthz(self, request: Request) -> Response:
        return answer({"status": "ok", "version": __version__})

    async def readyz(self, request: Request) -> Response:
        """200 when money can be taken and results stored, with `warnings` of what will end that; else 503 with the
        `problems`. Both by part."""
        vitals = await self._watch.look()
        content = {
            "status": "not_ready" if vitals.problems else "ready",
            "networks": self._networks,
            "problems": vitals.problems,
            "warnings": vitals.warnings,
        }
        return answer(content, 503 if vitals.problems else 200)
