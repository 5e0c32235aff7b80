"""What surrounds every edit, at 4096²: decode, turn upright, convert Display P3, fit, composite within a mask, encode;
against Pillow doing the same. The edited picture is given, as an engine gives it.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms, ImageFilter, ImageOps
from skimage import color, data

from bench.measure import Row, compare
from tollbrush.domain.edits import EditRequest, OutputFormat, Size
from tollbrush.editing.pixels import feather_radius, finish, prepare
from tollbrush.engines.interface import Capabilities, EditedImage
from tollbrush.settings import LimitSettings

SIZE = Size(4096, 4096)
SHOT = Size(4608, 4096)
"""As the camera's sensor sees it; it lies in the file on its side."""
ENGINE = Capabilities(generative=False, alpha=True)
SRGB = ImageCms.createProfile("sRGB")
Pixels = NDArray[np.uint8]


def run() -> list[Row]:
    shot, mask = photograph(), blot()
    edited = Image.fromarray(255 - np.asarray(shot.crop((256, 0, 256 + SIZE.width, SIZE.height))))
    pairs: list[tuple[str, OutputFormat]] = [("JPEG", "jpeg"), ("JPEG", "png"), ("PNG", "png")]
    return [_row(lying(shot, fmt), mask, edited, fmt, output) for fmt, output in pairs]


def photograph() -> Image.Image:
    """A photograph at a camera's size, with a sensor's grain."""
    smooth = Image.fromarray(data.astronaut()).resize((SHOT.width, SHOT.height), Image.Resampling.LANCZOS)
    grain = np.random.default_rng(0).normal(0, 2, (SHOT.height, SHOT.width, 1))
    return Image.fromarray(np.clip(np.asarray(smooth) + np.rint(grain), 0, 255).astype(np.uint8))


def blot() -> bytes:
    """A mask as people paint it: one large soft-cornered shape."""
    mask = Image.new("L", (SHOT.width, SHOT.height), 0)
    mask.paste(255, (1404, 1200, 3204, 3000))
    out = io.BytesIO()
    mask.filter(ImageFilter.GaussianBlur(200)).point(lambda v: 255 * (v >= 128)).save(out, "PNG")
    return out.getvalue()


def lying(image: Image.Image, fmt: str) -> bytes:
    """As a telephone saves it: on its side, with a note which way is up and the profile of its screen."""
    note = Image.Exif()
    note[0x0112] = 6
    out, options = io.BytesIO(), {"quality": 95} if fmt == "JPEG" else {"compress_level": 1}
    turned = image.transpose(Image.Transpose.ROTATE_90)
    turned.save(out, fmt, exif=note, icc_profile=display_p3(), **options)
    return out.getvalue()


def _row(source: bytes, mask: bytes, edited: Image.Image, fmt: str, output: OutputFormat) -> Row:
    request = EditRequest(None, "x", (source,), mask, SIZE, seed=1, output_format=output)
    answer, limits = EditedImage(np.asarray(edited)), LimitSettings()

    def ours() -> bytes:
        return finish(prepare(request, ENGINE, None, limits), answer).data

    def pillow() -> bytes:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(source)))
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        image = ImageCms.profileToProfile(image, profile, SRGB, renderingIntent=intent) or image
        image = ImageOps.fit(image, (SIZE.width, SIZE.height), Image.Resampling.LANCZOS)
        bounds = ImageOps.fit(Image.open(io.BytesIO(mask)), image.size).point(lambda v: 255 * (v >= 128))
        soft = bounds.filter(ImageFilter.GaussianBlur(feather_radius(SIZE))).point(lambda v: max(0, 2 * v - 255))
        out = io.BytesIO()
        options = {"quality": 95, "subsampling": 0} if output == "jpeg" else {}
        Image.composite(edited, image, ImageChops.multiply(soft, bounds)).save(out, output, **options)
        return out.getvalue()

    mine, theirs = ours(), pillow()
    name = (
        f"{fmt} in, {output.upper()} out at {SIZE} (size ×{len(mine) / len(theirs):.2f}, ΔE {apart(mine, theirs):.2f})"
    )
    return compare(name, ours, pillow, peer_name="Pillow")


def apart(one: bytes, other: bytes) -> float:
    """The mean CIEDE2000 of every 16th pixel: below 1 nobody sees a difference."""
    first, second = (color.rgb2lab(np.asarray(Image.open(io.BytesIO(file)))[::16, ::16]) for file in (one, other))
    return float(color.deltaE_ciede2000(first, second).mean())


def display_p3() -> bytes:
    """Display P3 as a matrix profile (ICC v2): its three colours under D50, sRGB's curve as a table."""
    x = np.linspace(0, 1, 1024)
    light = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    curve = b"curv\0\0\0\0" + struct.pack(">I1024H", 1024, *np.rint(light * 65535).astype(int))
    colours = {b"r": (0.51512, 0.24120, -0.00105), b"g": (0.29198, 0.69225, 0.04189), b"b": (0.15710, 0.06657, 0.78407)}
    white = (0.9642, 1.0, 0.82491)
    tags = {b"desc": b"desc\0\0\0\0\0\0\0\x03P3\0" + bytes(78 + 3), b"wtpt": _xyz(white)}
    tags |= {name + b"XYZ": _xyz(point) for name, point in colours.items()} | {n + b"TRC": curve for n in colours}
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for key, value in tags.items():
        table += key + struct.pack(">II", at + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4xI4s4s4s12x4s28x", at + len(body), 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return head + _xyz(white)[8:] + bytes(48) + struct.pack(">I", len(tags)) + table + body


def _xyz(point: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in point))
