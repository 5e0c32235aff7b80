"""Pictures as callers have them → data URIs, and the fields of an edit."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, TypedDict

import msgspec

from tollbrush.client.orders import OnProgress, Order
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
    max_price: Price | Decimal | str | None
    progress: OnProgress | None


@dataclass(frozen=True)
class Draft:
    """The fields of an edit, pictures as data URIs or URLs, and the first picture's upright size when it is known."""

    fields: Mapping[str, Any]
    source: Size | None

    def order(self) -> Order:
        names = ("model", "prompt", "size", "n")
        quote = {name: self.fields[name] for name in names if name in self.fields}
        quote |= {"masked": "mask" in self.fields}
        if self.source:
            quote |= {"width": self.source.width, "height": self.source.height}
        return Order(msgspec.json.encode(self.fields), quote)


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
    uris = [uri for uri, _ in pictures]
    fields["image"] = uris[0] if len(uris) == 1 else uris
    if options.get("mask") is not None:
        fields["mask"], _ = _picture(options["mask"], "mask", urls=urls)
    return Draft(fields, pictures[0][1])


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


def _picture(value: object, name: str, *, urls: bool) -> tuple[str, Size | None]:
    if isinstance(value, str):
        scheme = value[:8].lower()
        if scheme.startswith("data:"):
            return value, _sniffed(datauri.decode(value, path=name, max_bytes=_MAX_BYTES), name)[1]
        if scheme.startswith(("http://", "https://")):
            if urls:
                return value, None
            raise BadRequest(
                f"{name} is a URL, which a gateway does not fetch.", path=name, advice="Download it, or use a router."
            )
    data = _bytes(value, name)
    mime_type, size = _sniffed(data, name)
    return datauri.encode(data, mime_type), size


def _sniffed(data: bytes, name: str) -> tuple[str, Size]:
    header = sniff(data, max_pixels=_MAX_PIXELS, path=name)
    return header.mime_type, header.upright


def _bytes(value: Any, name: str) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str | os.PathLike):
        return _file(Path(value).expanduser(), name)
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


def _file(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadImage(f"{name}: {path} is larger than {_MAX_BYTES // 2**20} MB.", path=name)
        return path.read_bytes()
    except OSError as failure:
        raise BadImage(f"{name}: {path} cannot be read: {failure.strerror}.", path=name, advice="") from failure


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
