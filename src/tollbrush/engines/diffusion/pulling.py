"""`tollbrush models pull`: a model's weights onto this machine, whole, and the commit they came from written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tollbrush.engines.diffusion import folders
from tollbrush.engines.diffusion.hub import Hub
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.pins import Pins
from tollbrush.settings import Settings


@dataclass(frozen=True)
class Pulled:
    """`commit`: None for a folder of one's own."""

    folder: Path
    commit: str | None


def pull(row: DiffusionModel, settings: Settings, progress: Callable[[float], None]) -> Pulled:
    """Asks the hub which commit the row's revision means now, and fetches what is missing of it; an interrupted pull
    goes on where it was. Raises BadSettings (no such model or revision, gated, no disk, files that are wrong) and
    EngineFailed (the hub does not answer)."""
    ours = settings.engines.diffusion
    hub = Hub(ours.cache, token=ours.token.get_secret_value() or None)
    folder = hub.folder(row, progress)
    index = folders.read_index((folder / folders.INDEX).read_bytes(), row.name)
    folders.check(folder, index, row.variant, row.name)
    if row.folder is not None:
        return Pulled(folder, None)
    commit = folder.name  # the cache's layout: snapshots/COMMIT
    Pins(settings.data_dir).keep(row.source, row.revision, commit)
    return Pulled(folder, commit)
