"""Which engines this gateway has, and which models it can sell with them."""

from __future__ import annotations

from dataclasses import replace

from tollbrush.domain.catalog import GPT_IMAGE_1, STUDIO, Catalog, Model
from tollbrush.engines import own_models
from tollbrush.engines.diffusion import served as diffusion
from tollbrush.engines.interface import Engine
from tollbrush.errors import BadSettings
from tollbrush.settings import Settings, UpstreamSettings


def build(settings: Settings) -> list[Engine]:
    """The configured engines, not started yet. Heavy libraries load only for the engines that are built. Raises
    BadSettings."""
    engines: list[Engine] = []
    openai, google, studio = settings.engines.openai, settings.engines.google, settings.engines.studio
    if _common(settings) or any(model.engine == "openai" for model in settings.models.values()):
        from tollbrush.engines.openai import OpenAIEngine

        priced = Catalog.build(
            frozenset(), margin=settings.margin, overrides=settings.prices, models=own_models.rows(settings)
        )
        engines.append(OpenAIEngine(openai, own_models.served(settings, priced, _common(settings))))
    if google.api_key.get_secret_value():
        from tollbrush.engines.google import GoogleEngine

        own_models.check_url("engines.google", google.base_url)
        engines.append(GoogleEngine(google))
    if studio.enabled:
        from tollbrush.engines.studio.engine import StudioEngine

        engines.append(StudioEngine(studio))
    if diffusion.wanted(settings):
        engines.append(_diffusion(settings))
    return engines


def _diffusion(settings: Settings) -> Engine:
    """On this machine's GPUs, or on a Ray cluster's."""
    from tollbrush.engines.diffusion.pins import Pins

    ours, ray, pins = settings.engines.diffusion, settings.engines.ray, Pins(settings.data_dir)
    rows = diffusion.served(settings, pins)
    if ray.addresses:
        from tollbrush.engines.diffusion.ray.engine import RayEngine

        return RayEngine(ray, rows, cache=ours.cache)
    from tollbrush.engines.diffusion.engine import DiffusionEngine

    return DiffusionEngine(ours, rows, pins)


def catalog(engines: list[Engine], settings: Settings) -> Catalog:
    """The models for sale: those with an engine, as far as it can, and with `stand_in` gpt-image-1 through the
    studio. Raises BadSettings."""
    rows = own_models.rows(settings)
    known = {m.id for m in rows}
    if strange := set(settings.disabled_models) - known:
        raise BadSettings(f"disabled_models names {sorted(strange)[0]!r}; known: {', '.join(sorted(known))}.")
    kinds = {e.name: e for e in engines}
    able = {m.id: _able(m, kinds[m.engine]) for m in rows if m.engine in kinds and _served(m, settings)}
    sold = set(able)
    if settings.stand_in and "studio" in kinds:
        sold.add(GPT_IMAGE_1)
        if GPT_IMAGE_1 not in able:  # the studio's words are all that works in its name
            row = next(m for m in rows if m.id == GPT_IMAGE_1)
            able[GPT_IMAGE_1] = replace(row, abilities=able[STUDIO].abilities)
    return Catalog.build(
        frozenset(sold - set(settings.disabled_models)),
        margin=settings.margin,
        overrides=settings.prices,
        models=tuple(able.get(m.id, m) for m in rows),
    )


def _able(model: Model, engine: Engine) -> Model:
    """The row without what no server of it honours."""
    caps = engine.capabilities(model.upstream)
    sources = min(model.max_sources, caps.max_sources)
    return replace(
        model,
        mask=caps.masks and (model.mask or caps.needs_mask),
        needs_mask=caps.needs_mask,
        max_sources=sources,
        abilities=caps.abilities,
        previews=caps.previews,
    )


def _served(model: Model, settings: Settings) -> bool:
    return model.engine != "openai" or model.id in settings.models or bool(_common(settings))


def _common(settings: Settings) -> tuple[UpstreamSettings, ...]:
    return settings.engines.openai.common()
