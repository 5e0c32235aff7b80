"""Decode, composite within a mask, encode at 4096², against Pillow alone."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from skimage import data

from bench.measure import Row, compare
from tollbrush.imaging import codec
from tollbrush.imaging.composite import composite

SIDE = 4096
ENOUGH = 40_000_000


def run() -> list[Row]:
    photo = Image.fromarray(data.astronaut()).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[1000:3000, 1000:3000] = True
    rows = []
    for fmt, answer in (("JPEG", "jpeg"), ("PNG", "png")):
        out = io.BytesIO()
        photo.save(out, fmt, quality=95)
        source = out.getvalue()
        rows.append(_row(f"{fmt} in and out at {SIDE}²", source, mask, answer, fmt))
    return rows


def _row(name: str, source: bytes, mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]], ours: str, fmt: str) -> Row:
    white = Image.fromarray(np.uint8(mask) * 255)

    def mine() -> bytes:
        pixels = codec.decode(source, max_pixels=ENOUGH)
        return codec.encode(composite(pixels, 255 - pixels, mask, 8), "jpeg" if ours == "jpeg" else "png")

    def pillow() -> bytes:
        image = Image.open(io.BytesIO(source)).convert("RGB")
        inverted = image.point(lambda v: 255 - v)
        out = io.BytesIO()
        Image.composite(inverted, image, white).save(out, fmt, quality=95)
        return out.getvalue()

    size = len(mine()) / len(pillow())
    return compare(f"{name} (size ×{size:.2f})", mine, pillow, peer_name="Pillow")
