"""What is bought, how far it is, and what came of it: the values that a gateway flow takes and gives."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from tollbrush.domain.pricing import Price
from tollbrush.payments.payer import SignedPayment
from tollbrush.wire import datauri
from tollbrush.wire.offers import Receipt

_PREVIEW: Final = re.compile(r"data:image/(?:png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}", re.ASCII)
_PREVIEW_LENGTH: Final = 2**20

Stage = Literal["quoted", "signed", "uploading", "waiting", "delivered", "failed"]


@dataclass(frozen=True)
class Picture:
    """An encoded picture, and what its bytes are."""

    data: bytes = field(repr=False)
    mime_type: str


@dataclass(frozen=True)
class Upload:
    """A request's body and its content type."""

    body: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True)
class Order:
    """An edit to upload. `quote`: what decides its price, as `/quote` takes it (`model`, `size`, `n`, `width`,
    `height`, `masked`, `prompt`); `fields`: the request's others; a picture may be text: a URL, or a data URI."""

    quote: Mapping[str, Any]
    fields: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[Picture | str, ...] = ()
    mask: Picture | str | None = None

    def as_json(self) -> Upload:
        """As published: pictures as data URIs, a third larger than they are."""
        uris = [_text(picture) for picture in self.images]
        said: dict[str, Any] = {**self.fields, "image": uris[0] if len(uris) == 1 else uris}
        if self.mask is not None:
            said["mask"] = _text(self.mask)
        return Upload(msgspec.json.encode(said), "application/json")

    def as_form(self) -> Upload:
        """Multipart, pictures as they are."""
        named = [("image", picture) for picture in self.images]
        named += [("mask", self.mask)] if self.mask is not None else []
        if any(isinstance(picture, str) for _, picture in named):
            return self.as_json()
        boundary = secrets.token_hex(16)
        pieces: list[bytes] = []
        for name, value in self.fields.items():
            said = value if isinstance(value, str) else _plain(value)
            pieces += [_part(boundary, f'name="{name}"'), said.encode(), b"\r\n"]
        for name, picture in named:
            if isinstance(picture, Picture):
                head = _part(boundary, f'name="{name}"; filename="{name}"', picture.mime_type)
                pieces += [head, picture.data, b"\r\n"]
        body = b"".join([*pieces, f"--{boundary}--\r\n".encode()])
        return Upload(body, f"multipart/form-data; boundary={boundary}")


def _text(picture: Picture | str) -> str:
    return picture if isinstance(picture, str) else datauri.encode(picture.data, picture.mime_type)


def _part(boundary: str, named: str, mime_type: str = "") -> bytes:
    """The head of a part (RFC 7578). Names are ours."""
    kind = f"\r\nContent-Type: {mime_type}" if mime_type else ""
    return f"--{boundary}\r\nContent-Disposition: form-data; {named}{kind}\r\n\r\n".encode()


def _plain(value: object) -> str:
    """A JSON value as a form's text: 2, true, 0.05."""
    return msgspec.json.encode(value).decode()


@dataclass(frozen=True)
class Progress:
    """Where an edit is. `job` and `poll_url` once the gateway has answered 202; `payment` once it is signed: with
    these three `GatewayFlow.collect` can go on after a restart, and `GatewayFlow.again` with the `upload`, which the
    quoted stage tells. `preview`: the newest unfinished picture as a data URI, "" without one."""

    stage: Stage
    price: Price | None = None
    payment: SignedPayment | None = None
    job: str = ""
    poll_url: str = ""
    fraction: float | None = None
    queue_position: int | None = None
    upload: Upload | None = field(default=None, repr=False)
    preview: str = field(default="", repr=False)


@dataclass(frozen=True)
class Paid:
    """A delivered edit. `answer` is the gateway's JSON as it came; `price` what was paid, None for nothing."""

    answer: Mapping[str, Any]
    price: Price | None
    receipt: Receipt | None


OnProgress = Callable[[Progress], None]


def preview_of(said: Mapping[str, Any]) -> str:
    """The `preview` of a job's status; "" for anything but a small picture as a data URI."""
    shown = said.get("preview")
    return shown if isinstance(shown, str) and len(shown) < _PREVIEW_LENGTH and _PREVIEW.fullmatch(shown) else ""
