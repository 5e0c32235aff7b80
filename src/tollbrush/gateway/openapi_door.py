"""What `/openapi.json` says of the door in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tollbrush.domain.catalog import Catalog
from tollbrush.domain.edits import MAX_PREVIEWS
from tollbrush.gateway.openapi_schemas import INTEGER, STRING, edit_fields
from tollbrush.wire.openai import REFUSED

_JSON: Final = "application/json"
_OWN: Final = {
    "response_format": {"type": "string", "enum": ["b64_json", "url"], "default": "b64_json"},
    "stream": {"type": "boolean", "default": False, "description": "Server-sent events; previews are thumbnails."},
    "partial_images": {"type": "integer", "minimum": 0, "maximum": MAX_PREVIEWS, "default": 0},
    "user": STRING,
    "safety_identifier": STRING,
}


def operation(catalog: Catalog, parameters: list[dict[str, Any]], errors: Mapping[int, str]) -> dict[str, Any]:
    """The POST; `errors`: status → when."""
    problem = {"schema": {"$ref": "#/components/schemas/OpenAIProblem"}}
    form, body = (edit_fields(catalog, files=files) | _OWN for files in (True, False))
    del form["previews"], body["previews"]  # partial_images here
    reference = {"type": "object", "required": ["image_url"], "properties": {"image_url": STRING}}
    body["images"] = {"type": "array", "minItems": 1, "items": reference, "description": "Instead of image."}
    body["mask"] = {"anyOf": [body["mask"], reference]}
    return {
        "operationId": "openaiEdit",
        "summary": "The edit as OpenAI's SDK asks for it. Holds the connection; never answers 202. "
        f"Refused by name: {', '.join(REFUSED)}.",
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {
                _JSON: {"schema": {"type": "object", "required": ["prompt"], "properties": body}},
                "multipart/form-data": {"schema": {"type": "object", "required": ["prompt"], "properties": form}},
            },
        },
        "responses": {
            "200": {
                "description": "The edit, paid for; or the events of a stream: image_edit.partial_image, "
                "image_edit.completed, error.",
                "content": {
                    _JSON: {"schema": {"$ref": "#/components/schemas/OpenAIResult"}},
                    "text/event-stream": {"schema": STRING},
                },
            },
            **{str(status): {"description": when, "content": {_JSON: problem}} for status, when in errors.items()},
        },
    }


def schemas(image: Mapping[str, Any]) -> dict[str, Any]:
    """`image`: a row of `data` at the other door."""
    return {
        "OpenAIResult": {
            "type": "object",
            "required": ["created", "data", "usage", "price", "payment", "model"],
            "properties": {
                "created": INTEGER,
                "data": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"b64_json": STRING, **image["properties"]}},
                },
                "output_format": STRING,
                "size": STRING,
                "quality": STRING,
                "background": STRING,
                "safety_identifier": STRING,
                "usage": {"type": "object", "required": ["input_tokens", "output_tokens", "total_tokens"]},
                "price": {"type": "object", "required": ["amount", "currency"]},
                "payment": {"type": "object", "required": ["status", "tx_hash", "network"]},
                "model": STRING,
                "requested_model": STRING,
            },
        },
        "OpenAIProblem": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["message", "type", "param", "code"],
                    "properties": {"message": STRING, "type": STRING, "param": {"type": ["string", "null"]}},
                }
            },
        },
    }
