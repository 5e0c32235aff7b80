"""Pictures as callers have them → encoded files, and the fields of an edit."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, TypedDict

from tollbrush.client.orders import OnProgress, Order, Picture
from tollbrush.domain.edits import Size
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadImage, BadRequest
from tollbrush.imaging.header import sniff
from tollbrush.wire import datauri

_MAX_BYTES: Final = 64 * 2**20
_MAX_PIXELS: Final = 2**31
"""The gateway knows its own limit; ours only tells a picture from a bomb of a header."""


class EditOptions(TypedDict, total=False):
    """What may be said of an edit beside the picture and the prompt; see the API for their meaning."""

    mask: object
    model: str
    size: str
    n: int
    seed: int
    fit: str
    mask_mode: str
    output_format: str
    quality: str
    background: str
    previews: int
    max_price: Price | Decimal | str | None
    progress: OnProgress | None


@dataclass(frozen=True)
class Draft:
    """An edit before it is ordered: the pictures, or their URLs, and the first one's upright size when it is known."""

    fields: Mapping[str, Any]
    images: tuple[Picture | str, ...]
    mask: Picture | str | None
    source: Size | None

    def order(self, **more: Any) -> Order:
        """`more`: fields for the other side alone."""
        names = ("model", "prompt", "size", "n", "quality", "background")
        quote = {name: self.fields[name] for name in names if name in self.fields}
        quote |= {"masked": self.mask is not None}
        if self.source:
            quote |= {"width": self.source.width, "height": self.source.height}
        return Order(quote, {**self.fields, **more}, self.images, self.mask)


def draft(image: object, prompt: str, options: Mapping[str, Any], *, urls: bool) -> Draft:
    """`image`: one picture or a list of them. A picture is a path, bytes, a binary file, a PIL image, a numpy array
    (H×W, H×W×3 or H×W×4, uint8 RGB or bool), a data URI, or with `urls` an http(s) URL. Raises BadImage, BadRequest."""
    listed = list(image) if isinstance(image, list | tuple) else [image]
    names = ["image"] if len(listed) == 1 else [f"image[{i}]" for i in range(len(listed))]
    pictures = [_picture(one, name, urls=urls) for one, name in zip(listed, names, strict=True)]
    if not pictures:
        raise BadRequest("image is an empty list; give at least one picture.", path="image")
    fields: dict[str, Any] = {"prompt": prompt}
    fields |= {k: v for k, v in options.items() if v is not None and k not in ("mask", "max_price", "progress")}
    mask = options.get("mask")
    masked = None if mask is None else _picture(mask, "mask", urls=urls)[0]
    return Draft(fields, tuple(picture for picture, _ in pictures), masked, pictures[0][1])


def price_limit(value: object) -> Price | None:
    """A limit in dollars as text (`"0.05"`), Decimal, int or Price. Floats are no money. Raises BadRequest."""
    if value is None or isinstance(value, Price):
        return value
    try:
        dollars = Decimal(value) if isinstance(value, str | int | Decimal) else Decimal("nan")
        if dollars.is_finite() and dollars >= 0:
            return Price.of(dollars)
    except InvalidOperation:
        pass
    raise BadRequest(f'max_price is {value!r}; give dollars as text, for example "0.05".', path="max_price")


def _picture(value: object, name: str, *, urls: bool) -> tuple[Picture | str, Size | None]:
    if isinstance(value, str) and value[:8].lower().startswith(("http://", "https://")):
        if urls:
            return value, None
        raise BadRequest(
            f"{name} is a URL, which a gateway does not fetch.", path=name, advice="Download it, or use a router."
        )
    if isinstance(value, str) and value[:5].lower() == "data:":
        data = datauri.decode(value, path=name, max_bytes=_MAX_BYTES)
    else:
        data = _bytes(value, name)
    mime_type, size = _sniffed(data, name)
    return Picture(data, mime_type), size


def _sniffed(data: bytes, name: str) -> tuple[str, Size]:
    header = sniff(data, max_pixels=_MAX_PIXELS, path=name)
    return header.mime_type, header.upright


def _bytes(value: Any, name: str) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str | os.PathLike):
        return _file(value, name)
    if hasattr(value, "__array_interface__") and hasattr(value, "dtype"):
        return _png(_from_array(value, name))
    if hasattr(value, "save") and hasattr(value, "mode"):
        return _png(value)
    if callable(getattr(value, "read", None)):
        data = value.read()
        if isinstance(data, bytes):
            return data
        raise BadImage(f"{name} is a file opened as text; open it in binary mode.", path=name, advice="")
    raise BadImage(
        f"{name} is a {type(value).__name__}.", path=name, advice="Give a path, bytes, a file, a PIL image or an array."
    )


def _file(given: str | os.PathLike[str], name: str) -> bytes:
    shown = repr(os.fspath(given))
    try:
        path = Path(given).expanduser()
        # Opening a pipe must not wait for its writer.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            kind = os.fstat(file.fileno())
            if not (stat.S_ISREG(kind.st_mode) or stat.S_ISDIR(kind.st_mode)):
                raise BadImage(f"{name}: {shown} is a device or a pipe, not a file.", path=name, advice="")
            if kind.st_size > _MAX_BYTES:
                raise BadImage(f"{name}: {shown} is larger than {_MAX_BYTES // 2**20} MB.", path=name)
            return file.read(_MAX_BYTES + 1)
    except OSError as failure:
        raise BadImage(f"{name}: {shown} cannot be read: {failure.strerror}.", path=name, advice="") from failure
    except (RuntimeError, ValueError) as failure:  # no such user's home; a null character
        raise BadImage(f"{name}: {shown} is no path: {failure}.", path=name, advice="") from failure


def _from_array(array: Any, name: str) -> Any:
    from PIL import Image

    kind, shape = str(array.dtype), tuple(array.shape)
    if kind not in ("uint8", "bool") or len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (3, 4)):
        raise BadImage(
            f"{name} is an array of {kind} {shape}.", path=name, advice="Give H×W, H×W×3 or H×W×4 of uint8, or bool."
        )
    return Image.fromarray(array.astype("uint8") * 255 if kind == "bool" else array)


def _png(picture: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
