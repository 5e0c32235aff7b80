"""OpenAI's shape of an edit: its fields ⇄ ours, its errors, its events.

Reference: OpenAI API, "Create image edit" and "Image streaming". Every field of theirs is honoured or refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from tollbrush.domain.edits import MAX_PREVIEWS, check_choice, check_int
from tollbrush.errors import (
    BadRequest,
    ContentRefused,
    Detail,
    PaymentRefused,
    PaymentRequired,
    RateLimited,
    TollbrushError,
    UnsupportedParameter,
)
from tollbrush.wire import bodies, multipart, schemas

REFUSED: Final = {
    "input_fidelity": "is the model's own here. Where to edit exactly is what a mask says.",
    "output_compression": "has no choice here: JPEG is written at 95, PNG and WebP without loss.",
    "moderation": "is the model's own here.",
    "complexity": "has no choice here.",
    "frame_count": "goes with GIF, which is not written here.",
    "frame_duration_ms": "goes with GIF, which is not written here.",
    "svg": "goes with SVG, which is not written here.",
    "markup": "is not read here. Where to edit is what a mask says.",
    "previews": "is called partial_images here.",
}
"""What OpenAI's models take and ours do not, and what has another name here → why."""

_OWN: Final = ("response_format", "stream", "partial_images", "user", "safety_identifier")
_MAX_USER: Final = 512
_json: Final = msgspec.json.Encoder(decimal_format="number")
_TYPES: Final = {429: "rate_limit_error", 402: "payment_required", 404: "not_found_error"}


@dataclass(frozen=True)
class Wish:
    """An edit as asked for at this door. `user` names the caller's own customer, for abuse monitoring."""

    form: schemas.EditForm
    response_format: str = "b64_json"
    stream: bool = False
    user: str = ""


def read(body: bytes, content_type: str) -> Wish:
    """JSON or multipart by content type. Raises BadRequest."""
    parsed = bodies.parse(body, content_type)
    return _read_form(parsed) if isinstance(parsed, multipart.Form) else _read_json(parsed)


def error_body(error: TollbrushError) -> dict[str, Any]:
    """`{"error": {"message", "type", "param", "code"}}`."""
    kind = _TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "server_error")
    told = {
        "message": error.sentence(),
        "type": "image_generation_user_error" if isinstance(error, ContentRefused) else kind,
        "param": error.details[0].path if error.details else None,
        "code": error.code,
    }
    if isinstance(error, PaymentRefused | PaymentRequired):
        told |= {"reason": getattr(error, "reason", error.code)}
    if isinstance(error, RateLimited):
        told |= {"source": error.source}
    return {"error": told}


def usage(told: Mapping[str, int]) -> dict[str, Any]:
    """What an engine consumed, as OpenAI tells it: dotted names are details, zeros stand for what needs no tokens."""
    shaped: dict[str, Any] = dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), 0)
    shaped["input_tokens_details"] = {"image_tokens": 0, "text_tokens": 0}
    for name, count in told.items():
        whole, _, part = name.partition(".")
        if part:
            shaped.setdefault(whole, {})[part] = count
        else:
            shaped[whole] = count
    return shaped


def event(name: str, content: Mapping[str, Any]) -> bytes:
    """One server-sent event; its data carries the name as `type` too."""
    data = _json.encode({"type": name, **content})
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


def _read_json(fields: dict[str, Any]) -> Wish:
    _check_refused(fields)
    own: dict[str, Any] = {name: fields.pop(name) for name in _OWN if name in fields}
    if "images" in fields:
        if "image" in fields:
            raise BadRequest("image and images are the same field; send one of them.", path="images")
        listed = fields.pop("images")
        fields["image"] = [_reference(one, "images") for one in listed] if isinstance(listed, list) else listed
    if isinstance(fields.get("mask"), dict):
        fields["mask"] = _reference(fields["mask"], "mask")
    return _wish(schemas.read_edit(fields), own)


def _read_form(form: multipart.Form) -> Wish:
    _check_refused(form.fields)
    own: dict[str, Any] = {name: form.fields.pop(name) for name in _OWN if name in form.fields}
    if own.get("stream") in ("true", "false"):
        own["stream"] = own["stream"] == "true"
    if own.get("partial_images", "") in ("0", "1", "2", "3"):
        own["partial_images"] = int(own["partial_images"])
    return _wish(schemas.read_edit_form(form), own)


def _wish(form: schemas.EditForm, own: Mapping[str, Any]) -> Wish:
    given = {name: value for name, value in own.items() if value is not None}
    stream, shape = given.get("stream", False), given.get("response_format", "b64_json")
    if not isinstance(stream, bool):
        raise BadRequest("stream must be true or false.", path="stream")
    check_choice(shape, "response_format", ("b64_json", "url"))
    if stream and shape == "url":
        raise UnsupportedParameter("a stream carries pictures, not URLs.", path="response_format")
    previews = check_int(given.get("partial_images", 0), "partial_images", 0, MAX_PREVIEWS)
    if previews and not stream:
        raise UnsupportedParameter("partial_images goes with stream.", path="partial_images")
    names = [_name(given[field], field) for field in ("safety_identifier", "user") if given.get(field)]
    fields = replace(form.fields, previews=previews)
    return Wish(replace(form, fields=fields), shape, stream, names[0] if names else "")


def _name(value: Any, field: str) -> str:
    if not isinstance(value, str) or len(value) > _MAX_USER:
        raise BadRequest(f"{field} must be text of at most {_MAX_USER} characters.", path=field)
    return value


def _check_refused(fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        why = REFUSED.get(name.partition("[")[0])
        if why and value is not None:
            message = f"{name[:60]} {why}"
            raise UnsupportedParameter(message, path=name[:60], details=(Detail(name[:60], message),), advice="")


def _reference(value: Any, path: str) -> Any:
    """A picture as OpenAI's JSON names it: `{"image_url": "data:…"}`."""
    if not isinstance(value, dict):
        return value
    if "file_id" in value:
        raise UnsupportedParameter(
            f"{path} names a file of OpenAI's, which is not here.", path=path, advice="Send it as a data URI."
        )
    if list(value) != ["image_url"] or not isinstance(value["image_url"], str):
        raise BadRequest(f'{path} must be {{"image_url": "data:…"}}.', path=path)
    return value["image_url"]
