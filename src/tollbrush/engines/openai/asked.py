"""What is remembered of an edit while its pixels are gone: enough to choose a server, and to fill in its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from tollbrush.domain.edits import OutputFormat, Size
from tollbrush.domain.pricing import Price
from tollbrush.engines.interface import EditInput, Needs
from tollbrush.engines.openai.upstream import Upstream
from tollbrush.errors import UnsupportedParameter
from tollbrush.settings import OpenAISettings

_LESS: Final = {
    "mask": "leave out the mask",
    "image": "leave out all images but one",
    "quality": "leave out the quality",
    "background": "leave out the background",
}


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

    @classmethod
    def needing(cls, needs: Needs, sold: Price | None) -> Self:
        """One picture, without its words: enough to choose a server."""
        named = {"quality": needs.quality, "background": needs.background}
        quality, background = (None if value == "auto" else value for value in named.values())
        return cls("", "", needs.size, needs.masked, needs.sources, 1, quality, background, 0, None, sold, None)

    def less(self) -> Mapping[str, Asked]:
        """By what could be left out: what is left."""
        ways = {
            "mask": replace(self, masked=False),
            "image": replace(self, sources=1),
            "quality": replace(self, quality=None),
            "background": replace(self, background=None),
        }
        return {name: asked for name, asked in ways.items() if asked != self}

    def told(self) -> Sequence[str]:
        """What could be left out, in words."""
        words = {
            "a mask": self.masked,
            f"{self.sources} images": self.sources > 1,
            f"quality {self.quality}": self.quality,
            f"background {self.background}": self.background,
        }
        return [name for name, wanted in words.items() if wanted]

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


def refusal(asked: Asked, served: Callable[[Asked], bool], sold: Mapping[Size, Price | None]) -> UnsupportedParameter:
    """What no server does, and what would do instead. `sold`: the sizes, and what a picture of each is sold for."""
    fewer = asked.less()
    ways = [_LESS[name] for name, left in fewer.items() if served(left)]
    path = next((name for name, left in fewer.items() if served(left)), next(iter(fewer), "size"))
    whole = " and ".join(asked.told())
    if not served(replace(asked, sold=None)):
        message = f"no server of this model does {whole} at once."
    else:  # it is able, and too dear
        message = f"no server of this model makes a {asked.size}{f' with {whole}' if whole else ''} at its price here."
        ways += [f"ask for {size}" for size, price in sold.items() if served(replace(asked, size=size, sold=price))]
    advice = f"{', or '.join(ways).capitalize()}." if ways else "Ask another model."
    return UnsupportedParameter(message, path=path, advice=advice)


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
