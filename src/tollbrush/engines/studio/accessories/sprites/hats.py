"""Hats with a brim. Each maker gets the head and a colour and returns parts in the head's frame;
`a` is the half width of the head under the hat."""

from __future__ import annotations

from typing import Any

import numpy as np

from tollbrush.engines.studio.accessories.head import Head
from tollbrush.engines.studio.accessories.sprites.mesh import Colour, Floats, Part, Surface
from tollbrush.engines.studio.accessories.sprites.shapes import (
    AROUND,
    DEEP,
    around,
    cord,
    edge,
    grid,
    lid,
    near_dark,
    ramp,
    rgb,
    ring,
    rows_open,
    wall,
)

_BASE = -0.92  # where the crown meets the brim, at the sides
_SILK: dict[str, Any] = {"gloss": 0.20, "rough": 0.42, "sheen": 0.12, "noise": 0.05}
_FELT: dict[str, Any] = {"gloss": 0.05, "rough": 0.5, "sheen": 0.10, "noise": 0.07}


def top_hat(head: Head, colour: Colour) -> list[Part]:
    """A silk hat: flared crown, satin band, narrow brim curled up at the sides. Lower where the picture ends soon."""
    a, phi, cloth = head.half_width, around(), rgb(colour)
    tall = float(np.clip(head.room + _BASE - 0.2, 1.35, 2.1))
    side = wall(phi, [(0, 1), (0.3 * tall, 0.97), (0.6 * tall, 0.985), (0.85 * tall, 1.03), (tall, 1.08)], a, _BASE)
    crown = Surface(side, cloth, open=rows_open(near_dark(60, 0.55, 0.3), side), **_SILK)
    top = Surface(lid(phi, 1.08 * a, _BASE - tall, rise=0.03), cloth, **_SILK)
    ribbon = rgb((0.34, 0.05, 0.08)) if max(colour) < 0.3 else 0.35 * cloth
    brim = _brim(phi, a, width=(0.72, 0.60), curl=0.44, dip=0.10)
    leaf = Surface(brim, cloth, open=rows_open(near_dark(30, 0.5, 0.4), brim), **_SILK)
    return [crown, top, _band(phi, a, 0.985, 0.38, ribbon), leaf, edge(brim[-1], 0.035, 1.2 * cloth, **_SILK)]


def cowboy_hat(head: Head, colour: Colour) -> list[Part]:
    """A cattleman: creased and pinched crown, wide brim rolled up at the sides."""
    a, phi, felt = head.half_width, around(), rgb(colour)
    tall = float(np.clip(head.room + _BASE - 0.1, 1.45, 1.75))
    t = ramp(0, 1, 90)
    radius = np.interp(t, [0, 0.45, 0.62, 0.72, 1], [1, 0.93, 0.86, 0.74, 0.0]).astype(np.float32)
    height = np.interp(t, [0, 0.45, 0.62, 0.72, 1], [0, 0.72, 0.95, 1.0, 0.97]).astype(np.float32)
    points = ring(phi, a * radius, _BASE - tall * height)
    x, z = points[..., 0] / a, points[..., 2] / (DEEP * a)
    high = np.clip((height - 0.35) / 0.6, 0, 1)
    points[..., 0] *= 1 - 0.26 * high * np.clip(z + 0.15, 0, 1)
    crease = np.exp(-((x / 0.24) ** 2)) * np.clip((height - 0.8) / 0.2, 0, 1)
    dents = np.exp(-(((np.abs(x) - 0.62) / 0.2) ** 2) - ((z - 0.45) / 0.4) ** 2) * high
    points[..., 1] += tall * (0.26 * crease + 0.05 * dents + 0.06 * high * np.clip(z, 0, 1))
    points[..., 2] -= 0.16 * dents + 0.25 * high * np.clip(z, 0, 1)
    shade = rows_open(near_dark(90, 0.6, 0.25), points) * (1 - 0.45 * crease - 0.3 * dents)
    crown = Surface(points, felt, open=np.asarray(shade, np.float32), **_FELT)
    brim = _brim(phi, a, width=(1.0, 1.12), curl=0.78, dip=0.16)
    leaf = Surface(brim, felt, open=rows_open(near_dark(30, 0.5, 0.35), brim), **_FELT)
    band = _band(phi, a, 0.975, 0.2, 0.35 * felt)
    return [crown, band, leaf, edge(brim[-1], 0.03, 0.85 * felt, **_FELT)]


def witch_hat(head: Head, colour: Colour) -> list[Part]:
    """A tall cone whose tip has given way, with a buckled band and a wide flat brim."""
    a, phi, felt = head.half_width, around(), rgb(colour)
    tall = float(np.clip(head.room + _BASE - 0.15, 1.6, 2.7))
    t = ramp(0, 1, 120)
    radius = a * (1 - t) ** 0.88 + 0.02
    bend = 0.55 * np.clip((t - 0.5) / 0.5, 0, 1) ** 2
    folds = 0.03 * np.sin(20 * t + 1.5 * np.sin(phi)) * np.clip(4 * t, 0, 1) * np.clip(4 * (1 - t), 0, 1)
    points = ring(phi, np.asarray(radius + folds, np.float32), _BASE - tall * (t - 0.10 * bend))
    points[..., 0] += bend
    shade = rows_open(near_dark(120, 0.55, 0.2), points) * (1 + 4 * folds)
    cone = Surface(points, felt, open=np.asarray(shade, np.float32), **_FELT)
    brim = _brim(phi, a, width=(0.95, 0.95), curl=0.16, dip=0.16)
    leaf = Surface(brim, felt, open=rows_open(near_dark(30, 0.5, 0.35), brim), **_FELT)
    band = _band(phi, a, 0.86, 0.26, rgb((0.36, 0.16, 0.50)) if max(colour) < 0.3 else 0.35 * felt)
    gold = rgb((0.80, 0.60, 0.18))
    box = np.array([[-0.17, 0.0], [0.17, 0.0], [0.17, -0.30], [-0.17, -0.30], [-0.17, 0.0]], np.float32)
    z = DEEP * a * (1.03 - 0.10 * -box[:, 1]) + 0.02
    buckle = cord(np.column_stack([box[:, 0], _BASE + 0.02 + box[:, 1], z]).astype(np.float32), 0.035, up=(0, 0, 1))
    metal = Surface(buckle, gold, metal=True, gloss=0.4, rough=0.2, noise=0.0)
    return [cone, band, leaf, edge(brim[-1], 0.03, 0.9 * felt, **_FELT), metal]


def _brim(phi: Floats, a: float, width: tuple[float, float], curl: float, dip: float) -> Floats:
    """A brim, `width` in front and at the sides, rolled up by `curl` at the sides and dipped by `dip` in front."""
    s = ramp(0, 1, 30)
    front, side = np.cos(phi) ** 2, np.sin(phi) ** 2
    reach = s * (width[0] * front + width[1] * side)
    lift = curl * side * s**2.1 - dip * front * s**1.4
    return grid((a + reach) * np.sin(phi), _BASE - lift, (DEEP * a + reach) * np.cos(phi))


def _band(phi: Floats, a: float, narrow: float, high: float, colour: Floats) -> Surface:
    """A ribbon around the foot of the crown, `narrow` the crown's radius at its upper rim."""
    up = ramp(0, 1, 16)
    points = ring(phi, a * (1.012 + (narrow - 0.99) * up), _BASE - high * up)
    dark = np.broadcast_to(0.6 + 0.4 * np.sqrt(up), (16, AROUND))
    return Surface(points, colour, open=np.asarray(dark, np.float32), gloss=0.22, rough=0.3, noise=0.02)
