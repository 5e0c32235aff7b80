"""What an edit gives back."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, Final

import httpx2
import pybase64

from tollbrush.client.problems import printable
from tollbrush.client.transport import NoAnswer, NotSent, send
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadImage, UpstreamFailed
from tollbrush.imaging.header import sniff
from tollbrush.wire import datauri
from tollbrush.wire.offers import Receipt

_TRIES: Final = 3
_MAX_BYTES: Final = 128 * 2**20
_MAX_PIXELS: Final = 2**31


@dataclass(frozen=True)
class EditedImage:
    """One picture. `bytes` is the encoded file, `url` where it is hosted; what a gateway does not tell is None."""

    bytes: bytes = field(repr=False)
    mime_type: str
    width: int
    height: int
    url: str = ""
    revised_prompt: str = ""
    seed: int | None = None
    preserved: bool | None = None
    edited_fraction: float | None = None

    def save(self, path: str | Path) -> Path:
        """Write the file as it came. Raises OSError."""
        target = Path(path).expanduser()
        target.write_bytes(self.bytes)
        return target

    @cached_property
    def sha256(self) -> str:
        """Of `bytes`, in hex."""
        return hashlib.sha256(self.bytes).hexdigest()

    def _repr_png_(self) -> object:
        return self.bytes if self.mime_type == "image/png" else None

    def _repr_jpeg_(self) -> object:
        return self.bytes if self.mime_type == "image/jpeg" else None

    def _repr_html_(self) -> str:
        return f'<img src="{datauri.encode(self.bytes, self.mime_type)}" style="max-width:32em">'


@dataclass(frozen=True)
class Edit:
    """A finished edit. `price` is None when nothing was asked; `receipt` None when the gateway gave none; `answer` is
    the JSON as it came."""

    images: tuple[EditedImage, ...]
    model: str
    price: Price | None
    receipt: Receipt | None
    answer: Mapping[str, Any] = field(repr=False)

    @property
    def image(self) -> EditedImage:
        """The first picture."""
        return self.images[0]

    @property
    def revised_prompt(self) -> str:
        """What the model made of the prompt, for the first picture."""
        return self.image.revised_prompt

    def _repr_png_(self) -> object:
        return self.image._repr_png_()

    def _repr_html_(self) -> str:
        pictures = "".join(image._repr_html_() for image in self.images)
        paid = f" · {self.price}" if self.price else ""
        return f"<figure>{pictures}<figcaption>{escape(self.model)}{paid}</figcaption></figure>"


async def bring_home(http: httpx2.AsyncClient, answer: Mapping[str, Any], base: str) -> tuple[EditedImage, ...]:
    """The pictures of an answer of `base`, downloaded and looked at. Raises UpstreamFailed, whose `extra` holds the
    URLs: they are paid for."""
    listed = answer.get("data")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, Sequence) else []
    if not entries:
        raise UpstreamFailed(f"{base} answered without a picture.", advice="", extra={"answer": dict(answer)})
    return tuple([await _bring(http, entry, base) for entry in entries])


async def _bring(http: httpx2.AsyncClient, entry: Mapping[str, Any], base: str) -> EditedImage:
    url = entry.get("url") if isinstance(entry.get("url"), str) else ""
    try:
        data = await _data(http, entry, str(url), base)
        header = sniff(data, max_pixels=_MAX_PIXELS, path="the result")
    except BadImage as wrong:
        raise _not_a_picture(str(url), base, wrong.message) from wrong
    image = EditedImage(
        data,
        header.mime_type,
        *(header.upright.width, header.upright.height),
        url="" if str(url).startswith("data:") else str(url),
        revised_prompt=printable(entry.get("revised_prompt")),
        seed=_of(int, entry.get("seed")),
        preserved=_of(bool, entry.get("preserved")),
        edited_fraction=_of(float, entry.get("edited_fraction")),
    )
    told = entry.get("sha256")
    if isinstance(told, str) and told.lower() != await asyncio.to_thread(lambda: image.sha256):
        raise _not_a_picture(str(url), base, "its bytes are not those that were announced")
    return image


async def _data(http: httpx2.AsyncClient, entry: Mapping[str, Any], url: str, base: str) -> bytes:
    text = entry.get("b64_json")
    if isinstance(text, str) and text:
        try:
            return pybase64.b64decode(text, validate=True)
        except ValueError as failure:
            raise _not_a_picture("b64_json", base, "it is not base64") from failure
    if url.lower().startswith("data:"):
        return datauri.decode(url, path="the result", max_bytes=_MAX_BYTES)
    if not url.lower().startswith(("http://", "https://")):
        raise _not_a_picture(url, base, "it has no address")
    for attempt in range(1, _TRIES + 1):
        try:
            answer = await send(http, "GET", url, headers={"accept": "image/*"})
        except (NotSent, NoAnswer) as failure:
            if attempt == _TRIES:
                raise _not_a_picture(url, base, "it cannot be fetched") from failure
        else:
            if answer.status == 200:
                return answer.body
            if answer.status < 500 or attempt == _TRIES:
                raise _not_a_picture(url, base, f"HTTP {answer.status}")
    raise AssertionError("unreachable: the last attempt returns or raises")


def _not_a_picture(url: str, base: str, why: str) -> UpstreamFailed:
    return UpstreamFailed(
        f"The result {printable(url)[:200] or 'of the edit'} of {base} is no picture: {why}.",
        advice="The edit was paid for: ask the gateway's operator, with the receipt.",
        extra={"url": url},
    )


def _of(kind: type[Any], value: Any) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value if type(value) is kind else None
