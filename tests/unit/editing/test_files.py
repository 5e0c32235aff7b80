"""When a picture passes through as the file it is, and when it must not."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from support.imagery import exif, photo, saved
from tollbrush.domain.edits import EditRequest, OutputFormat, Size
from tollbrush.editing.pixels import Prepared, finish, prepare
from tollbrush.engines.interface import Capabilities, EditedImage
from tollbrush.errors import BadImage
from tollbrush.imaging.bare import Bare
from tollbrush.imaging.codec import decode
from tollbrush.settings import LimitSettings

LIMITS = LimitSettings()
FIXED = (Size(96, 96), Size(144, 96), Size(96, 144))
REMOTE = Capabilities(fixed_sizes=FIXED, files=True, max_sources=4)
OPAQUE, ALPHA = saved(photo(50, 31), "PNG"), saved(photo(50, 31, channels=4), "PNG")


def ready(*sources: bytes, caps: Capabilities = REMOTE, works_at: Size | None = FIXED[0], **fields: Any) -> Prepared:
    fields = {"size": works_at, "seed": 7} | fields
    return prepare(EditRequest(None, "do it", sources, **fields), caps, works_at, LIMITS)


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP"])
def test_what_is_recomposed_goes_as_it_came(fmt: str) -> None:
    first, second = saved(photo(50, 31), fmt, exif=exif(1)), saved(photo(20, 40), fmt)
    prepared = ready(first, second, n=2)
    given = prepared.input
    assert given.sources == ()
    assert [file.size for file in given.files] == [Size(50, 31), Size(20, 40)]
    assert given.files[1].data is second
    assert b"Exif" not in given.files[0].data
    assert (given.size, given.n, given.seed, given.takes) == (FIXED[0], 2, 7, "png")
    light = prepared.light()
    assert light is not None
    assert light.input.files == ()


def test_auto_passes_where_the_model_works_at_the_pictures_own_size() -> None:
    source = saved(photo(96, 144), "PNG")
    assert ready(source, works_at=Size(96, 144), size=None).input.files[0].data is source
    free = Capabilities(files=True)
    assert ready(OPAQUE, caps=free, works_at=None).input.size == Size(50, 31)
    assert ready(OPAQUE, caps=free, works_at=None).input.files


@pytest.mark.parametrize(
    ("sources", "fields"),
    [
        ((OPAQUE,), {"mask": saved(np.full((31, 50), 255, np.uint8), "PNG")}),
        ((OPAQUE,), {"fit": "pad"}),
        ((OPAQUE,), {"size": None}),
        ((OPAQUE,), {"caps": Capabilities(fixed_sizes=FIXED)}),
        ((OPAQUE,), {"caps": Capabilities(generative=False, files=True)}),
        ((ALPHA,), {}),
        ((OPAQUE, saved(photo(50, 31), "PNG", exif=exif(6))), {}),
        ((saved(photo(2049, 8), "PNG"),), {}),
        ((saved(photo(50, 31), "GIF"),), {}),
    ],
    ids=["mask", "fit", "another size", "no files", "not generative", "alpha", "turned", "large", "gif"],
)  # fmt: skip
def test_what_must_change_goes_as_pixels(sources: tuple[bytes, ...], fields: dict[str, Any]) -> None:
    given = ready(*sources, **fields).input
    assert given.files == ()
    assert len(given.sources) == len(sources)


def test_a_larger_size_lets_larger_pictures_through() -> None:
    wide = saved(photo(2049, 8), "PNG")
    assert ready(wide, works_at=Size(2100, 96)).input.files[0].data is wide


def test_transparency_passes_to_whoever_keeps_it() -> None:
    caps = Capabilities(fixed_sizes=FIXED, files=True, alpha=True)
    assert ready(ALPHA, caps=caps).input.files[0].alpha


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP"])
def test_a_torn_picture_is_refused_before_anybody_is_asked(fmt: str) -> None:
    whole = saved(photo(50, 31), fmt)
    with pytest.raises(BadImage):
        ready(whole[: len(whole) * 2 // 3])


def test_a_files_receipt_is_of_its_bytes() -> None:
    prepared = ready(OPAQUE)
    answer = saved(photo(96, 96, seed=3), "PNG")
    done = finish(prepared, EditedImage(Bare(answer, "png", Size(96, 96), alpha=False), "drew it", 5))
    assert done.data is answer
    assert done.sha256 == hashlib.sha256(answer).hexdigest()
    assert (done.mime_type, done.width, done.height, done.seed) == ("image/png", 96, 96, 5)
    assert (done.preserved, done.edited_fraction, done.revised_prompt) == (None, None, "drew it")


def test_pixels_may_still_come_back() -> None:
    answer = photo(96, 96, seed=4)
    done = finish(ready(OPAQUE), EditedImage(answer))
    assert np.array_equal(decode(done.data, max_pixels=10_000), answer)


@pytest.mark.parametrize(
    ("fields", "takes"),
    [({}, "png"), ({"output_format": "webp"}, "webp"), ({"size": None}, None), ({"fit": "crop"}, "png")],
)
def test_a_file_is_taken_only_where_nothing_would_be_done_to_it(
    fields: dict[str, Any], takes: OutputFormat | None
) -> None:
    """A picture of another size than the model's comes back smaller than what the model makes."""
    assert ready(saved(photo(50, 31), "PNG", exif=exif(6)), **fields).input.takes == takes
