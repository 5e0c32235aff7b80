"""What a caller of the router asks for: the gateway's own fields, read by the gateway's own rules, where a picture may
also be a path or a URL; and six fields of the router's: `network`, `gateway`, `max_price`, `again`,
`since`, `response_format`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from tollbrush.domain.edits import EditRequest, check_choice
from tollbrush.domain.networks import Network, find
from tollbrush.errors import BadRequest
from tollbrush.router.sources import Sources
from tollbrush.wire import jsonbody, multipart, schemas
from tollbrush.wire.slash import SlashCommand

_DOLLARS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,18})?", re.ASCII)
_MOMENT = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,9})?", re.ASCII)  # Unix seconds
_OWN: Final = ("network", "gateway", "max_price", "again", "since", "response_format")


@dataclass(frozen=True)
class Terms:
    """How this call may be paid: on which network, for how much at most (dollars), at which gateway (a name, or
    `cheapest`), and whether anew; `since`: what was bought at or after this moment (Unix seconds) is not bought again,
    None for the last ten minutes; and how it is answered: `url` or `b64_json`, None for what the route answers by
    itself."""

    network: Network | None = None
    max_price: Decimal | None = None
    again: bool = False
    response_format: str | None = None
    since: float | None = None
    gateway: str | None = None


@dataclass(frozen=True)
class Call:
    """An edit as asked for, pictures unread."""

    form: schemas.EditForm
    terms: Terms

    async def read(self, sources: Sources) -> EditRequest:
        """The request with its pictures. Raises BadRequest."""
        images, mask = self.form.images, self.form.mask
        names = ["image"] if len(images) == 1 else [f"image[{i}]" for i in range(len(images))]
        read = [await sources.picture(image, path=name) for image, name in zip(images, names, strict=True)]
        masked = None if mask is None else await sources.picture(mask, path="mask")
        return replace(self.form.fields, sources=tuple(read), mask=masked)


def digest(request: EditRequest, gateway: str) -> str:
    """What makes two calls the same call: the edit, and where it is bought."""
    return hashlib.sha256(f"{gateway}\n{request.digest()}".encode()).hexdigest()


def read_call(body: bytes, content_type: str) -> Call:
    """JSON or multipart by content type. Raises BadRequest."""
    if content_type.partition(";")[0].strip().lower() == "multipart/form-data":
        form = multipart.parse(body, content_type)
        own: dict[str, Any] = {name: form.fields.pop(name) for name in _OWN if name in form.fields}
        if own.get("again") in ("true", "false"):
            own["again"] = own["again"] == "true"
        if _MOMENT.fullmatch(own.get("since", "")):
            own["since"] = float(own["since"])
        read = schemas.read_edit_form(form)
        return Call(replace(read, images=tuple(map(_as_typed, read.images)), mask=_as_typed(read.mask)), _terms(own))
    fields = jsonbody.parse(body)
    own = {name: fields.pop(name) for name in _OWN if name in fields}
    return Call(schemas.read_edit(fields), _terms(own))


def from_command(command: SlashCommand, *, model: str | None, network: str | None) -> Call:
    """A slash command as a call. `model`: what else names one, below `--model`. Raises BadRequest."""
    fields: dict[str, Any] = {
        "prompt": command.prompt,
        "image": list(command.images),
        "mask": command.mask,
        "model": command.model or model,
        "size": command.size,
        "n": command.n,
        "seed": command.seed,
    }
    form = schemas.read_edit({name: value for name, value in fields.items() if value is not None})
    return Call(form, replace(_terms({"network": network}), max_price=command.max_price, again=command.again))


def _terms(own: Mapping[str, Any]) -> Terms:
    again, shape = own.get("again"), own.get("response_format")
    if not isinstance(again, bool | None):
        raise BadRequest("again must be true or false.", path="again")
    since = own.get("since")
    if not (since is None or (type(since) in (int, float) and since >= 0)):
        raise BadRequest("since must be a moment in Unix seconds.", path="since")
    gateway = own.get("gateway")
    if not isinstance(gateway, str | None):
        raise BadRequest("gateway must be text.", path="gateway")
    if shape is not None:
        check_choice(shape, "response_format", ("url", "b64_json"))
    return Terms(_network(own.get("network")), _price(own.get("max_price")), bool(again), shape, since, gateway)


def own_network(own: Mapping[str, Any]) -> Network | None:
    """The `network` among the router's own fields. Raises BadRequest."""
    return _network(own.get("network"))


def _network(name: Any) -> Network | None:
    if name is None:
        return None
    if not isinstance(name, str) or (found := find(name)) is None:
        raise BadRequest(f"network {str(name)[:40]!r} is unknown.", path="network", advice="For example: base, solana.")
    return found


def _price(value: Any) -> Decimal | None:
    """Dollars as text, or as a JSON number (whose shortest decimal is meant)."""
    if value is None:
        return None
    text = str(value)
    if isinstance(value, bool) or not _DOLLARS.fullmatch(text) or Decimal(text) <= 0:
        raise BadRequest(f"max_price {text[:40]!r} is not an amount of dollars, such as 0.05.", path="max_price")
    return Decimal(text)


def _as_typed(value: str | bytes | None) -> Any:
    """A form's text field may name a path or a URL; no picture is valid UTF-8."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
