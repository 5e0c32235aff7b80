"""An edit as Gemini's `generateContent` takes it: words, pictures in order, and the shape of the answer.

Reference: Gemini API v1beta, "GenerateContentRequest" and "Image generation".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import pybase64

from tollbrush.domain.edits import Size
from tollbrush.engines.interface import EditInput
from tollbrush.imaging.codec import decode, encode, mime
from tollbrush.imaging.geometry import resize

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels
    from tollbrush.imaging.bare import Bare

PRO: Final = "gemini-3-pro-image"
ASPECTS: Final = ((1, 1), (2, 3), (3, 2), (3, 4), (4, 3), (4, 5), (5, 4), (9, 16), (16, 9), (21, 9))
_SIZES: Final = (("1K", 1024), ("2K", 2048), ("4K", 4096))
_ROOM: Final = 14_000_000
"""Bytes of all pictures together: a request with inline data holds 20 MB, and base64 adds a third."""
_JPEG_QUALITIES: Final = (95, 85, 70)


def ask(upstream: str, request: EditInput) -> bytes:
    """The body of one call, for one picture. Heavy: encodes the sources."""
    room = _ROOM // len(request.files or request.sources)
    pictures = [_inline(*pack(pixels, room)) for pixels in request.sources]
    pictures += [_inline(*pass_on(file, room)) for file in request.files]
    shape = {"aspectRatio": aspect(request.size)}
    if upstream.startswith(PRO):
        shape["imageSize"] = resolution(request.size)
    return msgspec.json.encode(
        {
            "contents": [{"role": "user", "parts": [{"text": request.prompt}, *pictures]}],
            "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": shape},
        }
    )


def aspect(size: Size) -> str:
    """The offered aspect ratio nearest to the size's: `21:9`."""
    want = size.width / size.height
    wide, high = min(ASPECTS, key=lambda a: max(want * a[1] / a[0], a[0] / (want * a[1])))
    return f"{wide}:{high}"


def resolution(size: Size) -> str:
    """The smallest that has as many pixels as are wanted: `1K` is 1024² in other shapes."""
    return next((name for name, side in _SIZES if size.pixels <= side * side), _SIZES[-1][0])


def pack(pixels: Pixels, room: int) -> tuple[bytes, str]:
    """Encoded within `room` bytes, and its type: PNG where it fits, else the best JPEG that does."""
    data = encode(pixels, "png")
    if len(data) <= room:
        return data, "image/png"
    while True:
        for quality in _JPEG_QUALITIES:
            data = encode(pixels, "jpeg", quality=quality)
            if len(data) <= room:
                return data, "image/jpeg"
        pixels = resize(pixels, Size((pixels.shape[1] + 1) // 2, (pixels.shape[0] + 1) // 2))


def pass_on(file: Bare, room: int) -> tuple[bytes, str]:
    """As it is where there is room for it."""
    if len(file.data) <= room:
        return file.data, mime(file.format)
    return pack(decode(file.data, max_pixels=file.size.pixels), room)


def _inline(data: bytes, mime_type: str) -> dict[str, Any]:
    return {"inline_data": {"mime_type": mime_type, "data": pybase64.b64encode(data).decode("ascii")}}
