"""Files to a server and back: as they are where it takes them so, made anew where it does not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from pydantic import SecretStr

from support.imagery import photo, saved
from support.openai_oddities import KEY
from support.openai_simulator import simulated
from tollbrush.domain.edits import OutputFormat, Size
from tollbrush.engines.interface import EditInput
from tollbrush.engines.openai import OpenAIEngine
from tollbrush.engines.openai.forms import Form, build
from tollbrush.engines.openai.profiles import PROFILES, Profile
from tollbrush.errors import BadImage
from tollbrush.imaging.bare import Bare
from tollbrush.imaging.codec import decode
from tollbrush.imaging.header import sniff
from tollbrush.imaging.strip import strip
from tollbrush.settings import OpenAISettings

CAP = 10**7
SQUARE = Size(1024, 1024)


def bare(data: bytes) -> Bare:
    found = strip(data, sniff(data, max_pixels=CAP))
    assert found is not None
    return found


PNG, ALPHA, WEBP = (
    bare(saved(photo(64, 48), "PNG")),
    bare(saved(photo(64, 48, channels=4), "PNG")),
    bare(saved(photo(64, 48), "WEBP")),
)


def built(profile: Profile, *files: Bare, size: Size = SQUARE) -> Form:
    return build(profile, {"prompt": "x"}, EditInput((), "x", size, files=files))


def pictures(form: Form) -> list[bytes]:
    """The files of the body that is sent."""

    async def sent() -> bytes:
        return b"".join([bytes(piece) async for piece in form.body.pieces()])

    parts = re.split(rb"\r\n--tollbrush-[0-9a-f]{24}|^--tollbrush-[0-9a-f]{24}", asyncio.run(sent()))
    return [part.partition(b"\r\n\r\n")[2] for part in parts if b"filename=" in part]


@pytest.mark.parametrize("kind", PROFILES)
def test_every_server_is_sent_what_it_decodes(kind: str) -> None:
    profile = PROFILES[kind]
    for file in (PNG, ALPHA, WEBP):
        (data,) = pictures(built(profile, file))
        as_it_is = file.format in profile.formats and (profile.alpha or not file.alpha)
        assert (data == file.data) == as_it_is
        seen = decode(data, max_pixels=CAP)
        assert seen.shape[2] == (4 if file.alpha and profile.alpha else 3)
        if not file.alpha:
            assert np.array_equal(seen, decode(file.data, max_pixels=CAP))


def test_one_that_must_be_made_anew_does_not_change_the_order() -> None:
    sent = pictures(built(PROFILES["openai"], PNG, ALPHA, WEBP))
    assert sent == [PNG.data, ALPHA.data, WEBP.data]
    again = pictures(built(PROFILES["generic"], PNG, WEBP))
    for data, file in zip(again, (PNG, WEBP), strict=True):
        assert np.array_equal(decode(data, max_pixels=CAP), decode(file.data, max_pixels=CAP))


def test_a_server_of_other_sizes_gets_pixels_of_its_own() -> None:
    form = built(PROFILES["sdcpp"], PNG, size=Size(64, 48))
    (data,) = pictures(form)
    assert decode(data, max_pixels=CAP).shape == (64, 64, 3)
    assert form.ready is None
    assert built(PROFILES["generic"], PNG, size=Size(64, 48)).ready == Size(64, 48)


def test_a_file_over_the_limit_is_made_anew_or_refused() -> None:
    file = bare(saved(photo(64, 48), "PNG", compress_level=0))
    (data,) = pictures(built(replace(PROFILES["openai"], image_bytes=len(file.data)), file))
    assert len(data) < len(file.data)
    with pytest.raises(BadImage, match="takes less than 100"):
        built(replace(PROFILES["openai"], image_bytes=100), file)


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    with simulated() as url:
        yield url


@pytest.mark.parametrize(("takes", "comes"), [("png", True), ("webp", False), (None, False)])
async def test_an_answer_comes_as_the_file_that_is_taken(
    simulator: str, takes: OutputFormat | None, comes: bool
) -> None:
    settings = OpenAISettings(api_key=SecretStr(KEY), base_url=simulator, health_seconds=0)
    engine = OpenAIEngine(settings)
    await engine.start()
    try:
        source = bare(saved(photo(1024, 1024), "PNG"))
        output = await engine.edit("gpt-image-1", EditInput((), "invert it", SQUARE, files=(source,), takes=takes))
    finally:
        await engine.close()
    (image,) = output.images
    assert isinstance(image.content, Bare) == comes
    pixels = decode(image.content.data, max_pixels=CAP) if isinstance(image.content, Bare) else image.content
    assert np.abs(pixels.astype(int) - (255 - photo(1024, 1024).astype(int))).max() <= 3
