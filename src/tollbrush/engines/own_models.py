"""The operator's own models: what the settings say, as rows of the catalog and as servers, or an error that says what
to change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tollbrush.domain.catalog import MODELS, Catalog, Model, SizeTable
from tollbrush.domain.edits import Size
from tollbrush.domain.pricing import Price
from tollbrush.engines.diffusion import served as diffusion
from tollbrush.errors import BadRequest, BadSettings
from tollbrush.settings import ModelSettings, Settings, UpstreamSettings

if TYPE_CHECKING:
    from tollbrush.engines.openai import Served

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*", re.ASCII)


def rows(settings: Settings) -> tuple[Model, ...]:
    """Every model that is known here: the built-in ones and the operator's. Raises BadSettings."""
    licensed = diffusion.licences(settings)
    built_in = (*MODELS, *diffusion.catalog_rows(settings))
    taken = {name for m in built_in for name in (m.id, *m.aliases)}
    own = []
    for name, model in settings.models.items():
        if not _ID.fullmatch(name):
            raise BadSettings(f"models.{name!r}: an id is PROVIDER/NAME in small letters, for example acme/qwen-edit.")
        for word in (name, *model.aliases):
            if word in taken:
                raise BadSettings(f"models.{name!r}: the name {word!r} is taken; choose another.")
            taken.add(word)
        own.append(_row(name, model, licensed))
    return (*built_in, *own)


def served(settings: Settings, catalog: Catalog, common: Sequence[UpstreamSettings]) -> tuple[Served, ...]:
    """What the OpenAI-compatible servers serve: the built-in models where `common` servers are configured, and the
    operator's own. Raises BadSettings."""
    from tollbrush.engines.openai import Served

    for place in common:
        _check_place("engines.openai", place)
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


def _row(name: str, model: ModelSettings, licensed: frozenset[str]) -> Model:
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
        licence=diffusion.check_own(name, model, licensed),
        aliases=model.aliases,
    )


def _check(row: Model, own: ModelSettings, places: Sequence[UpstreamSettings], catalog: Catalog) -> None:
    from tollbrush.engines.openai.profiles import resolve

    where = f"models.{row.id!r}"
    if not places:
        raise BadSettings(f'{where}: nothing serves it; give upstreams = [{{url = "http://127.0.0.1:8000/v1"}}].')
    for place in places:
        _check_place(where, place)
    profiles = [resolve(place) for place in places]
    if own.mask and not any(p.masks for p in profiles):
        raise BadSettings(
            f"{where}: mask is true, and none of its upstreams honours one ({_kinds(places)}); "
            "say mask = false, or mask = true of an upstream that does."
        )
    most = max(p.max_sources for p in profiles)
    if own.max_sources > most:
        raise BadSettings(f"{where}: max_sources is {own.max_sources}, and its upstreams take at most {most}.")
    prices = {size: catalog.price(row, size) for size in row.sizes.listed()}
    costs = {place.url: Price.of(place.price or Decimal(0)) for place in places}
    for url, cost in costs.items():
        if cost > max(prices.values()):
            raise BadSettings(
                f"{where}: a picture costs {cost} at {url}, and none is sold for more than {max(prices.values())}; "
                "raise its sizes' prices, or leave the upstream out."
            )
    able = {"": costs}
    if own.mask:
        able[" with a mask"] = {p.url: costs[p.url] for p, kind in zip(places, profiles, strict=True) if kind.masks}
    for words, there in able.items():
        for size, price in prices.items():
            if price < min(there.values()):
                raise BadSettings(
                    f"{where}: a {size}{words} is sold for {price}, and costs {min(there.values())} at the cheapest of "
                    "its upstreams, so none would be made; raise its price, or leave the size out."
                )


def check_url(where: str, url: str) -> str:
    """The host's name. Raises BadSettings."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadSettings(f"{where}: the upstream's url is {url[:80]!r}; it must be an http(s) URL with a host.")
    if parts.username is not None:
        raise BadSettings(f"{where}: the url of {parts.hostname} holds a password; put the key into api_key.")
    if parts.query or parts.fragment:
        raise BadSettings(f"{where}: the url of {parts.hostname} must end before any ? or #.")
    return parts.hostname


def _check_place(where: str, place: UpstreamSettings) -> None:
    host = check_url(where, place.url)
    for size in place.sizes or ():
        try:
            Size.parse(size)
        except BadRequest as wrong:
            raise BadSettings(f"{where}: of {host}: {wrong.message}") from wrong


def _kinds(places: Sequence[UpstreamSettings]) -> str:
    return ", ".join(sorted({place.profile for place in places}))
