"""What the operator's settings have this engine serve: known models and their own, each at its pinned commit."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from tollbrush.domain.catalog import Model
from tollbrush.domain.edits import Size
from tollbrush.domain.licences import Licence, check_sale, licence
from tollbrush.engines.diffusion.model import DiffusionModel, Tuning
from tollbrush.engines.diffusion.pins import Pins, is_commit
from tollbrush.engines.diffusion.rows import DEFAULT, KNOWN, UNSOLD, Known, named
from tollbrush.errors import BadRequest, BadSettings
from tollbrush.settings import DiffusionSettings, ModelSettings, Settings, WeightsSettings

_log: Final = structlog.get_logger(__name__)


def wanted(settings: Settings) -> bool:
    """Whether this gateway has the engine."""
    return settings.engines.diffusion.enabled or bool(_own(settings))


def catalog_rows(settings: Settings) -> tuple[Model, ...]:
    """The known models that are for sale here. Raises BadSettings, also for one whose licence forbids it."""
    licensed = licences(settings)
    chosen = _chosen(settings)
    for row in chosen:
        check_sale(row.id, row.terms, licensed)
    return tuple(row.model() for row in chosen)


def licences(settings: Settings) -> frozenset[str]:
    """The models that the operator holds another licence for."""
    return frozenset(name.lower() for name in settings.licensed)


def check_own(name: str, model: ModelSettings, licensed: frozenset[str]) -> str:
    """The licence of one's own model, as the catalog tells it. What is known of a hub id counts, whatever the settings
    call its licence. Raises BadSettings."""
    terms = licence(model.licence)
    if model.engine == "diffusion":
        where = f"models.{name!r}"
        weights = _weights(name, model)
        if model.upstreams or model.upstream:
            raise BadSettings(f'{where}: engine is "diffusion", which runs here; leave its upstreams out.')
        terms = _terms(model, weights)
    elif model.weights is not None:
        raise BadSettings(f'models.{name!r}: weights are run by engine = "diffusion", not by {model.engine!r}.')
    check_sale(name, terms, licensed)
    return terms.told()


def served(settings: Settings, pins: Pins) -> tuple[DiffusionModel, ...]:
    """How each is run, at the commit that the settings name or a pull found. Says which are not pinned to one. Raises
    BadSettings."""
    found = [_known(row, settings) for row in _chosen(settings)]
    found += [_run(name, model) for name, model in _own(settings).items()]
    return tuple(_pinned(row, pins) for row in found)


def tuning(ours: DiffusionSettings) -> Tuning:
    """How far the settings push a device."""
    return Tuning(
        compile=ours.compile,
        attention=ours.attention or None,
        fp8=ours.fp8,
        weights=None if ours.memory is None else int(ours.memory * 2**30),
        beside=ours.beside,
        warm_up_seconds=ours.warm_up_seconds,
    )


def names(settings: Settings) -> frozenset[str]:
    """What the settings offer for sale, whatever its licence."""
    return frozenset([*(row.id for row in _chosen(settings)), *_own(settings)])


def known(settings: Settings) -> list[tuple[DiffusionModel, Licence]]:
    """Every model that could be run: one's own, then the built-in ones."""
    every = [*_own(settings), *(row.id for row in KNOWN)]
    return [found for name in every if (found := run_of(name, settings)) is not None]


def run_of(name: str, settings: Settings) -> tuple[DiffusionModel, Licence] | None:
    """A model by any of its names, as it is to be run, whether it is for sale here or only known. Raises
    BadSettings."""
    if (own := _own(settings).get(name)) is not None:
        return _run(name, own), _terms(own, _weights(name, own))
    row = named(name)
    return None if row is None else (_known(row, settings), row.terms)


def _pinned(row: DiffusionModel, pins: Pins) -> DiffusionModel:
    if row.folder is not None or is_commit(row.revision):
        return row
    if (commit := pins.find(row.source, row.revision)) is not None:
        return replace(row, revision=commit)
    _log.warning(
        "a model is not pinned to a commit, and may change under its name",
        model=row.name,
        source=row.source,
        advice=f"pin it: tollbrush models pull {row.name}",
    )
    return row


def _known(row: Known, settings: Settings) -> DiffusionModel:
    revisions = settings.engines.diffusion.revisions
    asked = (revision for name, revision in revisions.items() if name.lower() in (row.id, *row.aliases))
    return replace(row.diffusion(), revision=next(asked, None))


def _terms(model: ModelSettings, weights: WeightsSettings) -> Licence:
    """What is known of them counts before what the settings say."""
    return UNSOLD.get(weights.source.lower()) or _card(weights.source) or licence(model.licence)


def _weights(name: str, model: ModelSettings) -> WeightsSettings:
    """Raises BadSettings."""
    if model.weights is None:
        raise BadSettings(
            f"models.{name!r}: nothing says what is run.",
            advice='Give its weights = {source = "OWNER/NAME"}, a hub id, or the path of a folder.',
        )
    return model.weights


def _sizes(name: str, model: ModelSettings) -> tuple[Size, ...]:
    """Raises BadSettings."""
    try:
        return tuple(Size.parse(size) for size in model.sizes)
    except BadRequest as wrong:
        raise BadSettings(
            f"models.{name!r}.sizes: {wrong.message}", advice='Say each with its price: {"1024x1024" = "0.02"}.'
        ) from wrong


def _card(source: str) -> Licence | None:
    """What forbids sale in the model card of a local folder: `license` and `license_name` of its front matter."""
    try:
        text = (Path(source).expanduser() / "README.md").read_text(errors="replace")
    except (OSError, ValueError):
        return None
    head = text.removeprefix("---").partition("\n---")[0] if text.startswith("---") else ""
    said = (licence(words) for words in re.findall(r"^license(?:_name)?:[ \t]*(\S.*)$", head, re.MULTILINE))
    return next((terms for terms in said if terms.sale == "no"), None)


def _chosen(settings: Settings) -> tuple[Known, ...]:
    ours = settings.engines.diffusion
    for asked in (*ours.models, *ours.revisions):
        if named(asked) is None:
            there = ", ".join(row.id for row in KNOWN)
            raise BadSettings(
                f"engines.diffusion names the model {asked[:80]!r}, which is not built in; those are: {there}.",
                advice='Another one is a model of your own: [models."you/name"] with engine = "diffusion".',
            )
    if ours.models:
        asked_for = {name.lower() for name in ours.models}
        return tuple(row for row in KNOWN if asked_for & {row.id, *row.aliases})
    return (DEFAULT,) if ours.enabled else ()


def _own(settings: Settings) -> dict[str, ModelSettings]:
    return {name: model for name, model in settings.models.items() if model.engine == "diffusion"}


def _run(name: str, model: ModelSettings) -> DiffusionModel:
    weights = _weights(name, model)
    return DiffusionModel(
        name,
        weights.source,
        revision=weights.revision or None,
        pipeline=weights.pipeline or None,
        variant=weights.variant or None,
        steps=weights.steps,
        guidance=weights.guidance,
        strength=weights.strength,
        dtype=weights.dtype,
        sizes=_sizes(name, model),
        pixels=weights.pixels,
        batch=weights.batch,
        offload=weights.offload,
    )
