"""A replica with a tiny real model, asked by the gateway's side over HTTP, without Ray."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import numpy as np
import pytest

from support.ray_stand_in import Proxy, listening, replica_of
from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.diffusion.ray.engine import RayEngine
from tollbrush.engines.diffusion.ray.messages import VERSION, VERSION_HEADER, Edit, encode_edit
from tollbrush.engines.diffusion.ray.residents import Gone, Resident
from tollbrush.engines.interface import EditInput, Progress
from tollbrush.errors import BadRequest, EditTimeout, EngineFailed, Unavailable
from tollbrush.settings import RaySettings

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' sigmas

Tiny = Callable[[str], Path]
PIX2PIX = "StableDiffusionInstructPix2PixPipeline"
SIZE = Size(64, 64)
SOURCE = np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8)


def rows(tiny: Tiny) -> tuple[DiffusionModel, ...]:
    folder = str(tiny(PIX2PIX))
    quick = DiffusionModel("acme/quick", folder, steps=3, dtype="float32", sizes=(SIZE,))
    slow = DiffusionModel("acme/slow", folder, steps=200, dtype="float32", sizes=(SIZE,))
    bad = DiffusionModel("acme/bad", str(Path(folder).parent / "nothing"), pipeline=PIX2PIX, sizes=(SIZE,))
    return quick, slow, bad


def asked(n: int = 1, seed: int = 3, **more: object) -> EditInput:
    return EditInput((SOURCE,), "make it snowy", SIZE, n=n, seed=seed, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def opened(tiny: Tiny, *, secret: str = "", **settings: object) -> AsyncIterator[tuple[RayEngine, Models, str]]:
    """The gateway's engine, the replica's models, and the replica's base URL."""
    models = Models(rows(tiny), "cpu", offline=True)
    replica = replica_of(models, *(row.name for row in rows(tiny)), secret=secret)
    async with listening(Proxy(replica.respond, replica.respond)) as proxy:
        ours = RaySettings.model_validate(
            {"addresses": (proxy.url,), "secret": secret, "health_seconds": 0, **settings}
        )
        engine = RayEngine(ours, rows(tiny))
        await engine.start()
        try:
            yield engine, models, f"http://127.0.0.1:{proxy.port}/tollbrush"
        finally:
            await engine.close()
            await asyncio.to_thread(models.close)


async def test_an_edit_is_what_the_models_make_alone(tiny: Tiny) -> None:
    heard: list[Progress] = []
    async with opened(tiny, secret="hush") as (engine, models, _):
        await engine.check()
        assert not engine.alarms()
        output = await engine.edit("acme/quick", asked(2, previews=1, report=heard.append))
        alone = await asyncio.to_thread(models.edit, "acme/quick", asked(2))
        for image, twin in zip(output.images, alone.images, strict=True):
            assert np.array_equal(image.pixels, twin.pixels)
            assert image.seed == twin.seed
    fractions = [progress.fraction for progress in heard if progress.fraction is not None]
    assert fractions == sorted(fractions) and len(set(fractions)) >= 3
    assert {progress.index for progress in heard if progress.preview is not None} == {0, 1}


async def test_a_cancelled_edit_stops_within_a_step(tiny: Tiny) -> None:
    stepped, steps = asyncio.Event(), list[float]()

    def hear(progress: Progress) -> None:
        steps.append(progress.fraction or 0)
        stepped.set()

    async with opened(tiny) as (engine, models, _):
        editing = asyncio.create_task(engine.edit("acme/slow", asked(10, report=hear)))
        await stepped.wait()
        editing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await editing
        # it waits for the edit at work, of which two thousand steps are left unless it stopped
        await asyncio.to_thread(models.unload, "acme/slow")
        assert steps[-1] < 0.5


async def test_time_that_is_over_stops_it(tiny: Tiny) -> None:
    async with opened(tiny) as (engine, models, base):
        await engine.edit("acme/quick", asked())
        body = encode_edit(Edit.of("acme/slow", asked(10), 0.5))
        async with httpx2.AsyncClient() as http:
            answer = await http.post(f"{base}/edit", content=body, headers={VERSION_HEADER: VERSION}, timeout=60)
        assert b"timeout" in answer.content
        await asyncio.to_thread(models.unload, "acme/slow")
    async with opened(tiny, timeout_seconds=0.05) as (engine, _, _):
        with pytest.raises(EditTimeout):
            await engine.edit("acme/slow", asked(10))


async def test_the_models_own_refusals_arrive(tiny: Tiny) -> None:
    async with opened(tiny) as (engine, _, _):
        with pytest.raises(BadRequest, match="tokens"):
            await engine.edit("acme/quick", EditInput((SOURCE,), "a very long story " * 400, SIZE))
        with pytest.raises(Unavailable) as told:
            await engine.edit("acme/bad", asked())
        assert "nothing" not in told.value.sentence()
        for _ in range(2):
            assert "cannot load acme/bad" in "".join(engine.alarms().values())
            await engine.check()  # the proxy is well, and has all of them
            await engine.edit("acme/quick", asked())


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"", 401),
        ({"Authorization": "Bearer hus"}, b"", 401),
        ({"Authorization": "Bearer hush"}, b"", 400),
        ({"Authorization": "Bearer hush", VERSION_HEADER: "0"}, b"", 400),
        ({"Authorization": "Bearer hush", VERSION_HEADER: VERSION}, b"garbage", 400),
    ],
    ids=["no secret", "another", "no version", "another version", "garbage"],
)
async def test_who_may_not_ask_gets_nothing(tiny: Tiny, headers: dict[str, str], body: bytes, status: int) -> None:
    async with opened(tiny, secret="hush") as (_, models, base), httpx2.AsyncClient() as http:
        answer = await http.post(f"{base}/edit", content=body, headers=headers, timeout=60)
        assert answer.status_code == status
        assert "hush" not in answer.text
        assert not models.loaded("acme/quick")


async def test_too_much_is_refused_before_it_is_read(tiny: Tiny) -> None:
    async with opened(tiny) as (_, _, base):
        url = httpx2.URL(base)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        head = f"POST {url.path}/edit HTTP/1.1\r\nHost: h\r\n{VERSION_HEADER}: {VERSION}\r\n"
        writer.write(f"{head}Content-Length: 9999999999\r\n\r\n".encode())
        assert b" 413 " in await reader.readline()
        writer.close()
        await writer.wait_closed()


async def test_a_model_that_is_not_there_is_said_to_be_so(tiny: Tiny) -> None:
    async with opened(tiny) as (_, _, base), httpx2.AsyncClient() as http:
        body = encode_edit(Edit.of("acme/other", asked(), 5.0))
        answer = await http.post(f"{base}/edit", content=body, headers={VERSION_HEADER: VERSION})
    assert (answer.status_code, "acme/other" in answer.text) == (409, True)


def spoilt(good: Path, folder: Path) -> Path:
    """The same model, whose numbers are none."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(good, folder)
    (weights,) = folder.glob("unet/*.safetensors")
    save_file({name: tensor * float("nan") for name, tensor in load_file(weights).items()}, weights)
    return folder


async def test_the_device_is_looked_at_after_an_edit_that_failed(tiny: Tiny, tmp_path: Path) -> None:
    folder = await asyncio.to_thread(spoilt, tiny(PIX2PIX), tmp_path / "broken")
    row = DiffusionModel("acme/broken", str(folder), steps=2, dtype="float32", sizes=(SIZE,))
    models, looked = Models((row,), "cpu", offline=True), list[str]()
    replica = replica_of(models, row.name, check=lambda: looked.append("at it"))
    async with listening(Proxy(replica.respond, replica.respond)) as proxy:
        engine = RayEngine(RaySettings(addresses=(proxy.url,), health_seconds=0), (row,))
        await engine.start()
        with pytest.raises(EngineFailed, match="overflowed"):
            await engine.edit(row.name, asked())
        await engine.close()
        assert (looked, proxy.asked) == (["at it"], 1)
    await asyncio.to_thread(models.close)


def test_a_model_leaves_once_its_edits_have_ended(tiny: Tiny) -> None:
    models = Models(rows(tiny), "cpu", offline=True)
    models.load("acme/quick", lambda _doing, _part: None)
    resident, asking = Resident(models, "acme/quick"), threading.Event()

    def leave() -> None:
        asking.set()
        resident.__del__()

    with ThreadPoolExecutor(1) as threads:
        with resident.used():
            leaving = threads.submit(leave)
            asking.wait()
            assert models.edit("acme/quick", asked()).images
            assert models.loaded("acme/quick")
            assert not leaving.done()
        leaving.result(60)
    assert not models.loaded("acme/quick")
    with pytest.raises(Gone), resident.used():
        pytest.fail("it is gone")
    models.load("acme/quick", lambda _doing, _part: None)
    resident.__del__()  # as Python does once more
    assert models.loaded("acme/quick")
    models.close()
