"""The engine of the simulated world, and what is ordered of it: always the same two edits, without a pixel."""

from __future__ import annotations

from random import Random
from typing import Final

import numpy as np

from simulation.loop import VirtualLoop
from tollbrush.domain.catalog import STUDIO, Catalog
from tollbrush.domain.changed import changed
from tollbrush.domain.edits import EditRequest, Size
from tollbrush.editing.orders import Order, OrderDesk
from tollbrush.editing.pixels import Finished, Prepared
from tollbrush.engines.interface import Capabilities, EditedImage, EditInput, EditOutput
from tollbrush.errors import ContentRefused, EngineFailed
from tollbrush.imaging.geometry import Transform
from tollbrush.settings import LimitSettings

SIZE: Final = Size(64, 64)
_CATALOG: Final = Catalog.build(frozenset({STUDIO}))
_CAPABILITIES: Final = Capabilities(generative=False, seed=True, time_limit=40, width=2)
_PIXELS: Final = np.zeros((1, 1, 3), np.uint8)
_IDENTITY: Final = Transform.plan(SIZE, SIZE, "stretch")
_PREPARED: Final = Prepared(EditInput((_PIXELS,), "", SIZE), _PIXELS, None, _IDENTITY, False, False, "png")
_FINISHED: Final = Finished(b"png", "image/png", 64, 64, "", None, None, 0, "")


class SimEngine:
    """Takes its time, and fails now and then. `desk` sells it; `orders` are what is ever ordered there."""

    name = "studio"

    def __init__(self, loop: VirtualLoop, rng: Random) -> None:
        self._loop, self._rng = loop, rng
        self.desk = OrderDesk(_CATALOG, [self])
        self.orders = [changed(order, plan=changed(order.plan, engine=self)) for order in _ORDERS]

    def capabilities(self, upstream: str) -> Capabilities:
        return _CAPABILITIES

    def plan(self, prompt: str, *, masked: bool) -> str | None:
        return prompt

    async def edit(self, upstream: str, request: EditInput) -> EditOutput:
        kind = self._rng.random()
        await self._loop.sleep(self._rng.uniform(0.1, 2) if kind < 0.5 else self._rng.uniform(2, 45))
        if kind > 0.97:
            raise ContentRefused("not this picture.")
        if kind > 0.92:
            raise EngineFailed("the engine failed.")
        return EditOutput((EditedImage(_PIXELS),))

    async def start(self) -> None: ...

    async def close(self) -> None: ...


class _Request(EditRequest):
    """Asked for all day."""

    def digest(self) -> str:
        return _DIGESTS[self.prompt]


_REQUESTS: Final = [_Request(STUDIO, prompt, (b"picture",), size=SIZE, seed=1) for prompt in ("a hat", "two hats")]
_DIGESTS: Final = {request.prompt: EditRequest.digest(request) for request in _REQUESTS}
_ORDERS: Final[list[Order]] = []
_DESK: Final = SimEngine(VirtualLoop(), Random(0)).desk
_ORDERS.extend(_DESK.price(_DESK.plan(r, masked=False, sources=1), r, SIZE) for r in _REQUESTS)


def prepare(
    request: EditRequest, caps: Capabilities, works_at: Size | None, limits: LimitSettings, reframed: Size | None
) -> Prepared:
    return _PREPARED


def finish(prepared: Prepared, image: EditedImage) -> Finished:
    return _FINISHED
