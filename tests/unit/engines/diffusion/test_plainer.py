"""A worker that dies while it warms a model up is followed by one that tries less, and its operator is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from structlog.testing import capture_logs

from tollbrush.engines.diffusion.messages import WARMING, Loading, Setup, Slower
from tollbrush.engines.diffusion.model import Tuning
from tollbrush.engines.diffusion.worker import Worker
from tollbrush.engines.pipes import Child


def test_a_device_that_dies_of_it_is_spared_it_step_by_step() -> None:
    first = Tuning().plainer()
    assert first == replace(Tuning(), attention="native")
    second = first.plainer()
    assert second == replace(Tuning(), attention="native", compile=False)
    assert second.plainer() == second


async def test_a_worker_that_died_while_it_warmed_up_is_followed_by_one_that_tries_less() -> None:
    worker = Worker(Setup((), "cpu"), eager=False, stalled=60)
    asked = []
    for doing in ("reading", WARMING, WARMING, WARMING):
        worker._child = await Child.spawn("keyword", what="worker that ends at once")
        worker._take(Loading("acme/one", doing, 0.5))
        with capture_logs() as logs:
            await worker._serve()
        slower = [line["why"] for line in logs if line["event"] == "a model is slower than it was to be"]
        asked.append((worker._setup.tuning, slower))
    spared, died = Tuning().plainer(), "The worker died while it warmed it up; the next one runs with attention native"
    assert asked == [
        (None, []),
        (spared, [f"{died}."]),
        (spared.plainer(), [f"{died}, nothing compiled."]),
        (spared.plainer(), []),
    ]


async def test_one_that_is_closed_while_it_warms_up_has_not_died_of_it() -> None:
    worker = Worker(Setup((), "cpu"), eager=False, stalled=60)
    worker._child = child = await Child.spawn("json.tool", what="worker that listens")
    worker._take(Loading("acme/one", WARMING, 0.5))
    worker._life = asyncio.create_task(worker._serve())
    await asyncio.sleep(0)  # it listens
    with capture_logs() as logs:
        await worker.close()
    await child.ended()
    assert (logs, worker._setup.tuning, worker.pid) == ([], None, None)


async def test_what_is_slower_stands_in_the_gateways_log_with_what_to_do() -> None:
    worker = Worker(Setup((), "cpu"), eager=False, stalled=60)
    with capture_logs() as logs:
        worker._take(Slower("acme/one", "compiled blocks failed (no compiler); it runs with plain diffusers instead."))
    assert [(line["event"], line["model"], line["log_level"]) for line in logs] == [
        ("a model is slower than it was to be", "acme/one", "warning")
    ]
    assert "no compiler" in logs[0]["why"]
    assert "engines.diffusion.attention and compile" in logs[0]["advice"]
