"""The models for sale: sizes, base prices, abilities, licences. Rows of data and the rules over them. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, Literal

from tollbrush.domain.edits import Size
from tollbrush.domain.pricing import Price, with_margin
from tollbrush.errors import BadMask, BadRequest, BadSettings, ModelUnavailable, UnknownModel, UnsupportedParameter

STUDIO: Final = "tollbrush/studio"
GPT_IMAGE_1: Final = "openai/gpt-image-1"


@dataclass(frozen=True)
class SizeTable:
    """A fixed list of sizes, each with its base price in dollars."""

    prices: Mapping[Size, Decimal]

    def base(self, size: Size) -> Decimal | None:
        return self.prices.get(size)

    def listed(self) -> tuple[Size, ...]:
        return tuple(self.prices)

    def nearest(self, source: Size) -> Size:
        """The listed size whose aspect is nearest the source's: what `auto` takes, and what sets its price."""
        want = Decimal(source.width) / source.height
        return min(self.prices, key=lambda s: (max(want * s.height / s.width, s.width / (want * s.height)), -s.pixels))

    def describe(self) -> str:
        return ", ".join(map(str, self.prices))


@dataclass(frozen=True)
class FreeSizes:
    """Any size within [low, high] a side, priced by area: `tiers` maps a pixel count, inclusive, to a base price."""

    low: int
    high: int
    tiers: tuple[tuple[int, Decimal], ...]

    def base(self, size: Size) -> Decimal | None:
        if not all(self.low <= side <= self.high for side in (size.width, size.height)):
            return None
        return next((price for limit, price in self.tiers if size.pixels <= limit), None)

    def listed(self) -> tuple[Size, ...]:
        return (Size(1024, 1024), Size(1536, 1024), Size(1024, 1536), Size(2048, 2048), Size(4096, 4096))

    def nearest(self, source: Size) -> Size:
        """The source's own size: nothing needs to change. Raises BadRequest when it is out of range."""
        if self.base(source) is None:
            raise BadRequest(f"size auto keeps the picture's {source}; {self.describe()}.", path="size")
        return source

    def describe(self) -> str:
        return f"any WIDTHxHEIGHT from {self.low} to {self.high} a side, and auto"


@dataclass(frozen=True)
class Ability:
    """Something that words may ask of a model which does not take any words: its kind, and a prompt that asks it."""

    name: str
    example: str
    needs: Literal["", "mask"] = ""


@dataclass(frozen=True)
class Model:
    """One row of the catalog. `engine` names the engine kind that serves it, `upstream` the engine's own name.
    `abilities`: all that it can be asked; empty where any words do. `previews`: the most unfinished pictures that it
    shows of each image. `needs_mask`: it only fills what a mask marks."""

    id: str
    name: str
    provider: str
    description: str
    engine: str
    upstream: str
    sizes: SizeTable | FreeSizes
    mask: bool
    max_sources: int
    licence: str
    aliases: tuple[str, ...] = ()
    available: bool = False
    abilities: tuple[Ability, ...] = ()
    previews: int = 0
    needs_mask: bool = False


def _table(**prices: str) -> SizeTable:
    return SizeTable({Size.parse(size.removeprefix("s")): Decimal(price) for size, price in prices.items()})


MODELS: Final[tuple[Model, ...]] = (
    Model(
        GPT_IMAGE_1, "GPT Image 1", "openai", "Rebuilds the picture from words; masks bound the edit.",
        engine="openai", upstream="gpt-image-1", mask=True, max_sources=4, licence="OpenAI terms of use",
        sizes=_table(s1024x1024="0.02", s1536x1024="0.04", s1024x1536="0.04"),
        aliases=("gpt-image", "gpt-image-1"),
    ),
    Model(
        "openai/gpt-image-2", "GPT Image 2", "openai", "OpenAI's larger image model; masks bound the edit.",
        engine="openai", upstream="gpt-image-2", mask=True, max_sources=4, licence="OpenAI terms of use",
        sizes=_table(s1024x1024="0.06", s1536x1024="0.12", s1024x1536="0.12"),
        aliases=("gpt-image-2",),
    ),
    Model(
        "google/nano-banana", "Nano Banana", "google", "Gemini 2.5 Flash Image: quick edits from words.",
        engine="google", upstream="gemini-2.5-flash-image", mask=False, max_sources=3, licence="Google API terms",
        sizes=_table(s1024x1024="0.05"), aliases=("nano-banana",),
    ),
    Model(
        "google/nano-banana-pro", "Nano Banana Pro", "google", "Gemini 3 Pro Image, up to 4096 pixels.",
        engine="google", upstream="gemini-3-pro-image", mask=False, max_sources=3, licence="Google API terms",
        sizes=_table(s1024x1024="0.10", s2048x2048="0.10", s4096x4096="0.15"), aliases=("nano-banana-pro",),
    ),
    Model(
        STUDIO, "Studio", "tollbrush",
        "The embedded editor: backgrounds, removal, tones, hats. No key, no weights; refuses what it cannot do.",
        engine="studio", upstream="studio", mask=True, max_sources=1, licence="Apache-2.0",
        sizes=FreeSizes(64, 4096, ((1_500_000, Decimal("0.002")), (4096 * 4096, Decimal("0.005")))),
        aliases=("studio",),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Catalog:
    """The models with this gateway's margin, price changes and availability."""

    models: Mapping[str, Model]
    margin: Decimal = Decimal("0.05")
    overrides: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        available: frozenset[str],
        *,
        margin: Decimal = Decimal("0.05"),
        overrides: Mapping[str, Mapping[str, Decimal]] | None = None,
        models: tuple[Model, ...] = MODELS,
    ) -> Catalog:
        """`available` holds the ids with a working engine; `overrides` maps model id → size → base price. Raises
        BadSettings where that names what there is not."""
        rows = {m.id: replace(m, available=m.id in available) for m in models}
        catalog = cls(rows, margin, overrides or {})
        for name, prices in catalog.overrides.items():
            if name not in rows:
                raise BadSettings(f"prices names the model {name!r}; known: {', '.join(rows)}.")
            for size in prices:
                catalog._check_size(rows[name], size)
        return catalog

    @staticmethod
    def _check_size(model: Model, size: str) -> None:
        try:
            offered = model.sizes.base(Size.parse(size)) is not None
        except BadRequest:
            offered = False
        if not offered:
            raise BadSettings(f"prices names the size {size!r} of {model.id}; offered: {model.sizes.describe()}.")

    def find(self, name: str) -> Model:
        """By id or alias. Raises UnknownModel."""
        for model in self.models.values():
            if name == model.id or name in model.aliases:
                return model
        raise UnknownModel(f"model {name[:80]!r} is unknown; known: {', '.join(self.models)}.", path="model")

    @property
    def default(self) -> Model:
        """What a request without `model` gets."""
        preferred = (self.models[GPT_IMAGE_1], self.models[STUDIO], *self.models.values())
        return next((m for m in preferred if m.available), self.models[STUDIO])

    def require_available(self, model: Model) -> None:
        """Raises ModelUnavailable naming what is available."""
        if not model.available:
            there = ", ".join(m.id for m in self.models.values() if m.available) or "none"
            raise ModelUnavailable(f"model {model.id} has no engine on this gateway; available: {there}.", path="model")

    def price(self, model: Model, size: Size, n: int = 1) -> Price:
        """What `n` images of this size cost, margin included. Raises BadRequest on a size the model has not."""
        base = self.overrides.get(model.id, {}).get(str(size)) if model.sizes.base(size) is not None else None
        base = model.sizes.base(size) if base is None else base
        if base is None:
            offered = model.sizes.describe()
            raise BadRequest(f"size {size} is not offered by {model.id}; offered: {offered}.", path="size")
        return with_margin(base, self.margin) * n

    def check_abilities(self, model: Model, *, masked: bool, sources: int) -> None:
        """Raises UnsupportedParameter for a mask or a number of sources that the model cannot honour, BadMask where it
        needs one."""
        if model.needs_mask and not masked:
            raise BadMask(f"{model.id} only fills what a mask marks, and there is none.", path="mask")
        if masked and not model.mask:
            able = ", ".join(m.id for m in self.models.values() if m.mask and m.available) or "none here"
            raise UnsupportedParameter(f"{model.id} takes no mask.", path="mask", advice=f"Models that do: {able}.")
        if masked and sources > 1:
            raise UnsupportedParameter("a mask goes with one image, not with several.", path="mask")
        if sources > model.max_sources:
            raise UnsupportedParameter(
                f"{model.id} takes at most {model.max_sources} image(s), not {sources}.", path="image"
            )
