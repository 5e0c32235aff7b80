"""The operator's own models: what the settings say, as rows of the catalog and as servers, or an error that says what
to change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tollbrush.domain.catalog import MODELS, Catalog, Model, SizeTable
from tollbrush.domain.edits import Size
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, BadSettings
from tollbrush.settings import ModelSettings, Settings, UpstreamSettings

if TYPE_CHECKING:
    from tollbrush.engines.openai import Served

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*", re.ASCII)


def rows(settings: Settings) -> tuple[Model, ...]:
    """Every model that is known here: the built-in ones and the operator's. Raises BadSettings."""
    taken = {name for m in MODELS for name in (m.id, *m.aliases)}
    own = []
    for name, model in settings.models.items():
        if not _ID.fullmatch(name):
            raise BadSettings(f"models.{name!r}: an id is PROVIDER/NAME in small letters, for example acme/qwen-edit.")
        for word in (name, *model.aliases):
            if word in taken:
                raise BadSettings(f"models.{name!r}: the name {word!r} is taken; choose another.")
            taken.add(word)
        own.append(_row(name, model))
    return (*MODELS, *own)


def served(settings: Settings, catalog: Catalog, common: Sequence[UpstreamSettings]) -> tuple[Served, ...]:
    """What the OpenAI-compatible servers serve: the built-in models where `common` servers are configured, and the
    operator's own. Raises BadSettings."""
    from tollbrush.engines.openai import Served

    for place in common:
        _check_url("engines.openai", place)
    found = []
    for row in catalog.models.values():
        own = settings.models.get(row.id)
        places = (own.upstreams if own else ()) or tuple(common)
        if row.engine != "openai" or (own is None and not common):
            continue
        if own is not None:
            _check(row, own, places, catalog)
        name = (own.upstream or row.id.partition("/")[2]) if own else row.upstream
        found.append(
            Served(row.upstream, name, row.sizes.listed(), own.upstreams if own else (), partial(catalog.price, row))
        )
    return tuple(found)


def _row(name: str, model: ModelSettings) -> Model:
    if not model.licence.strip():
        raise BadSettings(f"models.{name!r}: licence is empty; say under which terms its results are sold.")
    if not model.sizes:
        raise BadSettings(f'models.{name!r}: sizes is empty; give prices, for example {{"1024x1024" = 0.01}}.')
    try:
        sizes = SizeTable({Size.parse(size): price for size, price in model.sizes.items()})
    except BadRequest as wrong:
        raise BadSettings(f"models.{name!r}: {wrong.message}") from wrong
    provider, _, short = name.partition("/")
    return Model(
        id=name,
        name=model.name or short,
        provider=provider,
        description=model.description or f"{model.name or short}, served by this gateway's operator.",
        engine=model.engine,
        upstream=name,
        sizes=sizes,
        mask=model.mask,
        max_sources=model.max_sources,
        licence=model.licence,
        aliases=model.aliases,
    )


def _check(row: Model, own: ModelSettings, places: Sequence[UpstreamSettings], catalog: Catalog) -> None:
    from tollbrush.engines.openai.profiles import resolve

    where = f"models.{row.id!r}"
    if not places:
        raise BadSettings(f'{where}: nothing serves it; give upstreams = [{{url = "http://127.0.0.1:8000/v1"}}].')
    for place in places:
        _check_url(where, place)
    profiles = [resolve(place) for place in places]
    if own.mask and not any(p.masks for p in profiles):
        raise BadSettings(
            f"{where}: mask is true, and none of its upstreams honours one ({_kinds(places)}); "
            "say mask = false, or mask = true of an upstream that does."
        )
    most = max(p.max_sources for p in profiles)
    if own.max_sources > most:
        raise BadSettings(f"{where}: max_sources is {own.max_sources}, and its upstreams take at most {most}.")
    dearest = max(catalog.price(row, size) for size in row.sizes.listed())
    for place in places:
        if place.price is not None and Price.of(place.price) > dearest:
            raise BadSettings(
                f"{where}: a picture costs {Price.of(place.price)} at {place.url}, and none is sold for more than "
                f"{dearest}; raise its sizes' prices, or leave the upstream out."
            )


def _check_url(where: str, place: UpstreamSettings) -> None:
    parts = urlsplit(place.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadSettings(f"{where}: the upstream's url is {place.url[:80]!r}; it must be an http(s) URL with a host.")
    if parts.username is not None:
        raise BadSettings(f"{where}: the url of {parts.hostname} holds a password; put the key into api_key.")
    if parts.query or parts.fragment:
        raise BadSettings(f"{where}: the url of {parts.hostname} must end before any ? or #.")
    for size in place.sizes or ():
        try:
            Size.parse(size)
        except BadRequest as wrong:
            raise BadSettings(f"{where}: of {parts.hostname}: {wrong.message}") from wrong


def _kinds(places: Sequence[UpstreamSettings]) -> str:
    return ", ".join(sorted({place.profile for place in places}))
