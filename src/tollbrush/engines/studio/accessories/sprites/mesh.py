"""Solid wearables: parametric surfaces, shaded per vertex and drawn with a depth buffer.

A surface is a grid of points (rows × columns × 3) in the head's frame: x right, y down, z towards the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.pixels.kernels import kernel

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """`direction` to the light, unit length; `ambient` is the share of light from everywhere; `tint` its colour."""

    direction: Colour = (-0.45, -0.62, 0.64)
    ambient: float = 0.48
    tint: Colour = (1.0, 1.0, 1.0)
    exposure: float = 1.0


@dataclass(frozen=True)
class Surface:
    """`colour` is one for all or rows × columns × 3, 0…1. `open` is 0…1 per vertex, what light reaches it (ambient
    occlusion); `cut` drops vertices below 0.5. `gloss` scales the highlight of width `rough`, `sheen` brightens grazing
    angles (velvet, felt), `metal` mirrors a studio instead of scattering, `shines` gives its own light, whitest where
    it is thickest; `noise` is a speckle per vertex, `alpha` below 1 lets the picture through."""

    points: Floats
    colour: Floats
    open: Floats | float = 1.0
    cut: Floats | None = None
    gloss: float = 0.15
    rough: float = 0.25
    sheen: float = 0.0
    metal: bool = False
    shines: bool = False
    noise: float = 0.03
    alpha: float = 1.0


@dataclass(frozen=True)
class Strands:
    """Hairs: `paths` n×k×3 from root to tip, `colour` n×3, `width` of the root in units."""

    paths: Floats
    colour: Floats
    width: float = 0.012
    gloss: float = 0.15


Part = Surface | Strands


@dataclass
class Buffer:
    """What is drawn so far: `rgba` H×W×4 (colour 0…1, coverage), `depth` H×W, larger is nearer."""

    rgba: Floats
    depth: Floats
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))

    @classmethod
    def of(cls, h: int, w: int) -> Buffer:
        return cls(np.zeros((h, w, 4), np.float32), np.full((h, w), -1e9, np.float32))


def normals(points: Floats) -> Floats:
    """Unit normals of a grid, turned towards the viewer: all surfaces have two sides."""
    down = np.gradient(points, axis=0)
    across = np.gradient(points, axis=1)
    n = np.cross(across, down)
    length = np.linalg.norm(n, axis=2, keepdims=True)
    n = np.where(length > 1e-9, n / np.maximum(length, 1e-9), np.array([0, 0, 1], np.float32))  # a pole has none
    return np.asarray(np.where(n[..., 2:] < 0, -n, n), np.float32)


def shade(surface: Surface, points: Floats, light: Light, random: np.random.Generator) -> Floats:
    """Colours rows × columns × 3 of points already turned to the viewer: half-Lambert with a sky above, and Blinn's
    highlight."""
    n = normals(points)
    if surface.shines:
        colour = np.broadcast_to(surface.colour, n.shape)
        return np.asarray(colour + (1 - colour) * 0.85 * n[..., 2:] ** 3, np.float32)
    towards = np.array(light.direction, np.float32)
    open_ = np.broadcast_to(np.asarray(surface.open, np.float32), n.shape[:2])
    facing = n @ towards
    direct = np.clip((facing + 0.25) / 1.25, 0, 1) * open_
    sky = light.ambient * (0.75 - 0.35 * n[..., 1]) * open_
    half = towards + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    highlight = surface.gloss * np.clip(n @ half, 0, 1) ** (2 / surface.rough**2) * open_
    grazing = surface.sheen * (1 - n[..., 2]) ** 3 * open_
    lit = (direct * (1 - light.ambient) * 1.35 + sky)[..., None]
    colour = np.broadcast_to(surface.colour, n.shape)
    if surface.metal:
        lit = _mirror(n, open_)[..., None]
    speckle = 1 + surface.noise * random.standard_normal(n.shape[:2]).astype(np.float32)
    shaded = colour * lit * speckle[..., None] + (highlight + grazing)[..., None]
    return np.asarray(shaded * np.array(light.tint, np.float32) * light.exposure, np.float32)


def _mirror(n: Floats, open_: Floats) -> Floats:
    """Brightness of a studio seen in a mirror: two soft boxes, a bright ceiling, a dark floor."""
    x, y = 2 * n[..., 2] * n[..., 0], 2 * n[..., 2] * n[..., 1]
    boxes = 1.0 * np.exp(-(((x + 0.75) / 0.22) ** 2)) + 0.55 * np.exp(-(((x - 0.85) / 0.13) ** 2))
    room = 0.62 - 0.34 * y + 0.14 * np.cos(5 * x)
    return np.asarray((room + boxes) * (0.35 + 0.65 * open_), np.float32)


def draw(buffer: Buffer, surface: Surface, turned: Floats, placed: Floats, light: Light) -> None:
    """Draws a surface. `turned` are its points turned to the viewer (for light), `placed` in buffer pixels, with the
    depth in units as third."""
    rows, columns = placed.shape[:2]
    colour = shade(surface, turned, light, buffer.random)
    cut = np.ones((rows, columns), np.float32) if surface.cut is None else surface.cut.astype(np.float32)
    vertices = np.ascontiguousarray(np.concatenate([placed, colour, cut[..., None]], axis=2).reshape(-1, 7), np.float32)
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    upper = np.stack([corner, corner + 1, corner + columns], 1)
    lower = np.stack([corner + 1, corner + columns + 1, corner + columns], 1)
    triangles = np.concatenate([upper, lower]).astype(np.int32)
    _raster(vertices, triangles, buffer.rgba, buffer.depth, np.float32(surface.alpha))


def draw_strands(buffer: Buffer, strands: Strands, turned: Floats, placed: Floats, scale: float, light: Light) -> None:
    """Draws hairs as tapering ribbons, lit after Kajiya and Kay (1989). `scale` is buffer pixels per unit."""
    n, k = placed.shape[:2]
    along = np.gradient(turned, axis=1)
    along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-9)
    cosine = along @ np.array(light.direction, np.float32)
    diffuse = np.sqrt(np.maximum(1 - cosine**2, 0))
    lit = light.ambient + (1 - light.ambient) * diffuse
    root = np.linspace(0.72, 1.05, k, dtype=np.float32)
    vary = 1 + 0.16 * buffer.random.standard_normal((n, 1)).astype(np.float32)
    colour = strands.colour[:, None, :] * (lit * root * vary)[..., None] + strands.gloss * (diffuse**24)[..., None]
    colour = colour * np.array(light.tint, np.float32) * light.exposure
    step = np.gradient(placed[..., :2], axis=1)
    side = np.stack([-step[..., 1], step[..., 0]], 2)
    side /= np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-6)
    half = max(0.5 * strands.width * scale, 0.45) * np.linspace(1, 0.25, k, dtype=np.float32)[None, :, None]
    edges = []
    for sign in (-1.0, 1.0):
        xy = placed[..., :2] + sign * half * side
        edges.append(np.concatenate([xy, placed[..., 2:], colour, np.ones((n, k, 1), np.float32)], axis=2))
    vertices = np.ascontiguousarray(np.concatenate([e.reshape(-1, 7) for e in edges]), np.float32)
    first = (np.arange(n)[:, None] * k + np.arange(k - 1)).ravel()
    other = first + n * k
    triangles = np.concatenate([np.stack([first, first + 1, other], 1), np.stack([first + 1, other + 1, other], 1)])
    _raster(vertices, triangles.astype(np.int32), buffer.rgba, buffer.depth, np.float32(1))


@kernel
def _raster(vertices: Floats, triangles: Ints, rgba: Floats, depth: Floats, alpha: np.float32) -> None:
    """Triangles of vertices (x, y, depth, r, g, b, cut), nearest wins; cut below a half is a hole."""
    h, w = depth.shape
    for k in range(len(triangles)):
        a, b, c = vertices[triangles[k, 0]], vertices[triangles[k, 1]], vertices[triangles[k, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if abs(area) < 1e-9:
            continue
        left, right = max(int(min(a[0], b[0], c[0])), 0), min(int(max(a[0], b[0], c[0])) + 1, w - 1)
        top, bottom = max(int(min(a[1], b[1], c[1])), 0), min(int(max(a[1], b[1], c[1])) + 1, h - 1)
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                px, py = x + 0.5, y + 0.5
                wa = ((b[0] - px) * (c[1] - py) - (b[1] - py) * (c[0] - px)) / area
                wb = ((c[0] - px) * (a[1] - py) - (c[1] - py) * (a[0] - px)) / area
                wc = 1 - wa - wb
                if wa < -1e-6 or wb < -1e-6 or wc < -1e-6:
                    continue
                z = wa * a[2] + wb * b[2] + wc * c[2]
                if z <= depth[y, x] or wa * a[6] + wb * b[6] + wc * c[6] < 0.5:
                    continue
                depth[y, x] = z
                for i in range(3):
                    rgba[y, x, i] = wa * a[3 + i] + wb * b[3 + i] + wc * c[3 + i]
                rgba[y, x, 3] = alpha
