"""What the configured models are and can do. Without torch and without loading: from their rows and `model_index.json`,
in its folder or in the hub cache; the network is not asked."""

from __future__ import annotations

from collections.abc import Sequence

from tollbrush.engines.diffusion import adapters
from tollbrush.engines.diffusion.adapters import Adapter
from tollbrush.engines.diffusion.hub import Hub
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.interface import Capabilities
from tollbrush.errors import BadSettings


class Abilities:
    """`hub`: whose cache is looked into."""

    def __init__(self, rows: Sequence[DiffusionModel], hub: Hub) -> None:
        self._rows, self._hub = {row.name: row for row in rows}, hub

    def of(self, name: str) -> Capabilities:
        """Raises BadSettings where nothing says which pipeline it is."""
        adapter = self.adapter(self.row(name))
        return Capabilities(
            generative=adapter.generative,
            masks=True,
            needs_mask=adapter.plain is None,
            variations=True,
            max_sources=adapter.sources,
            seed=True,
            width=64,
            previews=3,
        )

    def row(self, name: str) -> DiffusionModel:
        """Raises BadSettings."""
        try:
            return self._rows[name]
        except KeyError:
            known = ", ".join(self._rows) or "none"
            raise BadSettings(f"no model {name!r} is configured for the diffusion engine; known: {known}.") from None

    def adapter(self, row: DiffusionModel) -> Adapter:
        """Raises BadSettings."""
        if row.pipeline is not None:
            return adapters.adapter(row.pipeline, row.name)
        index = self._hub.known_index(row)
        if index is None:
            raise BadSettings(
                f"{row.name}: {row.source} is not on this machine, and nothing says which pipeline it is.",
                advice=f"Fetch it: tollbrush models pull {row.name}; or say `pipeline` in its weights.",
            )
        return adapters.adapter(index.pipeline, row.name)
