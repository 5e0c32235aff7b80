"""The body of an edit: JSON or multipart, by its content type."""

from __future__ import annotations

from typing import Any

from tollbrush.errors import BadRequest
from tollbrush.wire import jsonbody, multipart


def parse(body: bytes, content_type: str) -> multipart.Form | dict[str, Any]:
    """A form or a JSON object. Raises BadRequest."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return multipart.parse(body, content_type)
    if kind in ("application/json", ""):
        return jsonbody.parse(body)
    raise BadRequest(
        f"content type {kind[:60]!r} is not read here.", advice="Send application/json or multipart/form-data."
    )
