"""An edit as multipart/form-data (RFC 7578), in the words of one kind of server."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from tollbrush.domain.edits import Size
from tollbrush.engines.openai.profiles import Profile
from tollbrush.errors import BadImage, BadMask
from tollbrush.imaging.codec import encode, flatten, mime
from tollbrush.imaging.geometry import Transform, resize
from tollbrush.imaging.masks import to_alpha_png, to_luma_png

if TYPE_CHECKING:
    from tollbrush.domain.edits import OutputFormat
    from tollbrush.engines.interface import EditInput, Mask, Pixels

_SLICE: Final = 256 * 1024


class Body:
    """Lets go of what has been sent: an edit may wait for minutes, and its pictures need not wait with it."""

    def __init__(self, parts: Sequence[bytes], content_type: str) -> None:
        self._parts = deque(parts)
        self.size = sum(map(len, parts))
        self.content_type = content_type
        self.whole = True

    async def pieces(self) -> AsyncIterator[memoryview]:
        self.whole = False
        while self._parts:
            part = memoryview(self._parts.popleft())
            for start in range(0, len(part), _SLICE):
                yield part[start : start + _SLICE]


@dataclass(frozen=True)
class Form:
    """`back` brings an answer, of whatever size, to the size of the edit."""

    body: Body
    back: Callable[[Pixels], Pixels]


def build(profile: Profile, fields: Mapping[str, str], request: EditInput) -> Form:
    """What the server cannot do is done here: another size by reflection, alpha on white. Heavy: belongs in a thread.
    Raises BadImage, BadMask for what is over its limits in every encoding."""
    asked = profile.works_at(request.size)
    first, mask = request.sources[0], request.mask
    aligned = _size(first) == request.size
    working = Transform.plan(request.size, asked, "pad")
    if aligned:
        first, mask = working.apply(first), None if mask is None else working.apply_mask(mask)
    boundary = f"tollbrush-{secrets.token_hex(12)}"
    parts = [
        _field(boundary, name, value) for name, value in {**fields, "size": str(asked), **profile.constant}.items()
    ]
    for i, pixels in enumerate((first, *request.sources[1:])):
        data, kind = _image(pixels if profile.alpha else flatten(pixels), profile.image_bytes)
        parts += [_head(boundary, profile.image_field, f"image-{i}.{kind}", mime(kind)), data, b"\r\n"]
    if mask is not None:
        parts += [_head(boundary, profile.mask_field, "mask.png", "image/png"), _mask(mask, profile), b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())

    return Form(Body(parts, f"multipart/form-data; boundary={boundary}"), partial(_back, working, aligned))


def _back(working: Transform, aligned: bool, answer: Pixels) -> Pixels:
    """A free recomposition must not be squeezed, a bounded one must stay where it was."""
    if not aligned:
        return Transform.plan(_size(answer), working.source, "crop").apply(answer)
    return working.invert(resize(answer, working.target))


def _field(boundary: str, name: str, value: str) -> bytes:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def _head(boundary: str, name: str, filename: str, kind: str) -> bytes:
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode()


def _image(pixels: Pixels, limit: int) -> tuple[bytes, OutputFormat]:
    kinds: tuple[OutputFormat, ...] = ("png", "webp", "jpeg")
    for kind in kinds:
        data = encode(pixels, kind)
        if len(data) < limit:
            return data, kind
    message = f"The picture is {len(data):,} bytes for this model's server, which takes less than {limit:,}."
    raise BadImage(message, path="image", advice="Scale it down, or ask for a smaller size.")


def _mask(mask: Mask, profile: Profile) -> bytes:
    data = to_alpha_png(mask) if profile.mask_form == "alpha" else to_luma_png(mask)
    if len(data) < profile.mask_bytes:
        return data
    message = f"The mask is {len(data):,} bytes as PNG; this model's server takes less than {profile.mask_bytes:,}."
    raise BadMask(message, path="mask", advice="Paint it with fewer specks.")


def _size(pixels: Pixels) -> Size:
    return Size(pixels.shape[1], pixels.shape[0])
