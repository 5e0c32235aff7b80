"""Which engines this gateway has: all that are configured, or none of a kind."""

from __future__ import annotations

from tollbrush.domain.catalog import GPT_IMAGE_1, MODELS
from tollbrush.engines.interface import Engine
from tollbrush.errors import BadSettings
from tollbrush.settings import EngineSettings, Settings


def build(settings: EngineSettings) -> list[Engine]:
    """The configured engines, not started yet. Heavy libraries load only for the engines that are built."""
    engines: list[Engine] = []
    if settings.openai.api_key.get_secret_value():
        from tollbrush.engines.openai import OpenAIEngine

        engines.append(OpenAIEngine(settings.openai))
    if settings.google.api_key.get_secret_value():
        from tollbrush.engines.google import GoogleEngine

        engines.append(GoogleEngine(settings.google))
    if settings.studio.enabled:
        from tollbrush.engines.studio.engine import StudioEngine

        engines.append(StudioEngine(settings.studio))
    return engines


def available(engines: list[Engine], settings: Settings) -> frozenset[str]:
    """Ids of the models that can be sold: those with an engine, and with `stand_in` gpt-image-1 through the studio."""
    known = {m.id for m in MODELS}
    if strange := set(settings.disabled_models) - known:
        raise BadSettings(f"disabled_models names {sorted(strange)[0]!r}; known: {', '.join(sorted(known))}.")
    kinds = {e.name for e in engines}
    sold = {m.id for m in MODELS if m.engine in kinds}
    if settings.stand_in and "studio" in kinds:
        sold.add(GPT_IMAGE_1)
    return frozenset(sold - set(settings.disabled_models))
