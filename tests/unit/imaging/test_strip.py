"""What passes through undecoded: the same pixels, nothing private, and nothing that a decoder should have judged."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from support.imagery import exif, photo, png, png_chunk, rgb_profile, saved
from tollbrush.domain.edits import OutputFormat, Size
from tollbrush.errors import BadImage
from tollbrush.imaging.bare import Bare
from tollbrush.imaging.codec import decode
from tollbrush.imaging.header import sniff
from tollbrush.imaging.strip import as_wanted, strip

CAP = 1_000_000
SECRET = b"48.2082N 16.3738E"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WIDE = rgb_profile(((0.61, 0.31, 0.02), (0.2, 0.63, 0.06), (0.15, 0.06, 0.74)), 2.2)
FORMATS = ("PNG", "JPEG", "WEBP")


def bare(data: bytes) -> Bare | None:
    return strip(data, sniff(data, max_pixels=CAP))


def private_exif() -> bytes:
    block = Image.Exif()
    block[0x0112], block[0x010E] = 1, SECRET.decode()
    return block.tobytes()


def texts() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    return info


LOADED = {
    "png": saved(photo(40, 30), "PNG", exif=private_exif(), icc_profile=SRGB, pnginfo=texts(), dpi=(72, 72)) + SECRET,
    "png with alpha": saved(photo(40, 30, channels=4), "PNG", exif=private_exif(), pnginfo=texts()),
    "jpeg": saved(photo(40, 30), "JPEG", exif=private_exif(), icc_profile=SRGB, comment=SECRET) + SECRET,
    "progressive jpeg": saved(photo(40, 30), "JPEG", exif=private_exif(), xmp=SECRET, progressive=True) + SECRET,
    "webp": saved(photo(40, 30), "WEBP", exif=private_exif(), icc_profile=SRGB, xmp=SECRET) + SECRET,
    "lossless webp": saved(photo(40, 30, channels=4), "WEBP", lossless=True, exif=private_exif(), xmp=SECRET),
    "webp with alpha": saved(photo(40, 30, channels=4), "WEBP", exif=private_exif(), xmp=SECRET),
}  # fmt: skip


@pytest.mark.parametrize("name", LOADED)
def test_pixels_stay_and_nothing_private_does(name: str) -> None:
    data = LOADED[name]
    assert SECRET in data
    found = bare(data)
    assert found is not None
    assert SECRET not in found.data
    assert len(found.data) < len(data)
    assert (found.format, found.size) == (sniff(data, max_pixels=CAP).format, Size(40, 30))
    assert np.array_equal(decode(found.data, max_pixels=CAP), decode(data, max_pixels=CAP))
    assert found.alpha == (decode(data, max_pixels=CAP).shape[2] == 4)
    with Image.open(io.BytesIO(found.data)) as image:
        image.load()
        assert not image.getexif()
        assert {"icc_profile", "comment", "xmp", "Comment", "XML:com.adobe.xmp"}.isdisjoint(image.info)


@pytest.mark.parametrize("name", LOADED)
def test_what_has_nothing_to_lose_is_not_copied(name: str) -> None:
    once = bare(LOADED[name])
    assert once is not None
    again = bare(once.data)
    assert again is not None
    assert again.data is once.data


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("options", [{"exif": exif(6)}, {"icc_profile": WIDE}])
def test_what_pixels_must_be_turned_or_converted_for_is_decoded(fmt: str, options: dict[str, Any]) -> None:
    assert bare(saved(photo(20, 12), fmt)) is not None
    assert bare(saved(photo(20, 12), fmt, **options)) is None


ROWS = b"\0" * (12 * 61)
STRANGE = {
    "palette": saved(Image.fromarray(photo(20, 12)).convert("P"), "PNG"),
    "grey": saved(Image.fromarray(photo(20, 12)).convert("L"), "PNG"),
    "grey jpeg": saved(Image.fromarray(photo(20, 12)).convert("L"), "JPEG"),
    "inks": saved(Image.fromarray(photo(20, 12)).convert("CMYK"), "JPEG"),
    "gif": saved(photo(20, 12), "GIF"),
    "16 bits": png(20, 12, b"\0" * (12 * 121), depth=16),
    "a transparent colour": png(20, 12, ROWS, extra=((b"tRNS", bytes(6)),)),
    "an unknown critical chunk": png(20, 12, ROWS, extra=((b"CuSt", b""),)),
    "a note in the end": png(20, 12, ROWS)[:-12] + png_chunk(b"IEND", SECRET),
    "a profile that is none": png(20, 12, ROWS, extra=((b"iCCP", b"x\0\0nonsense"),)),
    "two profiles": png(20, 12, ROWS, extra=((b"iCCP", b"x"), (b"iCCP", b"x"))),
    "no pixels": png(20, 12, ROWS).replace(b"IDAT", b"iDAT"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
def test_the_strange_is_left_to_a_decoder(name: str) -> None:
    assert bare(STRANGE[name]) is None


def test_a_thumbnail_within_the_first_segment_goes() -> None:
    plain = saved(photo(20, 12), "JPEG")
    thumbnail = b"\xff\xe0" + (2 + 14 + 3).to_bytes(2, "big") + b"JFIF\0\1\1\0\0\1\0\1\1\1" + b"\x11\x22\x33"
    found = bare(plain[:2] + thumbnail + plain[20:])
    assert found is not None
    assert found.data == plain[:2] + plain[20:]


@pytest.mark.parametrize("name", LOADED)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_cut_short_never_passes(name: str, data: st.DataObject) -> None:
    found = bare(LOADED[name])
    assert found is not None
    cut = found.data[: data.draw(st.integers(0, len(found.data) - 1))]
    with suppress(BadImage):  # its header may say so already
        assert bare(cut) is None


@given(at=st.integers(8, 3000), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_a_png_with_a_flipped_bit_never_passes(at: int, bit: int) -> None:
    data = bytearray(saved(photo(40, 30), "PNG"))
    at = 8 + at % (len(data) - 8)
    data[at] ^= 1 << bit
    with suppress(BadImage):
        assert bare(bytes(data)) is None


@given(st.sampled_from(sorted(LOADED)), st.data())
@settings(max_examples=150, deadline=None)
def test_garbage_raises_nothing_but_a_refusal(name: str, data: st.DataObject) -> None:
    """What passes is bare: it passes again as it is."""
    broken = bytearray(LOADED[name])
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(broken) - 1), st.integers(0, 255)), max_size=6)):
        broken[at] = value
    try:
        found = bare(bytes(broken))
    except BadImage:
        return
    again = None if found is None else bare(found.data)
    assert found is None or (again is not None and again.data is found.data)


@pytest.mark.parametrize(
    ("fmt", "size", "passes"),
    [("png", Size(40, 30), True), ("jpeg", Size(40, 30), False), ("png", Size(30, 40), False)],
)
def test_only_what_was_wanted_comes_as_a_file(fmt: OutputFormat, size: Size, passes: bool) -> None:
    assert (as_wanted(LOADED["png"], fmt, size, max_pixels=CAP) is not None) == passes
