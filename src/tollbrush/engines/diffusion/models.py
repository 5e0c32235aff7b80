"""The loaded pipelines of one device: load, ask what they can, edit. Blocking calls, from any thread.

    edit ─ checked: words, mask, sources ─ the pipeline's line ─ together with its equals ─ one call of the pipeline
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tollbrush.engines.diffusion.model import DiffusionModel, Tuning
from tollbrush.engines.interface import Capabilities, EditInput, EditOutput, Report, unheard

Loading = Callable[[str, float], None]
"""What is being done, in a word or two (`downloading`, `reading`, `compiling`, `warming up`), and how much of it in
0..1."""


def never() -> bool:
    """For an edit that nobody cancels."""
    return False


class Models:
    """`device`: as torch names it (`cuda:1`, `cpu`); None is the first GPU, else the CPU. `cache`: the hub cache's
    folder, None is the usual one. `offline`: only what the cache holds. `token`: for gated models."""

    def __init__(
        self,
        rows: Sequence[DiffusionModel],
        device: str | None = None,
        *,
        tuning: Tuning | None = None,
        cache: Path | None = None,
        offline: bool = False,
        token: str | None = None,
    ) -> None: ...

    def load(self, name: str, progress: Loading) -> None:
        """Fetches what the cache lacks, reads the weights, compiles, warms up. Does nothing where it is loaded already;
        a second thread waits for the first. Raises BadSettings for what the operator must mend (no such model or
        revision, files that are missing, wrong or pickled, no disk, no GPU, a GPU too small), EngineFailed for what
        may pass (the hub does not answer)."""

    def loaded(self, name: str) -> bool:
        """Whether the next edit starts at once."""

    def unload(self, name: str) -> None:
        """Lets its memory go, after the edits that are at work on it."""

    def capabilities(self, name: str) -> Capabilities:
        """Without torch and without loading: from the row and `model_index.json`, in its folder or in the hub cache.
        Raises BadSettings where neither says which pipeline it is."""

    def edit(
        self,
        name: str,
        request: EditInput,
        *,
        report: Report = unheard,
        cancelled: Callable[[], bool] = never,
    ) -> EditOutput:
        """Loads on first use. `report` is called in the pipeline's thread, with each step and with `request.previews`
        unfinished pictures of each image; `request.report` is not called. `cancelled` is asked at each step.

        Raises JobCancelled, BadRequest (a prompt longer than the text encoder reads: the count and the limit; more
        sources than it takes), UnsupportedParameter (a mask it cannot honour), ContentRefused (the model's own safety
        checker), Unavailable (no memory even for one image in tiles), EngineFailed, and what `load` raises."""

    def close(self) -> None:
        """Ends the pipelines' threads after the edits at work, and lets the memory go."""
