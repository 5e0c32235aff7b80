"""Forty megapixels through a real worker: each ability within an edit's time and a worker's memory.

Long, and of the processor's time: what else the machine does is no fault of theirs.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tollbrush.engines.studio.understanding.repertoire import Offer
from tollbrush.engines.studio.understanding.understand import offers
from tollbrush.settings import StudioSettings

if TYPE_CHECKING:
    from tollbrush.engines.studio.engine import StudioEngine

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="what workers use is read from /proc"),
    pytest.mark.skipif(os.environ.get("TOLLBRUSH_E2E") != "long", reason="TOLLBRUSH_E2E=long runs it"),
]
TIME = StudioSettings().timeout_seconds * 1000
MEMORY = 1600  # megabytes
REFUSED = dict.fromkeys(("Crop", "Crop closer", "Rotate", "Extend", "Enlarge"), "at most 4096 a side")
"""What changes a picture's size answers at most 4096 a side."""


@pytest.fixture(scope="module")
def studio() -> Iterator[tuple[asyncio.Runner, StudioEngine]]:
    from bench.large import started

    with asyncio.Runner() as runner:
        engine = started(runner)
        yield runner, engine
        runner.run(engine.close())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("offer", offers(), ids=lambda offer: offer.name)
def test_within_its_time_and_memory(studio: tuple[asyncio.Runner, StudioEngine], offer: Offer) -> None:
    from bench.large import LARGE, measured

    (figures,) = measured(*studio, offer, LARGE, 1)
    assert REFUSED.get(offer.name, str(LARGE)) in figures.outcome
    assert figures.cpu < TIME
    assert figures.memory < MEMORY
