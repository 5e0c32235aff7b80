"""What is remembered of an edit while its pixels are gone: enough to choose a server, and to fill in its form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from tollbrush.domain.edits import OutputFormat, Size
from tollbrush.domain.pricing import Price
from tollbrush.engines.interface import EditInput
from tollbrush.engines.openai.upstream import Upstream
from tollbrush.settings import OpenAISettings


@dataclass(frozen=True)
class Asked:
    """`name` is the model's on the wire; `seed` None where it has none; `sold`: what a picture was sold for;
    `takes`: the format in which a file may come back."""

    name: str
    prompt: str
    size: Size
    masked: bool
    sources: int
    n: int
    quality: str | None
    background: str | None
    previews: int
    seed: int | None
    sold: Price | None
    takes: OutputFormat | None

    @classmethod
    def of(cls, request: EditInput, name: str, sold: Price | None, *, seeds: bool) -> Self:
        return cls(
            name=name,
            prompt=request.prompt,
            size=request.size,
            masked=request.mask is not None,
            sources=len(request.files or request.sources),
            n=request.n,
            quality=None if request.quality == "auto" else request.quality,
            background=None if request.background == "auto" else request.background,
            previews=request.previews,
            seed=request.seed if seeds else None,
            sold=sold,
            takes=request.takes,
        )

    def single(self, index: int) -> Asked:
        """One of the `n`, asked for alone."""
        return replace(self, n=1, seed=None if self.seed is None else self.seed + index)

    def rank(self, upstream: Upstream) -> int | None:
        """How well this server suits, 0 best; None: not at all, or it costs more than what was authorised."""
        profile, price = upstream.profile, upstream.place.price
        wants = {name for name, value in (("quality", self.quality), ("background", self.background)) if value}
        if (
            (self.masked and not profile.masks)
            or self.sources > profile.max_sources
            or self.n > profile.most
            or not wants <= profile.fields
            or (price is not None and self.sold is not None and Price.of(price) > self.sold)
        ):
            return None
        fitted, silent = profile.works_at(self.size) != self.size, self.previews > profile.previews
        return 2 * fitted + silent

    def fields(self, upstream: Upstream, settings: OpenAISettings) -> dict[str, str]:
        """The form's words for this server, without the size."""
        read = upstream.profile.fields
        optional = {
            "output_format": "png",
            "quality": self.quality or settings.quality,
            "background": self.background,
            # gpt-image-2 and later keep to their input by themselves, and refuse the parameter
            "input_fidelity": settings.input_fidelity if self.name.startswith("gpt-image-1") else None,
            "seed": None if self.seed is None else str(self.seed),
        }
        fields = {"model": upstream.place.model or self.name, "prompt": self.prompt, "n": str(self.n)}
        fields |= {name: value for name, value in optional.items() if value and name in read}
        if self.previews and "stream" in read:
            fields |= {"stream": "true", "partial_images": str(min(self.previews, upstream.profile.previews))}
        return fields


class Source:
    """The pixels of an edit: at hand for the first `uses`, then let go where they can be made again."""

    def __init__(self, request: EditInput, uses: int) -> None:
        self._held: EditInput | None = request
        self._uses, self._again = uses, request.again

    def take(self) -> Callable[[], EditInput]:
        """What gives them, in a thread."""
        held = self._held
        if held is None:
            assert self._again is not None
            return self._again
        self._uses -= 1
        if self._uses <= 0 and self._again is not None:
            self._held = None
        return lambda: held
