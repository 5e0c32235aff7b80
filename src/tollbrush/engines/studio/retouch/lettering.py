"""Words written on a picture, legible on any ground; and watermarks."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tollbrush.engines.studio.pixels.strips import enlarged, reduced, strips
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.plans.treatments import Write

    Map = NDArray[np.float32]

RGB = tuple[int, int, int]
_LINE: Final = 1 / 14  # height of a line, of the picture's height (or of its width, where that is less)
_SMALLEST: Final = 9  # pixels: below this nothing can be read
_MARGIN: Final = 0.045  # of the shorter side
_LEADING: Final = 1.25
_GROUND_SIDE: Final = 512  # longer side at which it is seen how light the ground is
_MOST_LINES: Final = 6
_WHITE: Final = (255, 255, 255)
_BLACK: Final = (16, 16, 18)


def written(pixels: Pixels, write: Write) -> Pixels:
    """H×W×3|4 pixels with the words on them. Raises CannotHonour for letters that the font lacks, and when the text
    does not fit legibly."""
    text = " ".join(unicodedata.normalize("NFC", write.text).split())
    missing = [letter for letter in dict.fromkeys(text) if not _has(letter)]
    if not text or missing:
        lacking = f"the letters {' '.join(missing[:8])}" if missing else "an empty text"
        raise CannotHonour(f"The studio cannot write {lacking}.", advice="Use Latin, Greek or Cyrillic letters.")
    colour = None if write.colour is None else write.colour.rgb
    if write.watermark:
        return _watermarked(pixels, text, write.scale, colour)
    cover = _placed(pixels.shape[:2], text, write.place, write.scale)
    return _inked(pixels, cover, colour)


def _placed(shape: tuple[int, ...], text: str, place: str, scale: float) -> Map:
    """The text's coverage, H×W 0..1, at its place; smaller, then in lines, where it is too wide."""
    height, width = shape[:2]
    margin = max(1, round(_MARGIN * min(height, width)))
    room_x, room_y = width - 2 * margin, height - 2 * margin
    size = max(_SMALLEST, _LINE * scale * min(height, 1.5 * width))
    lines = _lines(text, size, room_x)
    while (len(lines) > 2 or not _fits(lines, size, room_x, room_y)) and size * 0.9 >= _least(height):
        size *= 0.9
        lines = _lines(text, size, room_x)
    if len(lines) > _MOST_LINES or not _fits(lines, size, room_x, room_y):
        raise CannotHonour(
            f"The text of {len(text)} letters does not fit legibly on a picture of {width}x{height}.",
            advice="Write less, or use a larger picture.",
        )
    step = size * _LEADING
    block = step * (len(lines) - 1) + size
    top = margin if "top" in place else height - margin - block if "bottom" in place else (height - block) / 2
    image = Image.new("L", (width, height))
    draw = ImageDraw.Draw(image)
    font = _font(size)
    for i, line in enumerate(lines):
        wide = font.getlength(line)
        left = margin if "left" in place else width - margin - wide if "right" in place else (width - wide) / 2
        draw.text((left, top + i * step + 0.80 * size), line, 255, font, anchor="ls")
    return np.asarray(image, np.float32) / np.float32(255)


def _least(height: int) -> float:
    return max(_SMALLEST, height / 60)


def _fits(lines: list[str], size: float, wide: int, high: int) -> bool:
    font = _font(size)
    return all(font.getlength(line) <= wide for line in lines) and size * (_LEADING * (len(lines) - 1) + 1) <= high


def _lines(text: str, size: float, wide: int) -> list[str]:
    """Filled word by word."""
    font = _font(size)
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > wide:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _inked(pixels: Pixels, cover: Map, colour: RGB | None) -> Pixels:
    """In white or black, whichever the ground lets be read better, or in a colour; with a soft shade of the opposite
    lightness around it, and a fine line of it where the ground is busy or close to the colour."""
    rows, columns = _box(cover)
    window = pixels[rows, columns].astype(np.float32)
    ink = cover[rows, columns]
    ground = _luminance(window[..., :3])
    behind = ground[ink > 0.3] if (ink > 0.3).any() else ground.ravel()
    level = float(np.median(behind))
    if colour is None:
        colour = _WHITE if level < 150 else _BLACK
    own = float(_luminance(np.array(colour, np.float32)))
    shade = np.array(_BLACK if own > 110 else _WHITE, np.float32)
    contrast = float(np.percentile(np.abs(behind - own), 5))
    size = _thickness(ink)
    halo = np.clip(2.2 * cv2.GaussianBlur(ink, (0, 0), max(1.6 * size, 0.6)), 0, 1) * np.clip(
        1.1 - contrast / 260, 0, 0.6
    )
    line = np.zeros_like(ink)
    if contrast < 110:
        reach = max(1, round(0.35 * size))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
        line = cv2.GaussianBlur(cv2.dilate(ink, disc), (0, 0), 0.5) * min(1.0, (130 - contrast) / 60)
    dark = np.maximum(halo, line)[..., None]
    window[..., :3] += (shade - window[..., :3]) * dark
    window[..., :3] += (np.array(colour, np.float32) - window[..., :3]) * ink[..., None]
    window[..., 3:] = np.maximum(window[..., 3:], 255 * np.maximum(ink, line)[..., None])
    result = pixels.copy()
    result[rows, columns] = np.clip(window + 0.5, 0, 255)
    return result


def _watermarked(pixels: Pixels, text: str, scale: float, colour: RGB | None) -> Pixels:
    """The text faint and slanting, all over: lighter on dark ground, darker on light."""
    height, width = pixels.shape[:2]
    size = max(_SMALLEST, 0.05 * scale * max(height, width))
    font = _font(size)
    step_x, step_y = font.getlength(text) + 3 * size, 4.0 * size
    side = int(np.hypot(height, width)) + 1
    if step_x > 3 * side:
        raise CannotHonour(f"A watermark of {len(text)} letters is too long.", advice="Use a name.")
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    for i in range(int(side / step_y) + 2):
        shift = -step_x * (0.5 if i % 2 else 0.0)
        for j in range(int(side / step_x) + 2):
            draw.text((shift + j * step_x, i * step_y), text, 255, font, anchor="ls")
    move = cv2.getRotationMatrix2D((side / 2, side / 2), 30, 1)
    move[:, 2] += (width - side) / 2, (height - side) / 2
    cover = np.asarray(cv2.warpAffine(np.asarray(image), move, (width, height)), np.uint8)
    small = reduced(pixels, _GROUND_SIDE)
    soft = 0.5 * size * max(small.shape[:2]) / max(height, width)
    ground = np.asarray(cv2.GaussianBlur(_luminance(255 * small), (0, 0), max(soft, 0.5)), np.float32)
    result = pixels.copy()
    for rows in strips(height):
        own = np.where(enlarged(ground, rows, height, width) < 140, np.float32(255), np.float32(0))[..., None]
        tint = own if colour is None else np.array(colour, np.float32)
        share = np.float32(0.30 / 255) * cover[rows, :, None]
        before = pixels[rows, :, :3]
        result[rows, :, :3] = np.clip(before + (tint - before) * share + 0.5, 0, 255)
    return result


@lru_cache(maxsize=64)
def _font(size: float) -> ImageFont.FreeTypeFont:
    """Inter SemiBold (SIL Open Font License): Latin with every accent, Greek and Cyrillic."""
    return ImageFont.truetype(BytesIO(_font_file()), size)


@cache
def _font_file() -> bytes:
    return (files("tollbrush.engines.studio.retouch") / "fonts" / "Inter-SemiBold.woff2").read_bytes()


@lru_cache(maxsize=1024)
def _has(letter: str) -> bool:
    """Whether the font draws this letter, and not the box that stands for any it lacks."""
    if letter == " ":
        return True
    font = _font(32.0)
    shown, unknown = (bytes(font.getmask(text)) for text in (letter, "\U0010fffe"))
    return shown != unknown and any(shown)


def _thickness(ink: Map) -> float:
    """Of the letters' strokes, pixels."""
    depth = cv2.distanceTransform((ink > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    inside = depth[depth > 0]
    return max(1.0, 2 * float(np.percentile(inside, 80))) if inside.size else 1.0


def _box(cover: Map) -> tuple[slice, slice]:
    """Around the letters, with room for their shade."""
    ys, xs = np.flatnonzero(cover.any(axis=1)), np.flatnonzero(cover.any(axis=0))
    if not len(ys):
        return slice(0, cover.shape[0]), slice(0, cover.shape[1])
    margin = max(4, (int(ys[-1]) - int(ys[0])) // 2)
    return (
        slice(max(0, int(ys[0]) - margin), int(ys[-1]) + margin + 1),
        slice(max(0, int(xs[0]) - margin), int(xs[-1]) + margin + 1),
    )


def _luminance(rgb: Map) -> Map:
    return np.asarray(rgb @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)
