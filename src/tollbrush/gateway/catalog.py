"""What is for sale: models, prices, quotes, and the documents that describe them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tollbrush.domain.catalog import Catalog, Model
from tollbrush.domain.edits import Size
from tollbrush.domain.networks import BY_ID
from tollbrush.editing.service import EditingService
from tollbrush.errors import BadRequest, NotFound, UnknownModel
from tollbrush.gateway import edits, openapi
from tollbrush.gateway.edge import called_base, read_body
from tollbrush.gateway.problems import answer
from tollbrush.settings import GatewaySettings
from tollbrush.wire import jsonbody, schemas, x402

MODEL_PATHS: Final = ("/api/v1/models", "/api/v1/images/models", "/v1/models")
ONE_MODEL_PATHS: Final = ("/api/v1/models/{id:path}", "/v1/models/{id:path}")
QUOTE_PATHS: Final = ("/api/v1/images/quote", "/v1/images/quote")
_QUOTE_BODY: Final = 512 * 1024


class Shop:
    """Answers the catalog's routes."""

    def __init__(self, service: EditingService, settings: GatewaySettings) -> None:
        self._service, self._settings = service, settings

    async def models(self, request: Request) -> Response:
        return answer({"object": "list", "data": self._rows()})

    async def model(self, request: Request) -> Response:
        """One row, by id or alias. Raises NotFound."""
        catalog, name = self._service.desk.catalog, request.path_params["id"]
        try:
            return answer(model_row(catalog, catalog.find(name)))
        except UnknownModel as unknown:
            raise NotFound(unknown.message, advice=unknown.hint) from unknown

    async def pricing(self, request: Request) -> Response:
        return answer({"models": self._rows()})

    async def quote(self, request: Request) -> Response:
        """A price ready to sign, or the 400 that the edit would get; no image is sent."""
        body = await read_body(request, limit=_QUOTE_BODY, seconds=self._settings.limits.body_seconds)
        form = schemas.read_quote(jsonbody.parse(body))
        plan = self._service.desk.plan(form.fields, masked=form.masked, sources=1)
        if form.source is not None and form.source.pixels > self._settings.limits.image_pixels:
            most = self._settings.limits.image_pixels
            raise BadRequest(f"A picture of {form.source} has over {most:,} pixels.", path="width")
        source = form.source or form.fields.size
        if source is None:
            raise BadRequest("size auto is priced by the picture.", path="width", advice="Send width and height too.")
        order = self._service.desk.price(plan, form.fields, source)
        offers = self._service.cashier.gate.offers(order.price, svm_only=request.state.svm_only)
        content = {
            "price": order.price.wire(),
            "accepts": x402.accepts_v2(offers),
            "resource": self._resource(request),
            "model": plan.model.id,
            "size": str(order.priced_size),
            "n": form.fields.n,
            "uploads": ["application/json", "multipart/form-data"],
        }
        if plan.model.id != plan.requested.id:
            content["requested_model"] = plan.requested.id
        return answer(content, headers={"Cache-Control": "no-store"})

    async def discovery(self, request: Request) -> Response:
        """`/.well-known/x402`: the paid resource with its cheapest offer, and the networks."""
        catalog = self._service.desk.catalog
        price = catalog.price(catalog.default, catalog.default.sizes.listed()[0])
        offers = self._service.cashier.gate.offers(price, svm_only=request.state.svm_only)
        resource = self._resource(request)
        item = {
            "resource": resource["url"],
            "type": "http",
            "method": "POST",
            "x402Version": 2,
            "accepts": x402.accepts_v2(offers),
            "description": resource["description"],
            "mimeType": resource["mimeType"],
        }
        content = {
            "version": 1,
            "x402Version": 2,
            "resources": [resource["url"]],
            "items": [item],
            "networks": [{"id": o.network, "v1": BY_ID[o.network].v1, "asset": o.asset} for o in offers],
            "openapi": called_base(request) + "/openapi.json",
        }
        return answer(content)

    async def described(self, request: Request) -> Response:
        return answer(openapi.document(self._service.desk.catalog))

    async def llms(self, request: Request) -> Response:
        """The API in a page, for readers that are programs."""
        base = called_base(request)
        lines = [
            "# tollbrush",
            "",
            "> Pay-per-edit image editing: POST a picture and words, pay USDC per call over x402, get a picture.",
            "",
            f"- Edit: POST {base}{edits.PATHS[0]} with JSON {{model, prompt, image, mask?, size?, n?}}; images are",
            "  data URIs, a mask is white where to edit. Unpaid it answers 402 with x402 requirements; sign one of",
            "  them and send the request again with the X-Payment header.",
            f"- Price first: POST {base}{QUOTE_PATHS[0]} with {{model, size, n, prompt}}.",
            f"- With OpenAI's SDK: base_url {base}/v1, images.edit(…); unpaid it answers 402 in the same way.",
            f"- Models: GET {base}{MODEL_PATHS[0]}",
            f"- Everything: {base}/openapi.json",
            "",
            "## Models",
            "",
        ]
        lines += [f"- {r['id']}: {r['description']} {_prices(r['pricing'])}" for r in self._rows() if r["available"]]
        return PlainTextResponse("\n".join(lines) + "\n")

    def _resource(self, request: Request) -> dict[str, str]:
        url = called_base(request) + request.state.prefix + edits.PATHS[0]
        return {"url": url, "description": "Edit an image.", "mimeType": "application/json"}

    def _rows(self) -> list[dict[str, Any]]:
        return [model_row(self._service.desk.catalog, m) for m in self._service.desk.catalog.models.values()]


def model_row(catalog: Catalog, model: Model) -> dict[str, Any]:
    """One model as listed; prices are what the caller pays, margin included, in dollars."""
    pricing = {str(size): _dollars(catalog, model, size) for size in model.sizes.listed()}
    row: dict[str, Any] = {
        "id": model.id,
        "object": "model",
        "created": 0,
        "owned_by": model.provider,
        "name": model.name,
        "provider": model.provider,
        "description": model.description,
        "categories": ["image"],
        "price_per_image": min(pricing.values()),
        "available": model.available,
        "pricing": pricing,
        "sizes": [*pricing, "auto"],
        "size_rule": model.sizes.describe(),
        "mask": model.mask,
        "max_sources": model.max_sources,
        "licence": model.licence,
        "aliases": list(model.aliases),
    }
    if model.previews:
        row["previews"] = model.previews
    if model.abilities:
        row["abilities"] = [
            {"name": a.name, "example": a.example, **({"needs": a.needs} if a.needs else {})} for a in model.abilities
        ]
    return row


def _dollars(catalog: Catalog, model: Model, size: Size) -> Decimal:
    return catalog.price(model, size).dollars.normalize()


def _prices(pricing: dict[str, Decimal]) -> str:
    return "; ".join(f"{size} ${price}" for size, price in pricing.items())
