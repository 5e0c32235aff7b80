"""What headers tell, and that hostile ones never raise anything but a refusal."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from support.imagery import (
    FOREIGN,
    animated,
    bomb_png,
    exif,
    photo,
    png,
    png_chunk,
    saved,
    scan_bomb_jpeg,
    zeros_png,
)
from tollbrush.domain.edits import Size
from tollbrush.errors import BadImage
from tollbrush.imaging.header import MAX_SCANS, sniff

CAP = 40_000_000
SEEDS = [
    saved(photo(20, 12), "PNG"),
    saved(photo(20, 12), "PNG", exif=exif(6)),
    saved(photo(20, 12), "JPEG", exif=exif(6)),
    saved(photo(20, 12), "JPEG", progressive=True),
    saved(photo(20, 12), "WEBP"),
    saved(photo(20, 12), "WEBP", lossless=True, exif=exif(5)),
    saved(photo(20, 12), "GIF"),
]


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("size", [(1, 1), (20, 12), (300, 7), (1000, 1201)])
def test_size_and_format_come_from_the_header(fmt: str, size: tuple[int, int]) -> None:
    header = sniff(saved(Image.new("RGB", size, "teal"), fmt), max_pixels=CAP)
    assert (header.format, header.width, header.height) == (fmt.lower(), *size)
    assert header.mime_type == f"image/{fmt.lower()}"
    assert header.upright == Size(*size)


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exif": exif(1)}])
def test_the_three_kinds_of_webp(options: dict[str, object]) -> None:
    header = sniff(saved(photo(33, 21, channels=4), "WEBP", **options), max_pixels=CAP)
    assert header.upright == Size(33, 21)


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_turns_the_size(fmt: str, orientation: int) -> None:
    header = sniff(saved(photo(20, 12), fmt, exif=exif(orientation)), max_pixels=CAP)
    assert header.orientation == orientation
    assert header.orientation_swaps == (orientation >= 5)
    assert header.upright == (Size(12, 20) if orientation >= 5 else Size(20, 12))


@pytest.mark.parametrize(
    "block", [b"", b"garbage", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", exif(1)[6:20]]
)
def test_garbage_exif_is_upright(block: bytes) -> None:
    data = png(2, 1, b"\0" * 7, extra=((b"eXIf", block),))
    assert sniff(data, max_pixels=CAP).orientation == 1


def test_an_impossible_orientation_is_upright() -> None:
    assert sniff(saved(photo(20, 12), "JPEG", exif=exif(9)), max_pixels=CAP).orientation == 1


@pytest.mark.parametrize("fmt", ["GIF", "WEBP", "PNG"])
def test_animations_are_refused_as_such(fmt: str) -> None:
    with pytest.raises(BadImage, match="is animated; send one still picture"):
        sniff(animated(fmt), max_pixels=CAP)


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_bytes_are_named(name: str) -> None:
    data, word = FOREIGN[name]
    with pytest.raises(BadImage) as refused:
        sniff(data, max_pixels=CAP, path="image[1]")
    assert word in refused.value.message
    assert refused.value.path == "image[1]"
    assert refused.value.details[0].path == "image[1]"


def test_bombs_are_refused_by_their_header() -> None:
    with pytest.raises(BadImage, match=r"30000x30000, 900,000,000 pixels; at most 40,000,000"):
        sniff(bomb_png(), max_pixels=CAP)
    zeros = zeros_png()
    assert len(zeros) < 50_000
    with pytest.raises(BadImage, match="400,000,000 pixels"):
        sniff(zeros, max_pixels=CAP)


def test_the_cap_is_inclusive() -> None:
    data = saved(photo(20, 12), "PNG")
    assert sniff(data, max_pixels=240).width == 20
    with pytest.raises(BadImage):
        sniff(data, max_pixels=239)


def test_a_side_beyond_16_bits_is_refused() -> None:
    with pytest.raises(BadImage, match="32,767 a side"):
        sniff(png(40_000, 1, b"\0" * 120_001), max_pixels=CAP)


def test_no_size_at_all_is_refused() -> None:
    with pytest.raises(BadImage, match="0x5"):
        sniff(png(0, 5, b""), max_pixels=CAP)


def test_scans_are_counted() -> None:
    honest = saved(photo(64, 64), "JPEG", progressive=True)
    assert sniff(honest, max_pixels=CAP).width == 64
    with pytest.raises(BadImage, match=f"more than {MAX_SCANS} scans"):
        sniff(scan_bomb_jpeg(), max_pixels=CAP)


def test_two_frames_in_one_jpeg_are_refused() -> None:
    plain = saved(photo(16, 16), "JPEG")
    start = plain.index(b"\xff\xc0")
    (length,) = struct.unpack(">H", plain[start + 2 : start + 4])
    frame = plain[start : start + 2 + length]
    with pytest.raises(BadImage, match="two frames"):
        sniff(plain[:start] + frame + plain[start:], max_pixels=CAP)


def test_a_gif_frame_beyond_the_screen_counts() -> None:
    plain = bytearray(saved(Image.new("P", (4, 4)), "GIF"))
    at = plain.index(b",\0\0\0\0\4\0\4\0")
    plain[at + 5 : at + 9] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(BadImage, match="60000x60000"):
        sniff(bytes(plain), max_pixels=CAP)


def test_endless_chunks_are_refused() -> None:
    many = png_chunk(b"tEXt", b"") * 100_001
    data = png(1, 1, b"\0" * 4)
    with pytest.raises(BadImage, match="chunks"):
        sniff(data[:33] + many + data[33:], max_pixels=CAP)


def test_a_jpeg_of_12_bits_is_refused() -> None:
    plain = bytearray(saved(photo(16, 16), "JPEG"))
    plain[plain.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(BadImage, match="12 bits"):
        sniff(bytes(plain), max_pixels=CAP)


@given(st.sampled_from(SEEDS), st.integers(0, 400))
@settings(max_examples=150, deadline=None)
def test_a_cut_header_is_refused_or_read_right(data: bytes, keep: int) -> None:
    whole = sniff(data, max_pixels=CAP)
    try:
        cut = sniff(data[:keep], max_pixels=CAP)
    except BadImage:
        return
    assert {cut.width, cut.height} == {whole.width, whole.height}


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6))
@settings(max_examples=300, deadline=None)
@example(b"GIF89a", [])
@example(b"\xff\xd8\xff", [])
@example(b"RIFF\0\0\0\0WEBPVP8X", [])
@example(b"\x89PNG\r\n\x1a\n\0\0\0\0IHDR", [])
def test_hostile_bytes_are_refused_or_read(data: bytes, changes: list[tuple[int, int]]) -> None:
    broken = bytearray(data)
    for at, value in changes:
        if at < len(broken):
            broken[at] = value
    try:
        header = sniff(bytes(broken), max_pixels=CAP)
    except BadImage as refused:
        assert refused.sentence()
        return
    assert 0 < header.width * header.height <= CAP


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadImage):
        sniff(data, max_pixels=CAP)


def test_the_size_agrees_with_the_decoder() -> None:
    for data in SEEDS:
        header = sniff(data, max_pixels=CAP)
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (header.width, header.height)


def test_the_first_exif_block_decides() -> None:
    """Hundreds of them, each with thousands of entries, would cost a quarter of a second."""
    plain = saved(photo(12, 8), "JPEG")
    blocks = [b"\xff\xe1" + struct.pack(">H", 2 + len(block)) + block for block in (exif(6), exif(3))]
    data = plain[:2] + b"".join(blocks) + plain[2:]
    assert sniff(data, max_pixels=CAP).orientation == 6
    assert sniff(plain[:2] + blocks[1] + blocks[0] + plain[2:], max_pixels=CAP).orientation == 3
    assert sniff(plain, max_pixels=CAP).orientation == 1
