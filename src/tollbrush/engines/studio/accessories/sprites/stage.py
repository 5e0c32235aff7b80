"""Puts a wearable's parts on a head: turns, places and draws them in a window of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tollbrush.engines.studio.accessories.head import Head
from tollbrush.engines.studio.accessories.sprites.mesh import Buffer, Floats, Light, Part, Surface, draw, draw_strands

_MOST = 6_000_000  # pixels drawn, oversampled
_OVERSAMPLED = 3.0
_BACK, _CURTAIN = -0.05, 0.95  # how far before its axis the head hides things, and hair beside the face does (units)
_NECK = np.array([0, -0.92, 0], np.float32)  # what `pitch` turns about


@dataclass(frozen=True)
class Layer:
    """What was drawn: `rgba` h×w×4 premultiplied float32 0…1, for the picture's `rows` and `columns`. `inside` is
    the share of the box around the wearable that the picture holds."""

    rgba: Floats
    rows: slice
    columns: slice
    inside: float


def render(
    parts: list[Part],
    head: Head,
    light: Light,
    pitch: float,
    shape: tuple[int, int],
    *,
    hides: bool = True,
    tucked: bool = False,
    around: float = 0.6,
) -> Layer | None:
    """The parts, bent forward by `pitch` radians. `hides`: whether the head hides what is behind it; `tucked`: whether
    the hair beside the face hides what runs to the ears. `around`: units of picture about them that the layer holds
    for shadow and glow. None when all fall outside the picture of `shape` (h, w)."""
    placed = [_placed(part, head, pitch) for part in parts]
    flat = np.concatenate([points.reshape(-1, 3) for points in placed])
    lowest, highest = flat[:, :2].min(axis=0), flat[:, :2].max(axis=0)
    held = np.clip(highest, 0, [shape[1], shape[0]]) - np.clip(lowest, 0, [shape[1], shape[0]])
    inside = float(np.prod(held / np.maximum(highest - lowest, 1e-3)))
    margin = around * head.unit
    lowest, highest = lowest - margin, highest + margin
    left, top = (int(v) for v in np.clip(lowest, 0, [shape[1], shape[0]]))
    right, bottom = (int(v) for v in np.clip(np.ceil(highest), 0, [shape[1], shape[0]]))
    w, h = right - left, bottom - top
    if w < 2 or h < 2:
        return None
    scale = min(_OVERSAMPLED, float(np.sqrt(_MOST / (w * h))))
    size = max(2, round(w * scale)), max(2, round(h * scale))
    step = np.array([size[0] / w, size[1] / h], np.float32)
    buffer = Buffer.of(size[1], size[0])
    if hides:
        solid = cv2.resize(head.outline[top:bottom, left:right], size, interpolation=cv2.INTER_LINEAR) > 0.5
        buffer.depth[solid] = _BACK * head.unit
    if tucked:
        beside = cv2.resize(head.hair[top:bottom, left:right], size, interpolation=cv2.INTER_LINEAR) > 0.5
        buffer.depth[beside] = _CURTAIN * head.unit
    for part, points in zip(parts, placed, strict=True):
        turned = points / head.unit
        spot = points.copy()
        spot[..., :2] = (points[..., :2] - np.array([left, top], np.float32)) * step
        if isinstance(part, Surface):
            draw(buffer, part, turned, spot, light)
        else:
            draw_strands(buffer, part, turned, spot, float(step[0]) * head.unit, light)
    buffer.rgba[..., :3] *= buffer.rgba[..., 3:]
    way = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    rgba = np.asarray(cv2.resize(buffer.rgba, (w, h), interpolation=way), np.float32)
    return Layer(rgba, slice(top, bottom), slice(left, right), inside)


def _placed(part: Part, head: Head, pitch: float) -> Floats:
    """A part's points in the picture: x, y in pixels, and depth in the same measure."""
    points = part.points if isinstance(part, Surface) else part.paths
    c, s = np.cos(pitch), np.sin(pitch)
    forward = np.array([[1, 0, 0], [0, c, s], [0, -s, c]], np.float32)
    bent = head.facing(np.asarray((points - _NECK) @ forward.T + _NECK, np.float32))
    out = np.empty(points.shape, np.float32)
    out[..., :2] = head.to_pixels(np.asarray(bent[..., :2], np.float32))
    out[..., 2] = bent[..., 2] * head.unit
    return out
