"""What the shell proposes: models, sizes, networks. From the catalog that is built in; no gateway is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def models(incomplete: str) -> Iterator[tuple[str, str]]:
    from tollbrush.domain.catalog import MODELS

    for model in MODELS:
        for name in (model.id, *model.aliases):
            if name.startswith(incomplete):
                yield name, model.name


def sizes(ctx: Any, incomplete: str) -> Iterator[str]:
    """Of the model that is named on the line so far, else of all."""
    from tollbrush.domain.catalog import MODELS

    named = ctx.params.get("model")
    chosen = [m for m in MODELS if named in (m.id, *m.aliases)] or MODELS
    listed = dict.fromkeys(str(size) for model in chosen for size in model.sizes.listed())
    return (size for size in (*listed, "auto") if size.startswith(incomplete))


def networks(incomplete: str) -> Iterator[tuple[str, str]]:
    from tollbrush.domain.networks import NETWORKS

    return ((n.v1, n.title) for n in NETWORKS if n.v1.startswith(incomplete))


def fits(incomplete: str) -> Iterator[str]:
    return (fit for fit in ("crop", "pad", "stretch") if fit.startswith(incomplete))


def formats(incomplete: str) -> Iterator[str]:
    return (name for name in ("png", "jpeg", "webp") if name.startswith(incomplete))
