"""The schemas of `/openapi.json`: what is sent and what comes back."""

from __future__ import annotations

from typing import Any, Final

from tollbrush.domain.catalog import Catalog
from tollbrush.domain.edits import (
    BACKGROUNDS,
    FITS,
    MASK_MODES,
    MAX_N,
    MAX_PREVIEWS,
    MAX_PROMPT,
    MAX_SEED,
    OUTPUT_FORMATS,
    QUALITIES,
)
from tollbrush.wire.schemas import DEFAULT_SIZE

STRING: Final = {"type": "string"}
INTEGER: Final = {"type": "integer"}
_IF_SOLD: Final = "Where the model has the choice and its price covers it; auto leaves it to the model."
_AT_MOST: Final = "At most so many unfinished pictures of each image, as thumbnails in the job's `preview`."


def edit_fields(catalog: Catalog, *, files: bool = False) -> dict[str, Any]:
    picture: dict[str, Any] = {"type": "string", "description": "PNG, JPEG, WebP or still GIF as a data URI."}
    if files:
        picture = {"type": "string", "format": "binary"}
    many = {"type": "array", "items": picture, "minItems": 1}
    names = [name for m in catalog.models.values() for name in (m.id, *m.aliases)]
    return {
        "model": {"type": "string", "enum": names, "default": catalog.default.id},
        "prompt": {"type": "string", "minLength": 1, "maxLength": MAX_PROMPT},
        "image": {"anyOf": [picture, many]},
        "mask": picture | {"description": "White where to edit, black where to keep; the picture's size."},
        "size": {
            "type": "string",
            "pattern": "^([1-9][0-9]{0,4}x[1-9][0-9]{0,4}|auto)$",
            "default": DEFAULT_SIZE,
            "description": "What the model offers, see /api/v1/models; auto keeps the picture's.",
        },
        "n": {"type": "integer", "minimum": 1, "maximum": MAX_N, "default": 1},
        "seed": {"type": "integer", "minimum": 0, "maximum": MAX_SEED},
        "fit": {"type": "string", "enum": list(FITS)},
        "mask_mode": {"type": "string", "enum": list(MASK_MODES), "default": "auto"},
        "output_format": {"type": "string", "enum": list(OUTPUT_FORMATS), "default": "png"},
        "quality": {"type": "string", "enum": [*QUALITIES, "auto"], "description": _IF_SOLD},
        "background": {"type": "string", "enum": [*BACKGROUNDS, "auto"], "description": _IF_SOLD},
        "previews": {"type": "integer", "minimum": 0, "maximum": MAX_PREVIEWS, "default": 0, "description": _AT_MOST},
    }


def schemas(catalog: Catalog) -> dict[str, Any]:
    image = {
        "type": "object",
        "required": ["url", "revised_prompt"],
        "properties": {
            "url": {"type": "string", "format": "uri"},
            "revised_prompt": STRING,
            "preserved": {"type": ["boolean", "null"]},
            "edited_fraction": {"type": ["number", "null"]},
            "seed": INTEGER,
            "width": INTEGER,
            "height": INTEGER,
            "mime_type": STRING,
            "sha256": STRING,
        },
    }
    return {
        "EditRequest": {
            "type": "object",
            "required": ["prompt", "image"],
            "properties": edit_fields(catalog),
            "additionalProperties": False,
        },
        "EditResult": {
            "type": "object",
            "required": ["created", "data", "price", "payment", "model"],
            "properties": {
                "created": INTEGER,
                "data": {"type": "array", "items": image},
                "price": {"type": "object", "required": ["amount", "currency"]},
                "payment": {"type": "object", "required": ["status", "tx_hash", "network"]},
                "model": STRING,
                "requested_model": STRING,
                "id": STRING | {"description": "Of a polled job, as are object and status."},
                "object": STRING,
                "status": STRING,
            },
        },
        "Job": {
            "type": "object",
            "required": ["id", "object", "status", "model", "payment_status"],
            "properties": {
                "id": STRING,
                "object": {"const": "image.generation.job"},
                "status": {"enum": ["queued", "in_progress"]},
                "model": STRING,
                "payment_status": {"const": "verified"},
                "queue_position": INTEGER,
                "progress": {"type": ["number", "null"]},
                "preview": STRING | {"description": "The newest unfinished picture, 256 pixels at most: a data URI."},
                "size": STRING,
                "n": INTEGER,
                "price": {"type": "object", "required": ["amount", "currency"]},
                "created": INTEGER,
                "poll_url": STRING,
                "poll_instructions": STRING,
            },
        },
        "EndedJob": {
            "type": "object",
            "required": ["id", "object", "status", "model", "error", "code", "payment_status"],
            "properties": {
                "id": STRING,
                "object": {"const": "image.generation.job"},
                "status": {"enum": ["failed", "cancelled"]},
                "model": STRING,
                "error": STRING,
                "code": STRING,
                "payment_status": {"const": "not_charged"},
            },
        },
        "NoJob": {
            "type": "object",
            "required": ["error"],
            "properties": {"error": {"const": "Job not found"}},
            "additionalProperties": False,
        },
        "Problem": {
            "type": "object",
            "required": ["error", "code", "message"],
            "properties": {
                "error": STRING,
                "code": STRING,
                "message": STRING,
                "reason": STRING,
                "details": {
                    "anyOf": [
                        STRING,
                        {"type": "array", "items": {"type": "object", "required": ["path", "message"]}},
                    ]
                },
            },
        },
    }
