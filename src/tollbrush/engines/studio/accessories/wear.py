"""Hats, ears, glasses, a moustache and more: put on every clear face of a photograph.

Each is a solid in the head's own frame (sprites), drawn with the photograph's light, blurred and grained like it, with
a shadow on the head under it. Hair that would stand out above a hat is taken away first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from tollbrush.engines.studio.accessories.hair import locks_over, press_hair, whiskers_colour
from tollbrush.engines.studio.accessories.head import Head, measure
from tollbrush.engines.studio.accessories.photo import Grain, Tones, blur_of, grain_of, light_on, tones_of
from tollbrush.engines.studio.accessories.sprites import caps, ears, festive, glasses, hats, whiskers
from tollbrush.engines.studio.accessories.sprites import face as worn_in_face
from tollbrush.engines.studio.accessories.sprites.mesh import Colour, Light, Part
from tollbrush.engines.studio.accessories.sprites.stage import Layer, render
from tollbrush.engines.studio.faces.find import Face, find_faces
from tollbrush.engines.studio.faces.landmarks import is_face
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

Floats = NDArray[np.float32]

_WARMTH = (0.90, 1.0, 1.05)  # light that reaches skin's shadow has gone through skin
_LEAST_INSIDE = 0.38  # share of an item's box that a picture must hold
_SHADED, _GLOWS = 0.6, 1.3  # units around an item that its shadow, or its glow, may reach
_SLANT = 0.6  # how far aside a shadow falls at most, of how far it falls down
_GREYEST = 0.004  # grain that is added even to a clean picture, so that nothing looks painted


@dataclass(frozen=True)
class _Item:
    """`pitch`: how far it leans forward (radians). `drop`: how far its shadow falls (units), `shade` how dark.
    `presses`: whether hair above it must go; `tucked`: whether it goes under the hair beside the face; `low`: whether
    it sits below the head, on what is not outlined; `glow`: how much light it gives to what is around it; `sunk`: how
    deep its foot is in the hair (units); `natural`: whether it has the hair's colour unless another is wished."""

    make: Callable[[Head, Colour], list[Part]]
    colour: Colour
    pitch: float
    drop: float
    shade: float
    presses: bool = False
    tucked: bool = False
    low: bool = False
    glow: float = 0.0
    sunk: float = 0.0
    natural: bool = False


_WARDROBE = {
    "top_hat": _Item(hats.top_hat, (0.060, 0.057, 0.066), 0.13, 0.30, 0.50, presses=True),
    "cowboy_hat": _Item(hats.cowboy_hat, (0.50, 0.31, 0.16), 0.12, 0.28, 0.50, presses=True),
    "santa_hat": _Item(festive.santa_hat, (0.70, 0.035, 0.06), 0.10, 0.16, 0.40, presses=True),
    "party_hat": _Item(festive.party_hat, (0.16, 0.42, 0.86), 0.10, 0.12, 0.35),
    "crown": _Item(festive.crown, (0.86, 0.62, 0.16), 0.16, 0.12, 0.40),
    "sunglasses": _Item(glasses.sunglasses, (0.03, 0.03, 0.034), 0.0, 0.10, 0.35, tucked=True),
    "moustache": _Item(whiskers.moustache, (0.20, 0.12, 0.07), 0.0, 0.05, 0.25, natural=True),
    "glasses": _Item(glasses.glasses, (0.10, 0.08, 0.07), 0.0, 0.08, 0.25, tucked=True),
    "heart_glasses": _Item(glasses.heart_glasses, (0.80, 0.10, 0.24), 0.0, 0.10, 0.30, tucked=True),
    "clown_nose": _Item(worn_in_face.clown_nose, (0.80, 0.05, 0.06), 0.0, 0.14, 0.35),
    "eye_patch": _Item(worn_in_face.eye_patch, (0.045, 0.04, 0.04), 0.0, 0.05, 0.30, tucked=True),
    "bow_tie": _Item(worn_in_face.bow_tie, (0.55, 0.05, 0.09), 0.0, 0.10, 0.35, low=True),
    "halo": _Item(ears.halo, (1.0, 0.78, 0.26), 0.24, 0.05, 0.0, glow=1.0),
    "cat_ears": _Item(ears.cat_ears, (0.07, 0.065, 0.07), 0.06, 0.12, 0.30, sunk=0.06),
    "bunny_ears": _Item(ears.bunny_ears, (0.98, 0.96, 0.94), 0.06, 0.12, 0.30, sunk=0.26),
    "devil_horns": _Item(ears.devil_horns, (0.62, 0.04, 0.05), 0.06, 0.12, 0.35, sunk=0.22),
    "flower_crown": _Item(ears.flower_crown, (0.86, 0.36, 0.48), 0.14, 0.12, 0.40),
    "witch_hat": _Item(hats.witch_hat, (0.055, 0.05, 0.07), 0.12, 0.28, 0.50, presses=True),
    "baseball_cap": _Item(caps.baseball_cap, (0.10, 0.17, 0.38), 0.10, 0.30, 0.50, presses=True),
    "graduation_cap": _Item(caps.graduation_cap, (0.055, 0.055, 0.065), 0.20, 0.22, 0.45, presses=True),
    "headphones": _Item(caps.headphones, (0.12, 0.12, 0.13), 0.0, 0.10, 0.35),
    "beard": _Item(whiskers.beard, (0.25, 0.155, 0.09), 0.0, 0.05, 0.20, tucked=True, natural=True),
}
KINDS = tuple(_WARDROBE)


def wear(pixels: Pixels, kind: str, colour: str | None = None) -> Pixels:
    """H×W×3|4 pixels in which every face wears `kind`, one of KINDS.

    `colour` is a CSS name or #rrggbb for its main part. Nothing changes far from the faces; over a cut-out's
    transparency the item is solid. Raises CannotHonour for an unknown kind or colour, and when there is no face."""
    item = _WARDROBE.get(kind)
    if item is None:
        raise CannotHonour(f"Nothing called '{kind}' can be worn.", advice=f"Choose one of {', '.join(KINDS)}.")
    tint = item.colour if colour is None else _colour(colour)
    faces = [face for face in find_faces(pixels) if is_face(pixels, face)]
    if not faces:
        raise CannotHonour(
            "There is no face found in this picture; accessories need one.",
            advice="Use a picture in which a face is seen from the front, larger and unhidden.",
        )
    out = pixels.copy()
    # Small faces first: those in front overlap those behind.
    seen = [_put_on(out, face, item, tint, chosen=colour is not None) for face in sorted(faces, key=lambda f: f.w)]
    if not any(seen):
        raise CannotHonour(
            f"The {kind.replace('_', ' ')} would lie outside this picture.",
            advice=f"Use a picture with more room {'below' if item.low else 'above'} the face.",
        )
    return out


def _colour(name: str) -> Colour:
    try:
        r, g, b = ImageColor.getrgb(name)[:3]
    except ValueError as error:
        raise CannotHonour(
            f"'{name}' is not a colour known here.", advice="Use a CSS colour name such as 'red', or '#rrggbb'."
        ) from error
    # Real cloth is never pure: keep white below clipping and black above nothing, so that light can model both.
    return (0.04 + 0.84 * r / 255, 0.04 + 0.84 * g / 255, 0.04 + 0.84 * b / 255)


def _put_on(pixels: Pixels, face: Face, item: _Item, tint: Colour, *, chosen: bool) -> bool:
    """Changes pixels in place; whether enough of the item is inside. A `chosen` colour is kept in a picture that has
    none."""
    head = measure(pixels, face)
    shape = (pixels.shape[0], pixels.shape[1])
    light, around = light_on(pixels, head), _GLOWS if item.glow else _SHADED
    if item.natural and not chosen:
        tint = whiskers_colour(pixels, head, light.exposure) or tint
    layer = render(
        item.make(head, tint), head, light, item.pitch, shape, hides=not item.presses, tucked=item.tucked, around=around
    )
    if layer is None or layer.inside < _LEAST_INSIDE:
        return False
    if item.sunk:
        layer = locks_over(layer, pixels, head, item.sunk)
    head = replace(head, hair=np.zeros((0, 0), np.float32))  # it was as large as the picture, and done with
    tones = tones_of(pixels, head)
    warmth = np.array(_WARMTH if tones.hues is None else (1, 1, 1), np.float32)
    if chosen:
        tones = replace(tones, hues=None)
    grain = grain_of(pixels, head)
    layer = _photographed(layer, tones, blur_of(pixels, head, grain), grain)
    if item.presses:
        head = press_hair(pixels, head, layer)
    window = pixels[layer.rows, layer.columns]
    under: Floats = window[..., :3].astype(np.float32) / np.float32(255)
    under *= 1 - _shadow(layer, head, item, light)[..., None] * warmth
    if item.glow:
        under = _lit(under, layer, head, item.glow)
    # What a cut-out lets through behind the item is the item's share alone (Porter and Duff 1984: over).
    seen = (window[..., 3:] / np.float32(255) if window.shape[2] == 4 else np.float32(1)) * (1 - layer.rgba[..., 3:])
    solid = layer.rgba[..., 3:] + seen
    mixed = (under * seen + layer.rgba[..., :3]) / np.maximum(solid, np.float32(1e-6))
    window[..., :3] = np.clip(mixed * 255 + 0.5, 0, 255).astype(np.uint8)
    window[..., 3:] = np.clip(solid * 255 + 0.5, 0, 255)[..., : window.shape[2] - 3].astype(np.uint8)
    return True


def _photographed(layer: Layer, tones: Tones, blur: float, grain: Grain) -> Layer:
    """The layer in the photograph's tones, as soft and as grainy as what is around it."""
    rgba = np.asarray(cv2.GaussianBlur(tones.rendered(layer.rgba), (0, 0), blur), np.float32)
    noise = np.random.default_rng(5).standard_normal(rgba.shape[:2]).astype(np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), grain.size), np.float32)
    noise *= max(grain.strength, _GREYEST) / max(float(noise.std()), 1e-6)
    rgba[..., :3] = np.clip(rgba[..., :3] + noise[..., None] * rgba[..., 3:], 0, rgba[..., 3:])
    return replace(layer, rgba=rgba)


def _shadow(layer: Layer, head: Head, item: _Item, light: Light) -> Floats:
    """0…1, on the head alone: what is behind it is too far away to be shaded. A wide soft part that falls away from the
    light, and a narrow one where the two touch."""
    cover = layer.rgba[..., 3]
    down = item.drop * head.unit
    aside = float(np.clip(light.direction[0] / light.direction[1], -_SLANT, _SLANT)) * down
    move = np.array([[1, 0, aside], [0, 1, down]], np.float32)
    fallen = cv2.warpAffine(cover, move, cover.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(fallen, (0, 0), max(0.4 * item.drop * head.unit, 0.6))
    touch = cv2.GaussianBlur(cover, (0, 0), max(0.05 * head.unit, 0.6))
    dark = item.shade * np.maximum(soft, 0.8 * touch)
    return np.asarray(dark if item.low else dark * head.outline[layer.rows, layer.columns], np.float32)


def _lit(under: Floats, layer: Layer, head: Head, glow: float) -> Floats:
    """The picture under a layer that gives light: brighter where the head is near it, and a haze around."""
    rays = cv2.GaussianBlur(layer.rgba[..., :3], (0, 0), 0.30 * head.unit)
    fallen = 3.0 * rays * head.outline[layer.rows, layer.columns, None]
    haze = 0.55 * rays + 0.55 * cv2.GaussianBlur(layer.rgba[..., :3], (0, 0), 0.09 * head.unit)
    lit = np.minimum(under * (1 + glow * fallen), np.maximum(under, 1))
    return np.asarray(lit + (1 - np.minimum(lit, 1)) * np.minimum(glow * haze, 1), np.float32)
