"""Edits under way in a process, and what is left of them."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from support.engines import Inverter
from support.pictures import photo
from tollbrush.domain.catalog import STUDIO, Catalog
from tollbrush.domain.charges import ClaimKey
from tollbrush.domain.edits import EditRequest, Size
from tollbrush.editing.orders import OrderDesk
from tollbrush.editing.works import Made, Work, Works
from tollbrush.errors import EngineFailed

_KEY = ClaimKey("base", "usdc", "payer", "nonce")


class _Picture:
    """Stands for megabytes."""


async def _fails(work: Work, seen: list[weakref.ref[_Picture]]) -> Made:
    picture = _Picture()
    seen.append(weakref.ref(picture))
    try:
        raise KeyError("what the engine met")
    except KeyError as failure:
        raise EngineFailed("the engine failed.") from failure


async def test_a_failed_edit_lets_its_pictures_go_at_once() -> None:
    """Without the garbage collector, which may come by much later."""
    works, seen = Works(), list[weakref.ref[_Picture]]()
    desk = OrderDesk(Catalog.build(frozenset({STUDIO})), [Inverter()])
    request = EditRequest(None, "invert", (photo(64, 64),), size=None)
    order = desk.price(desk.plan(request, masked=False, sources=1), request, Size(64, 64))
    gc.disable()
    try:
        work = works.begin(_KEY, "digest", order, lambda w: _fails(w, seen))
        await asyncio.wait({work.task})
        with pytest.raises(EngineFailed, match="the engine failed"):
            work.task.result()
        assert [picture() for picture in seen] == [None]
    finally:
        gc.enable()
    assert works.of(_KEY) is None
