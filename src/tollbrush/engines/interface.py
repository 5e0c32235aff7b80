"""Engines: what turns a prepared picture and a prompt into new pictures.

The caller (editing) decodes, orients, fits and checks; an engine gets clean pixels of the size it works at and gives
back pixels. It raises from the error tree (BadRequest and its kin, ContentRefused, RateLimited, UpstreamFailed,
EngineFailed, Unavailable, EditTimeout) and nothing else. Editing composites, encodes and proves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from tollbrush.domain.catalog import Ability
from tollbrush.domain.edits import OutputFormat, Size
from tollbrush.imaging.bare import Bare

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    """Upright sRGB, H×W×3 or H×W×4, uint8."""
    Mask = NDArray[np.bool_]
    """H×W, True = edit."""


@dataclass(frozen=True)
class Capabilities:
    """What an engine needs and can do; the caller prepares to it.

    `fixed_sizes`: the only sizes it works at (empty: any). `generative`: asked without a mask and without `fit` it
    recomposes the whole picture itself, so it gets the source as it is. `masks`: honours a mask; `needs_mask`: does
    nothing without one. `variations`: `n` images in one call. `alpha`: keeps and may return transparency. `time_limit`
    in seconds for each of the `n` images. `width`: edits it works on at a time; the others wait. `qualities` and
    `backgrounds`: the values it honours (empty: it has no such choice). `previews`: the most unfinished pictures it
    shows on the way to each. `remote`: it waits for another machine, and pixels should not wait with it in memory.
    `files`: it passes on encoded pictures where nothing has to change in them.
    `abilities`: all that its words may ask (empty: any words do)."""

    fixed_sizes: tuple[Size, ...] = ()
    generative: bool = True
    masks: bool = True
    needs_mask: bool = False
    variations: bool = True
    max_sources: int = 1
    alpha: bool = False
    mask_form: Literal["none", "white", "alpha"] = "white"
    seed: bool = False
    time_limit: float = 240.0
    width: int = 16
    qualities: tuple[str, ...] = ()
    backgrounds: tuple[str, ...] = ()
    previews: int = 0
    remote: bool = False
    files: bool = False
    abilities: tuple[Ability, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far an edit is. `fraction` in 0..1 of the whole request, None where unknown; `preview`: an unfinished picture
    of any size, of the image with this `index` of the `n`."""

    fraction: float | None = None
    preview: Pixels | None = None
    index: int = 0


Report = Callable[[Progress], None]
"""Called by an engine on the event loop whenever there is something to tell; must not block."""


def unheard(progress: Progress) -> None:
    """A report that nobody waits for."""


@dataclass(frozen=True)
class EditInput:
    """`sources[0]` is edited, further sources are references. `mask` has the first source's height and width.
    `size` is what the answer must measure. `seed` is always set; image i of n uses seed + i. `quality` and `background`
    are among the capabilities, or None for the engine's own choice; `previews`: unfinished pictures wanted. `again`
    makes the same input once more (slow: call it in a thread), so that an engine may let it go; None: it keeps it.
    `files` instead of `sources`, to an engine whose capabilities have them. `takes`: the format in which an answer of
    that size may come back as a file."""

    sources: tuple[Pixels, ...]
    prompt: str
    size: Size
    mask: Mask | None = None
    n: int = 1
    seed: int = 0
    quality: str | None = None
    background: str | None = None
    previews: int = 0
    report: Report = field(default=unheard, compare=False, repr=False)
    again: Callable[[], EditInput] | None = field(default=None, compare=False, repr=False)
    files: tuple[Bare, ...] = ()
    takes: OutputFormat | None = None


@dataclass(frozen=True)
class EditedImage:
    """One result, measuring `EditInput.size`: pixels, or a file where the input takes one. `seed` is the one that made
    it, where the engine has seeds."""

    content: Pixels | Bare
    revised_prompt: str = ""
    seed: int | None = None

    @property
    def pixels(self) -> Pixels:
        assert not isinstance(self.content, Bare), "it came as a file"
        return self.content


@dataclass(frozen=True)
class EditOutput:
    images: tuple[EditedImage, ...]
    usage: Mapping[str, int] = field(default_factory=dict)


class Engine(Protocol):
    """Serves one or more upstream models. `name` is the engine kind of the catalog's rows."""

    @property
    def name(self) -> str: ...

    def capabilities(self, upstream: str) -> Capabilities: ...

    def plan(self, prompt: str, *, masked: bool) -> str | None:
        """What the words ask, before any price: the plan in words, or None when the engine takes any words.
        Raises CannotHonour naming the words and what works."""
        ...

    async def edit(self, upstream: str, request: EditInput) -> EditOutput: ...

    async def start(self) -> None:
        """Warm up: workers, kernels, connections."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Alarming(Protocol):
    """An engine that depends on others."""

    def alarms(self) -> Mapping[str, str]:
        """What its operator must see to, by the place where it is: a key that is refused, a server that is down."""
        ...


@runtime_checkable
class Reframing(Protocol):
    """An engine whose words may ask for another frame: turned, cropped, extended, enlarged."""

    def reframe(self, prompt: str, source: Size) -> Size | None:
        """What its answer to these words without a mask measures; None where the frame stays. Raises CannotHonour."""
        ...


@dataclass(frozen=True)
class Needs:
    """What an edit asks of one server at once; `size` is the one that is priced."""

    size: Size
    masked: bool
    sources: int
    quality: str | None = None
    background: str | None = None


@runtime_checkable
class Assembled(Protocol):
    """An engine of several servers, of which none may do all that its capabilities tell of together."""

    def require(self, upstream: str, needs: Needs) -> None:
        """Before any price: raises UnsupportedParameter, with what to leave out, where no server does all of it."""
        ...
