"""Decoding to upright sRGB, encoding back, and what broken files do."""

from __future__ import annotations

import io
import struct
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from support.imagery import (
    ADOBE_RGB,
    POSTSCRIPT,
    TURNED,
    Pixels,
    animated,
    cmyk_profile,
    exif,
    photo,
    png,
    rgb_profile,
    saved,
    scan_bomb_jpeg,
    zeros_png,
)
from tollbrush.domain.edits import OutputFormat
from tollbrush.errors import BadImage, BadRequest
from tollbrush.imaging import codec
from tollbrush.imaging.codec import decode, encode, flatten
from tollbrush.imaging.png import encode_png, is_intact

CAP = 40_000_000


def read(data: bytes, *, mode: str = "RGBA") -> Pixels:
    """Somebody else's view of our files."""
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert(mode))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (257, 64)])
@pytest.mark.parametrize("fmt", ["png", "webp"])
def test_lossless_formats_keep_every_bit(fmt: OutputFormat, size: tuple[int, int], channels: int) -> None:
    pixels = photo(*size, channels=channels)
    data = encode(pixels, fmt)
    assert np.array_equal(read(data, mode="RGBA" if channels == 4 else "RGB"), pixels)
    assert np.array_equal(decode(data, max_pixels=CAP), pixels)


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3, 4]), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_png_is_read_by_others(width: int, height: int, channels: int, seed: int) -> None:
    shape = (height, width) if channels == 1 else (height, width, channels)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    with Image.open(io.BytesIO(encode_png(pixels))) as image:
        assert np.array_equal(np.array(image), pixels)


def test_jpeg_is_close_and_flattens_on_white() -> None:
    pixels = photo(200, 100, channels=4)
    pixels[:, :20, 3] = 0
    out = read(encode(pixels, "jpeg"), mode="RGB")
    assert out[:, :12].min() >= 250
    assert np.abs(out.astype(int) - flatten(pixels)).mean() < 2


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_and_forgotten(fmt: str, orientation: int) -> None:
    pixels = photo(40, 24)
    options = {"lossless": True} if fmt == "WEBP" else {"quality": 100, "subsampling": 0} if fmt == "JPEG" else {}
    lying = np.ascontiguousarray(TURNED[orientation](pixels))
    upright = decode(saved(lying, fmt, exif=exif(orientation), **options), max_pixels=CAP)
    assert upright.shape == pixels.shape
    assert np.abs(upright.astype(int) - pixels).max() <= (0 if fmt != "JPEG" else 12)
    with Image.open(io.BytesIO(encode(upright, "png"))) as image:
        assert not image.getexif()


@pytest.mark.parametrize("fmt", ["png", "jpeg", "webp"])
def test_no_metadata_leaves(fmt: OutputFormat) -> None:
    source = saved(photo(30, 20), "JPEG", exif=exif(1), comment=b"secret", icc_profile=ADOBE)
    with Image.open(io.BytesIO(encode(decode(source, max_pixels=CAP), fmt))) as image:
        assert not image.getexif()
        assert not {"icc_profile", "exif", "comment", "xmp", "photoshop"} & set(image.info)


# ── colour ──────────────────────────────────────────────────────────────────────────────────────────────

ADOBE = rgb_profile(ADOBE_RGB, 2.2)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP"])
def test_a_wide_profile_is_converted(fmt: str) -> None:
    options = {"lossless": True} if fmt == "WEBP" else {}
    green = np.full((16, 16, 3), (100, 180, 100), np.uint8)
    pixel = decode(saved(green, fmt, icc_profile=ADOBE, **options), max_pixels=CAP)[8, 8].astype(int)
    # Linear Adobe RGB (.127, .465, .127) is linear sRGB (-.007, .465, .113).
    assert np.abs(pixel - (0, 181, 94)).max() <= 3


@pytest.mark.parametrize("fmt", ["PNG", "WEBP"])
def test_an_srgb_profile_changes_nothing(fmt: str) -> None:
    options = {"lossless": True} if fmt == "WEBP" else {}
    pixels = photo(40, 30)
    assert np.array_equal(decode(saved(pixels, fmt, icc_profile=SRGB, **options), max_pixels=CAP), pixels)


def test_alpha_survives_a_profile() -> None:
    pixels = photo(40, 30, channels=4)
    out = decode(saved(pixels, "PNG", icc_profile=ADOBE), max_pixels=CAP)
    assert np.array_equal(out[..., 3], pixels[..., 3])
    assert not np.array_equal(out[..., :3], pixels[..., :3])


def test_a_grey_picture_with_a_colour_profile_is_itself() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    out = decode(saved(grey, "PNG", icc_profile=ADOBE), max_pixels=CAP)
    assert np.array_equal(out, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("profile", [b"", b"garbage", ADOBE[:200], ADOBE.replace(b"acsp", b"nope")])
def test_a_broken_profile_counts_as_none(profile: bytes) -> None:
    pixels = photo(20, 20)
    assert np.array_equal(decode(saved(pixels, "PNG", icc_profile=profile), max_pixels=CAP), pixels)


def test_cmyk_without_profile() -> None:
    inks = Image.new("CMYK", (32, 16))
    inks.paste((255, 0, 0, 0), (0, 0, 16, 16))
    out = decode(saved(inks, "JPEG", quality=100), max_pixels=CAP).astype(int)
    assert np.abs(out[8, 4] - (0, 255, 255)).max() <= 6
    assert np.abs(out[8, 28] - 255).max() <= 6


def test_cmyk_with_profile() -> None:
    # In this printer's inks "cyan" is a dark red.
    profile = cmyk_profile(((40, 50, 40), (60, 0, -40), (90, 0, 80), (5, 0, 0)))
    inks = Image.new("CMYK", (32, 16))
    inks.paste((255, 0, 0, 0), (0, 0, 16, 16))
    out = decode(saved(inks, "JPEG", quality=100, icc_profile=profile), max_pixels=CAP).astype(int)
    red, green, blue = out[8, 4]
    assert red > 120
    assert green < 80
    assert blue < 80
    assert out[8, 28].min() > 245


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_pixels_are_pillows(subsampling: str, progressive: bool) -> None:
    data = saved(photo(123, 77), "JPEG", subsampling=subsampling, progressive=progressive)
    assert np.array_equal(decode(data, max_pixels=CAP), read(data, mode="RGB"))


@pytest.mark.parametrize("extra", [(), ((b"gAMA", struct.pack(">I", 20_000)),), ((b"sRGB", b"\0"),)])
def test_plain_png_pixels_are_pillows(extra: tuple[tuple[bytes, bytes], ...]) -> None:
    pixels = photo(61, 33)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    assert np.array_equal(decode(png(61, 33, rows, extra=extra), max_pixels=CAP), pixels)


def test_a_png_is_intact_or_not() -> None:
    data = saved(photo(40, 30), "PNG")
    assert is_intact(data)
    assert is_intact(data + b"more")
    for end in range(0, len(data), 7):
        assert not is_intact(data[:end])
    for at in range(8, len(data), 101):
        assert not is_intact(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])


def test_grey_jpeg() -> None:
    data = saved(photo(50, 40)[..., 0], "JPEG")
    assert np.array_equal(decode(data, max_pixels=CAP), read(data, mode="RGB"))


# ── depth and transparency ──────────────────────────────────────────────────────────────────────────────


def grey16(values: list[int], *, key: int | None = None) -> bytes:
    row = b"\0" + struct.pack(f">{len(values)}H", *values)
    extra = () if key is None else ((b"tRNS", struct.pack(">H", key)),)
    return png(len(values), 1, row, depth=16, colour=0, extra=extra)


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    out = decode(grey16([0, 257, 25_700, 32_896, 65_535]), max_pixels=CAP)
    assert out[0, :, 0].tolist() == [0, 1, 100, 128, 255]
    assert out.shape == (1, 5, 3)


def test_16_bit_grey_with_a_transparent_value() -> None:
    out = decode(grey16([25_700, 25_701, 65_535], key=25_701), max_pixels=CAP)
    assert out[0, :, 3].tolist() == [255, 0, 255]
    assert out[0, :, 0].tolist() == [100, 100, 255]


def test_2_bit_grey_with_a_transparent_value() -> None:
    data = png(4, 1, b"\0\x1b", depth=2, colour=0, extra=((b"tRNS", b"\0\2"),))
    out = decode(data, max_pixels=CAP)
    assert out[0, :, 0].tolist() == [0, 85, 170, 255]
    assert out[0, :, 3].tolist() == [255, 255, 0, 255]


def test_1_bit_grey_with_a_transparent_value() -> None:
    data = png(2, 1, b"\0\x40", depth=1, colour=0, extra=((b"tRNS", b"\0\1"),))
    out = decode(data, max_pixels=CAP)
    assert out[0, :, 0].tolist() == [0, 255]
    assert out[0, :, 3].tolist() == [255, 0]


@pytest.mark.parametrize("depth", [8, 16])
def test_colour_with_a_transparent_value(depth: int) -> None:
    kind = ">3B" if depth == 8 else ">3H"
    white, red = (2**depth - 1,) * 3, (2**depth - 1, 0, 0)
    row = b"\0" + struct.pack(kind, *white) + struct.pack(kind, *red)
    data = png(2, 1, row, depth=depth, colour=2, extra=((b"tRNS", struct.pack(">3H", *red)),))
    out = decode(data, max_pixels=CAP)
    assert out[0].tolist() == [[255, 255, 255, 255], [255, 0, 0, 0]]


@pytest.mark.parametrize("alphas", [b"\x80\xff", b"\0", b"\xff\0"])
def test_palette_transparency(alphas: bytes) -> None:
    extra = ((b"PLTE", bytes([255, 0, 0, 0, 0, 255])), (b"tRNS", alphas))
    out = decode(png(2, 1, b"\0\0\1", colour=3, extra=extra), max_pixels=CAP)
    assert out[0].tolist() == [[255, 0, 0, alphas[0]], [0, 0, 255, (alphas + b"\xff")[1]]]


def test_a_transparent_gif() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    out = decode(saved(image, "GIF", transparency=1), max_pixels=CAP)
    assert out[0, :, 3].tolist() == [255, 0]
    assert out[0, 0, :3].tolist() == [10, 20, 30]


def test_grey_with_alpha() -> None:
    image = Image.fromarray(np.array([[[7, 255], [9, 40]]], np.uint8), "LA")
    assert decode(saved(image, "PNG"), max_pixels=CAP)[0].tolist() == [[7, 7, 7, 255], [9, 9, 9, 40]]


def test_an_opaque_alpha_channel_is_dropped() -> None:
    pixels = photo(8, 8, channels=4)
    pixels[..., 3] = 255
    assert decode(saved(pixels, "PNG"), max_pixels=CAP).shape == (8, 8, 3)


# ── broken and hostile ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_truncated_picture_is_refused(fmt: str) -> None:
    data = saved(photo(200, 150), fmt)
    with pytest.raises(BadImage, match=rf"mask is a broken {fmt}|mask is cut short") as refused:
        decode(data[: len(data) // 2], max_pixels=CAP, path="mask")
    assert refused.value.path == "mask"


def test_hostile_files_are_refused() -> None:
    for data in (POSTSCRIPT, b"text", zeros_png(), scan_bomb_jpeg(), animated("GIF")):
        with pytest.raises(BadImage):
            decode(data, max_pixels=CAP)


def test_garbage_exif_is_no_reason_to_refuse_pixels() -> None:
    row = b"\0" + bytes(range(6))
    data = png(2, 1, row, extra=((b"eXIf", b"not exif at all"),))
    assert decode(data, max_pixels=CAP)[0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_webp_whose_parts_disagree_is_refused() -> None:
    data = bytearray(saved(photo(33, 21, channels=4), "WEBP", lossless=True, exif=exif(1)))
    at = data.index(b"VP8X") + 12
    data[at : at + 3] = (500).to_bytes(3, "little")
    with pytest.raises(BadImage):
        decode(bytes(data), max_pixels=CAP)


FUZZED = [
    saved(photo(24, 18), "PNG"),
    saved(photo(24, 18, channels=4), "PNG", icc_profile=ADOBE, exif=exif(6)),
    saved(Image.fromarray(photo(24, 18)).quantize(16), "PNG", transparency=3),
    grey16([1, 2, 3], key=2),
    saved(photo(24, 18), "JPEG", exif=exif(6), icc_profile=ADOBE),
    saved(photo(24, 18), "JPEG", progressive=True),
    saved(Image.new("CMYK", (24, 18)), "JPEG"),
    saved(photo(24, 18, channels=4), "WEBP", lossless=True, exif=exif(6)),
    saved(photo(24, 18), "WEBP"),
    saved(photo(24, 18), "GIF"),
]


@given(
    st.sampled_from(FUZZED),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    st.floats(0.3, 1),
)
@settings(max_examples=400, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_broken_files_are_refused_or_decoded(data: bytes, changes: list[tuple[float, int]], keep: float) -> None:
    broken = bytearray(data[: int(len(data) * keep)])
    for at, value in changes:
        broken[int(at * len(broken))] = value
    try:
        pixels = decode(bytes(broken), max_pixels=1_000_000)
    except BadImage as refused:
        assert refused.details
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] in (3, 4)


def test_webp_of_an_impossible_size_is_refused() -> None:
    with pytest.raises(BadRequest, match="16,383"):
        encode(np.zeros((1, 17_000, 3), np.uint8), "webp")


def test_decodes_wait_for_the_pixel_budget() -> None:
    budget = codec._Budget(10)
    order: list[str] = []
    entered, leave = threading.Event(), threading.Event()

    def first() -> None:
        with budget.hold(8):
            entered.set()
            leave.wait()
            order.append("first")

    def second() -> None:
        entered.wait()
        with budget.hold(99):  # more than there is: waits for everything, then runs alone
            order.append("second")

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    entered.wait()
    leave.set()
    for thread in threads:
        thread.join()
    assert order == ["first", "second"]
    with budget.hold(10):
        assert order
