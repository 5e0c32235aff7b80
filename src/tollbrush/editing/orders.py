"""Before any money: what was asked for, which engine answers, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tollbrush.domain.catalog import STUDIO, Catalog, Model
from tollbrush.domain.edits import MAX_SEED, EditRequest, Size
from tollbrush.domain.pricing import Price
from tollbrush.engines.interface import Assembled, Engine, Needs, Reframing
from tollbrush.errors import BadRequest, UnsupportedParameter


@dataclass(frozen=True)
class Plan:
    """Which model was asked for, which one answers, and through which engine; whether a mask bounds it."""

    requested: Model
    model: Model
    engine: Engine
    masked: bool


@dataclass(frozen=True)
class Order:
    """A plan with its size and its price for all images."""

    plan: Plan
    request: EditRequest
    priced_size: Size
    price: Price


class OrderDesk:
    """A model that the catalog calls available without an engine of its own is answered by the studio: a stand-in,
    and the delivery says so."""

    def __init__(self, catalog: Catalog, engines: Sequence[Engine]) -> None:
        self.catalog = catalog
        self._engines = {e.name: e for e in engines}

    def plan(self, fields: EditRequest, *, masked: bool, sources: int) -> Plan:
        """Size, model, prompt, abilities: every 400 that needs no picture. Raises BadRequest and its kin."""
        catalog = self.catalog
        requested = catalog.default if fields.model is None else catalog.find(fields.model)
        if fields.size is not None:
            catalog.price(requested, fields.size)
        catalog.require_available(requested)
        answering = requested if requested.engine in self._engines else catalog.models[STUDIO]
        plan = Plan(requested, answering, self._engines[answering.engine], masked)
        catalog.check_abilities(requested, masked=masked, sources=sources)
        catalog.check_abilities(answering, masked=masked, sources=sources)
        _check_parameters(plan, fields, masked=masked)
        if fields.prompt:
            plan.engine.plan(fields.prompt, masked=masked)
        return plan

    def price(self, plan: Plan, request: EditRequest, source: Size) -> Order:
        """What it costs; `source` (upright) decides for `auto`, and what the words make of its frame. Raises
        BadRequest, UnsupportedParameter."""
        if isinstance(plan.engine, Reframing) and request.prompt and not plan.masked:
            source = plan.engine.reframe(request.prompt, source) or source
        size = request.size or plan.requested.sizes.nearest(source)
        price = self.catalog.price(plan.requested, size, request.n)
        if isinstance(plan.engine, Assembled):
            sources = max(1, len(request.sources))
            plan.engine.require(
                plan.model.upstream, Needs(size, plan.masked, sources, request.quality, request.background)
            )
        return Order(plan, request, size, price)


def _check_parameters(plan: Plan, fields: EditRequest, *, masked: bool) -> None:
    """Nothing is silently ignored. Raises UnsupportedParameter, BadRequest."""
    if fields.mask_mode != "auto" and not masked:
        raise UnsupportedParameter("mask_mode goes with a mask.", path="mask_mode")
    if fields.seed is not None and fields.seed + fields.n - 1 > MAX_SEED:
        raise BadRequest(f"seed {fields.seed} leaves no room for {fields.n} images; at most {MAX_SEED}.", path="seed")
    if fields.fit is not None and fields.size is None:
        raise UnsupportedParameter("fit goes with a size; auto keeps the picture's own.", path="fit")
    caps = plan.engine.capabilities(plan.model.upstream)
    if fields.background == "transparent" and fields.output_format == "jpeg":
        raise BadRequest(
            "a transparent background does not go into a JPEG.", path="background", advice="Ask for png or webp."
        )
    for name, value, there in (
        ("quality", fields.quality, caps.qualities),
        ("background", fields.background, caps.backgrounds),
    ):
        if value is not None and value not in there:
            sold = f"Sold here: {', '.join(there)}; or leave it out." if there else "Leave it out."
            raise UnsupportedParameter(f"{name} {value} of {plan.model.id} is not sold here.", path=name, advice=sold)
    if fields.seed is not None and not caps.seed:
        raise UnsupportedParameter(f"{plan.model.id} takes no seed.", path="seed", advice="Leave it out.")
