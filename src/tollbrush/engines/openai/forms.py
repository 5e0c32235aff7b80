"""An edit as multipart/form-data (RFC 7578), in the words of one kind of server."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from tollbrush.domain.edits import Size
from tollbrush.engines.openai.profiles import Profile
from tollbrush.errors import BadImage, BadMask
from tollbrush.imaging.codec import decode, encode, flatten, mime
from tollbrush.imaging.geometry import Transform, resize
from tollbrush.imaging.masks import to_alpha_png, to_luma_png

if TYPE_CHECKING:
    from tollbrush.domain.edits import OutputFormat
    from tollbrush.engines.interface import EditInput, Mask, Pixels
    from tollbrush.imaging.bare import Bare

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
    """`back` brings an answer to `asked`, of whatever size, to the size of the edit. `ready`: the size at which it
    would change nothing, where there is one."""

    body: Body
    asked: Size
    back: Callable[[Pixels], Pixels]
    ready: Size | None


def build(profile: Profile, fields: Mapping[str, str], request: EditInput) -> Form:
    """What the server cannot do is done here: another size by reflection, alpha on white. Heavy: belongs in a thread.
    Raises BadImage, BadMask for what is over its limits in every encoding."""
    asked = profile.works_at(request.size)
    aligned = (request.files[0].size if request.files else _size(request.sources[0])) == request.size
    working = Transform.plan(request.size, asked, "pad")
    alike = working.identity or not aligned
    boundary = f"tollbrush-{secrets.token_hex(12)}"
    parts = [
        _field(boundary, name, value) for name, value in {**fields, "size": str(asked), **profile.constant}.items()
    ]
    files = _as_they_are(request.files, profile) if alike else None
    for i, (data, kind) in enumerate(files or _encoded(request, profile, None if alike else working)):
        parts += [_head(boundary, profile.image_field, f"image-{i}.{kind}", mime(kind)), data, b"\r\n"]
    if request.mask is not None:
        mask = request.mask if alike else working.apply_mask(request.mask)
        parts += [_head(boundary, profile.mask_field, "mask.png", "image/png"), _mask(mask, profile), b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    body = Body(parts, f"multipart/form-data; boundary={boundary}")
    return Form(body, asked, partial(_back, working, aligned), request.size if alike else None)


def _as_they_are(files: Sequence[Bare], profile: Profile) -> list[tuple[bytes, OutputFormat]] | None:
    """None where the server does not take all of them."""
    taken = all(
        file.format in profile.formats and len(file.data) < profile.image_bytes and (profile.alpha or not file.alpha)
        for file in files
    )
    return [(file.data, file.format) for file in files] if taken else None


def _encoded(request: EditInput, profile: Profile, working: Transform | None) -> Iterator[tuple[bytes, OutputFormat]]:
    """The first through `working`, which the references do not follow."""
    sources = request.sources or tuple(decode(file.data, max_pixels=file.size.pixels) for file in request.files)
    for i, pixels in enumerate(sources):
        shown = working.apply(pixels) if working is not None and i == 0 else pixels
        yield _image(shown if profile.alpha else flatten(shown), profile.image_bytes)


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
