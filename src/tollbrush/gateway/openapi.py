"""`/openapi.json`: written from the same rules that the handlers enforce."""

from __future__ import annotations

from typing import Any, Final

from tollbrush import __version__
from tollbrush.domain.catalog import Catalog
from tollbrush.gateway import openapi_door
from tollbrush.gateway.openapi_schemas import INTEGER, STRING, edit_fields, schemas
from tollbrush.gateway.problems import OPENAI_EDITS

_ERRORS: Final = {
    400: "The request is wrong; `details` names the field.",
    402: "Payment is required, or the one presented was refused (`reason`). Requirements in header (v2) and body (v1).",
    403: "The upstream model's content policy refused; nothing was charged.",
    404: "This payment's edit was delivered, and its pictures are no longer kept.",
    409: "This payment is at work on another request.",
    413: "The body is over the limit.",
    429: "Too many requests, here or upstream; `Retry-After` says when.",
    500: "Our or upstream's fault; nothing was charged.",
    503: "No capacity, or a settlement whose outcome is not known yet: send the same payment again.",
    504: "The edit ran past its limit; nothing was charged.",
}


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": STRING, "description": description}


_PAYMENT: Final = [_header(name, "Signed x402 payment.") for name in ("X-Payment", "PAYMENT-SIGNATURE")]
_JOB_PARAMETERS: Final = [
    {"name": "id", "in": "path", "required": True, "schema": STRING},
    *_PAYMENT,
    _header("X-Poll-Wallet", "A Solana wallet that polls without a payment."),
    _header("X-Poll-Timestamp", "Unix seconds, within 300 of now."),
    _header("X-Poll-Signature", "ed25519 over `blockrun-poll:v1:image:<id>:<timestamp>`, base58 or base64."),
]


def document(catalog: Catalog) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    edit = _edit_operation(catalog)
    parts = schemas(catalog)
    door = openapi_door.operation(catalog, _PAYMENT, _ERRORS)
    listing = {"get": _get("The models, with prices in dollars, margin included.", "Models")}
    paths: dict[str, Any] = {
        "/api/v1/images/image2image": {"post": edit},
        "/v1/images/image2image": {"post": edit | {"operationId": "editAlias", "summary": "Alias of the edit."}},
        "/api/v1/images/generations/{id}": {"get": _poll_operation(), "delete": _cancel_operation()},
        "/api/v1/images/quote": {"post": _quote_operation(catalog)},
        OPENAI_EDITS[0]: {"post": door},
        OPENAI_EDITS[1]: {"post": door | {"operationId": "openaiEditAlias", "summary": f"Alias of {OPENAI_EDITS[0]}."}},
        "/api/v1/models": listing,
        "/v1/models": {"get": listing["get"] | {"operationId": "modelsAlias"}},
        "/v1/models/{id}": {"get": _model_operation()},
        "/api/pricing": {"get": _get("The same rows as /api/v1/models.", "Pricing")},
        "/images/{key}": {"get": _image_operation()},
        "/v1/networks/{name}/blockhash": {"get": _blockhash_operation()},
        "/.well-known/x402": {"get": _get("What is sold here and on which networks.", "Discovery")},
        "/healthz": {"get": _get("The process is alive.", "Health")},
        "/readyz": {"get": _get("Money can be taken and results stored.", "Ready")},
        "/metrics": {"get": _metrics_operation()},
    }
    paths["/readyz"]["get"]["responses"]["503"] = _json("What keeps it from being ready, by part.", {"type": "object"})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tollbrush",
            "version": __version__,
            "description": "Pay-per-edit image editing: USDC per call over x402, on Base and on Solana. "
            "Every route also answers under /sol, where Solana alone is offered.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": parts | openapi_door.schemas(parts["EditResult"]["properties"]["data"]["items"])},
    }


def _edit_operation(catalog: Catalog) -> dict[str, Any]:
    prefer = _header("Prefer", "`wait=N` holds the request for N seconds before it is answered 202.")
    form = {"type": "object", "required": ["prompt", "image"], "properties": edit_fields(catalog, files=True)}
    return {
        "operationId": "edit",
        "summary": "Edit a picture with words, inside a mask if one is given.",
        "parameters": [*_PAYMENT, prefer],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/EditRequest"}},
                "multipart/form-data": {"schema": form},
            },
        },
        "responses": {
            "200": _json("The edit, paid for and hosted.", _ref("EditResult")),
            "202": _json("Not ready in time: a job to be polled. Nothing is charged yet.", _ref("Job")),
            **{str(status): _json(text, _ref("Problem")) for status, text in _ERRORS.items()},
        },
    }


def _poll_operation() -> dict[str, Any]:
    done = {"anyOf": [_ref("EditResult"), _ref("EndedJob")]}
    return {
        "operationId": "poll",
        "summary": "A job, to its payer: settled once when it is ready, by the kept payment or the one sent along.",
        "parameters": _JOB_PARAMETERS,
        "responses": {
            "200": _json("Ready and paid for, or ended without a result and uncharged.", done),
            "202": _json("Still at work; `Retry-After` says when to ask again.", _ref("Job")),
            **{str(s): _json(_ERRORS[s], _ref("Problem")) for s in (400, 402, 409, 503)},
            "404": _json("No such job, or not the caller's.", _ref("NoJob")),
        },
    }


def _cancel_operation() -> dict[str, Any]:
    return {
        "operationId": "cancel",
        "summary": "End a job that is not paid for.",
        "parameters": _JOB_PARAMETERS,
        "responses": {
            "200": _json("Ended; nothing is charged.", _ref("EndedJob")),
            **{str(s): _json(_ERRORS[s], _ref("Problem")) for s in (400, 402)},
            "404": _json("No such job, or not the caller's.", _ref("NoJob")),
            "409": _json("It is paid for, or its payment is being settled.", _ref("Problem")),
        },
    }


def _quote_operation(catalog: Catalog) -> dict[str, Any]:
    fields = edit_fields(catalog)
    properties = {name: fields[name] for name in ("model", "size", "n", "prompt", "quality", "background")}
    properties |= {"width": INTEGER, "height": INTEGER, "masked": {"type": "boolean"}}
    return {
        "operationId": "quote",
        "summary": "A price ready to sign, or the 400 that the edit would get. No image is sent.",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object", "properties": properties, "additionalProperties": False}
                }
            },
        },
        "responses": {
            "200": _json("The price and x402 v2 entries.", {"type": "object", "required": ["price", "accepts"]}),
            **{str(s): _json(_ERRORS[s], _ref("Problem")) for s in (400, 413, 503)},
        },
    }


def _model_operation() -> dict[str, Any]:
    return {
        "operationId": "model",
        "summary": "One model, by id or alias.",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": STRING}],
        "responses": {
            "200": _json("The model's row.", {"type": "object"}),
            "404": _json("No such model.", _ref("OpenAIProblem")),
        },
    }


def _image_operation() -> dict[str, Any]:
    return {
        "operationId": "image",
        "summary": "A hosted result; immutable.",
        "parameters": [{"name": "key", "in": "path", "required": True, "schema": STRING}],
        "responses": {
            "200": {"description": "The picture.", "content": {"image/*": {"schema": STRING}}},
            "304": {"description": "The caller has it already."},
            "404": _json("No such image.", _ref("Problem")),
        },
    }


def _blockhash_operation() -> dict[str, Any]:
    held = STRING | {"description": "USDC that the payer holds, in atomic units."}
    fields = {"network": STRING, "blockhash": STRING, "balance": held}
    schema = {"type": "object", "required": ["network", "blockhash"], "properties": fields}
    return {
        "operationId": "blockhash",
        "summary": "A recent block of a Solana network, by its v1 name: what a payment from a browser is signed over.",
        "parameters": [
            {"name": "name", "in": "path", "required": True, "schema": STRING},
            {"name": "payer", "in": "query", "schema": STRING, "description": "Whose `balance` to tell."},
        ],
        "responses": {
            "200": _json("Some seconds old at most.", schema),
            "400": _json("`payer` is no address.", _ref("Problem")),
            "404": _json("Not a network that is sold on, or one that needs none.", _ref("Problem")),
            **{str(s): _json(_ERRORS[s], _ref("Problem")) for s in (429, 503)},
        },
    }


def _metrics_operation() -> dict[str, Any]:
    return {
        "operationId": "metrics",
        "summary": "Takings, queues and troubles for Prometheus, to the addresses that `gateway.metrics_from` names.",
        "responses": {
            "200": {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": STRING}}},
            "404": _json("Not for this address.", _ref("Problem")),
        },
    }


def _get(summary: str, name: str) -> dict[str, Any]:
    return {
        "operationId": name.lower(),
        "summary": summary,
        "responses": {"200": _json(summary, {"type": "object"})},
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
