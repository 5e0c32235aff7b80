"""What the gateway and a replica say to each other, in MessagePack. Pixels travel raw: nothing is lost or encoded.

One edit is one POST of an `Edit`; its answer is a stream of framed events:
`Began`, then `Step`s, and `Waiting` where there is nothing else to say, then a `Made` for each image and `Done`; or
`Failed`. A stream that ends without one of these two was cut off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Self

import msgspec

from tollbrush.domain.edits import MAX_N, MAX_PREVIEWS, MAX_PROMPT, MAX_SEED, Size
from tollbrush.engines.diffusion.ray.frames import frame
from tollbrush.engines.interface import EditInput

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

VERSION: Final = "2"
"""Of what follows; a gateway and a cluster that differ in it do not work together."""
VERSION_HEADER: Final = "Tollbrush-Ray"
MEDIA_TYPE: Final = "application/msgpack"
MOST_BODY: Final = 512 * 2**20
_SIDE: Final = 16_384

Side = Annotated[int, msgspec.Meta(ge=1, le=_SIDE)]


class BadMessage(Exception):
    """Bytes that are none of these messages, or that contradict themselves."""


class Picture(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """`data`: rows from the top, uint8, RGB or RGBA."""

    height: Side
    width: Side
    channels: Annotated[int, msgspec.Meta(ge=3, le=4)]
    data: bytearray

    @classmethod
    def of(cls, pixels: Pixels) -> Self:
        import numpy as np

        height, width, channels = pixels.shape
        return cls(height, width, channels, bytearray(np.ascontiguousarray(pixels).data))

    def pixels(self) -> Pixels:
        """Writable, and sharing this message's memory. Raises BadMessage."""
        import numpy as np

        if len(self.data) != (expected := self.height * self.width * self.channels):
            raise BadMessage(f"a picture of {len(self.data):,} bytes instead of {expected:,}.")
        return np.frombuffer(self.data, np.uint8).reshape(self.height, self.width, self.channels)


class Edit(msgspec.Struct, forbid_unknown_fields=True):
    """An `EditInput` for `model`. `mask`: one bit a pixel of the first source, 1 = edit, rows run on without padding.
    `seconds`: after which nobody waits for it any more."""

    model: str
    prompt: Annotated[str, msgspec.Meta(max_length=MAX_PROMPT)]
    width: Side
    height: Side
    sources: Annotated[list[Picture], msgspec.Meta(min_length=1, max_length=16)]
    seconds: Annotated[float, msgspec.Meta(gt=0)]
    mask: bytes | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=MAX_N)] = 1
    seed: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEED)] = 0
    quality: str | None = None
    background: str | None = None
    previews: Annotated[int, msgspec.Meta(ge=0, le=MAX_PREVIEWS)] = 0

    @classmethod
    def of(cls, model: str, request: EditInput, seconds: float) -> Self:
        import numpy as np

        return cls(
            model=model,
            prompt=request.prompt,
            width=request.size.width,
            height=request.size.height,
            sources=[Picture.of(pixels) for pixels in request.sources],
            seconds=seconds,
            mask=None if request.mask is None else np.packbits(request.mask).tobytes(),
            n=request.n,
            seed=request.seed,
            quality=request.quality,
            background=request.background,
            previews=request.previews,
        )

    def input(self) -> EditInput:
        """Raises BadMessage."""
        return EditInput(
            sources=tuple(picture.pixels() for picture in self.sources),
            prompt=self.prompt,
            size=Size(self.width, self.height),
            mask=self._mask(),
            n=self.n,
            seed=self.seed,
            quality=self.quality,
            background=self.background,
            previews=self.previews,
        )

    def _mask(self) -> Mask | None:
        import numpy as np

        if self.mask is None:
            return None
        height, width = self.sources[0].height, self.sources[0].width
        if len(self.mask) != (expected := (height * width + 7) // 8):
            raise BadMessage(f"a mask of {len(self.mask):,} bytes instead of {expected:,}.")
        bits = np.unpackbits(np.frombuffer(self.mask, np.uint8), count=height * width)
        return bits.astype(np.bool_).reshape(height, width)


class _Event(msgspec.Struct, tag_field="is", forbid_unknown_fields=True):
    pass


class Began(_Event, tag="began"):
    """It has reached a replica, whose name this is."""

    replica: str


class Waiting(_Event, tag="waiting"):
    """The replica is alive; a model is being loaded, or other edits are first."""


class Step(_Event, tag="step"):
    """An engine's `Progress`."""

    fraction: float | None = None
    index: Annotated[int, msgspec.Meta(ge=0, lt=MAX_N)] = 0
    preview: Picture | None = None


class Made(_Event, tag="made"):
    """The finished images, in order."""

    picture: Picture
    revised_prompt: str = ""
    seed: int | None = None


class Done(_Event, tag="done"):
    """All images were made. `slower`: why the model runs in a slower way there than it was to."""

    usage: dict[str, int] = {}
    slower: str = ""


class Failed(_Event, tag="failed"):
    """An error of the tree, by its code."""

    code: str
    message: str
    advice: str = ""
    path: str = ""
    retry_after: int = 5


Event = Began | Waiting | Step | Made | Done | Failed

_EDIT: Final = msgspec.msgpack.Decoder(Edit)
_EVENT: Final[msgspec.msgpack.Decoder[Event]] = msgspec.msgpack.Decoder(Event)
_ENCODER: Final = msgspec.msgpack.Encoder()


def encode_edit(edit: Edit) -> bytes:
    return _ENCODER.encode(edit)


def decode_edit(body: bytes) -> Edit:
    """Raises BadMessage."""
    try:
        return _EDIT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise BadMessage(f"no edit: {wrong}.") from wrong


def encode_event(event: Event) -> bytes:
    """Framed."""
    return frame(_ENCODER.encode(event))


def decode_event(message: bytes) -> Event:
    """Raises BadMessage."""
    try:
        return _EVENT.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise BadMessage(f"no event: {wrong}.") from wrong
