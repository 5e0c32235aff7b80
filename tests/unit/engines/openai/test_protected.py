"""Not one protected pixel changes, whatever the picture, the mask, the size and the fit: over a hundred masked edits
from source bytes to hosted bytes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydantic import SecretStr

from support.imagery import photo, saved
from support.openai_simulator import KEY, simulated, told
from tollbrush.domain.catalog import Catalog
from tollbrush.domain.edits import EditRequest, Fit, OutputFormat, Size
from tollbrush.editing.pixels import finish, prepare
from tollbrush.engines.google import GoogleEngine
from tollbrush.engines.openai import OpenAIEngine, Served
from tollbrush.errors import UnsupportedParameter
from tollbrush.settings import GoogleSettings, LimitSettings, OpenAISettings, UpstreamSettings

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask

SIZES = (Size(96, 96), Size(144, 96), Size(96, 144))
ASKED: tuple[tuple[Size | None, Fit | None], ...] = (
    *product(SIZES[:2], ("crop", "pad", "stretch", None)), (None, None),
)  # fmt: skip
SOURCES = ((96, 96), (200, 150), (61, 143), (37, 29))
LIMITS = LimitSettings()


KINDS = ("openai", "vllm-omni", "sdcpp")
SMALL = ["96x96", "144x96"]
"""What OpenAI's simulator offers here: the third size that is sold must be fitted, and none has a million pixels."""


def masks(width: int, height: int) -> dict[str, Mask]:
    """A blob, a hairline, everything but one pixel."""
    y, x = np.mgrid[:height, :width]
    almost = np.ones((height, width), bool)
    almost[height // 2, width // 2] = False
    return {
        "blob": (x - width / 3) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 4) ** 2,
        "hairline": np.abs(x - y) < 1,
        "almost": almost,
    }


def requests() -> Iterator[tuple[EditRequest, str]]:
    """4 sources × 3 masks × 9 ways to ask, in PNG and WebP, some with transparency."""
    for number, ((width, height), (size, fit)) in enumerate(product(SOURCES, ASKED)):
        source = photo(width, height, channels=4 if number % 3 == 0 else 3, seed=number)
        kind: OutputFormat = "webp" if number % 2 else "png"
        for name, mask in masks(width, height).items():
            white = saved(np.where(mask, 255, 0).astype(np.uint8), "PNG")
            yield EditRequest(
                model=None, prompt="invert", sources=(saved(source, "PNG"),), mask=white, size=size, seed=1, fit=fit,
                output_format=kind,
            ), f"{width}x{height} {name} to {size} {fit} {kind}"  # fmt: skip


async def check(engine: OpenAIEngine, request: EditRequest, words: str) -> int:
    """Returns how many pixels were edited."""
    caps = engine.capabilities("m")
    works_at = request.size or min(SIZES, key=lambda s: s.pixels)
    prepared = prepare(request, caps, works_at, LIMITS)
    output = await engine.edit("m", prepared.input)
    done = finish(prepared, output.images[0])
    answer = np.array(Image.open(io.BytesIO(done.data)).convert("RGBA"))
    assert prepared.mask is not None
    base = (
        prepared.base
        if prepared.base.shape[2] == 4
        else np.dstack((prepared.base, np.full_like(prepared.mask, 255, np.uint8)))
    )
    outside = ~prepared.mask
    assert np.array_equal(answer[outside], base[outside]), words
    assert done.preserved is True, words
    if request.size is None:
        source = np.array(Image.open(io.BytesIO(request.sources[0])).convert("RGBA"))
        assert np.array_equal(answer[outside], source[outside]), words
    return int(np.count_nonzero((answer != base).any(axis=2)))


@pytest.mark.parametrize("kind", KINDS)
async def test_no_protected_pixel_changes(kind: str) -> None:
    """Two servers of a kind."""
    sizes = SMALL if kind == "openai" else None
    with simulated(kind, **({"sizes": frozenset(SMALL)} if sizes else {})) as url:
        place = UpstreamSettings.model_validate({"url": url, "profile": kind, "api_key": KEY, "sizes": sizes})
        engine = OpenAIEngine(OpenAISettings(health_seconds=0), (Served("m", "gpt-image-1", SIZES, (place, place)),))
        await engine.start()
        everything = list(requests())
        edited = await asyncio.gather(*(check(engine, request, words) for request, words in everything))
        await engine.close()
        seen = told(url)
    assert len(everything) == len(seen) == 108
    assert all(row["mask"] is True for row in seen)
    assert sum(pixels > 0 for pixels in edited) > 100  # and it was no empty promise: pixels were edited


async def test_google_is_never_asked_to_keep_to_a_mask() -> None:
    """It has none: such an edit is refused before a price, and by the engine before a call."""
    engine = GoogleEngine(GoogleSettings(api_key=SecretStr("k"), base_url="http://127.0.0.1:9"))
    await engine.start()
    catalog = Catalog.build(frozenset({"google/nano-banana", "google/nano-banana-pro"}))
    for model in (catalog.find("nano-banana"), catalog.find("nano-banana-pro")):
        with pytest.raises(UnsupportedParameter, match="takes no mask"):
            catalog.check_abilities(model, masked=True, sources=1)
        assert not engine.capabilities(model.upstream).masks
        for request, _ in requests():
            caps = replace(engine.capabilities(model.upstream), fixed_sizes=())
            prepared = prepare(request, caps, SIZES[0], LIMITS)
            with pytest.raises(UnsupportedParameter, match="no mask"):
                await engine.edit(model.upstream, prepared.input)
    await engine.close()
