"""What servers that speak OpenAI's image API really honour: rows of data, found by reading and trying them.

They agree on `POST /images/edits` and on base64 answers, and on little else: vLLM-Omni wants the mask as `mask_image`,
sd.cpp reads its brightness and not its alpha, SGLang declares `mask` and never reads it. Nobody is trusted to ignore
politely what it cannot do: what a profile does not list is not sent, and what it cannot honour is not asked of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from tollbrush.domain.edits import OutputFormat, Size
from tollbrush.settings import UpstreamSettings


@dataclass(frozen=True)
class Profile:
    """`mask_field`: empty where no mask is honoured; `mask_form`: alpha 0 or white means edit. `sizes`: the only ones
    (empty: any, with sides divisible by `multiple`). `most`: pictures in one answer. `fields`: the optional form
    fields that are read; `constant` ones are always sent. `lists_models`: what `GET /models` does not name does not
    exist. `formats`: those it surely decodes. Limits in bytes."""

    image_field: Literal["image", "image[]"] = "image"
    mask_field: str = ""
    mask_form: Literal["alpha", "white"] = "white"
    sizes: tuple[Size, ...] = ()
    multiple: int = 1
    most: int = 1
    max_sources: int = 1
    alpha: bool = False
    fields: frozenset[str] = frozenset()
    constant: Mapping[str, str] = field(default_factory=dict)
    lists_models: bool = False
    formats: frozenset[OutputFormat] = frozenset({"png", "jpeg"})
    image_bytes: int = 50 * 10**6
    mask_bytes: int = 50 * 10**6

    @property
    def masks(self) -> bool:
        return bool(self.mask_field)

    @property
    def previews(self) -> int:
        return 3 if "stream" in self.fields else 0

    def works_at(self, size: Size) -> Size:
        """The size to ask for: the one wanted where it is offered, else the nearest that holds its aspect."""
        if self.sizes:
            return size if size in self.sizes else min(self.sizes, key=lambda own: (_skew(own, size), -own.pixels))
        return Size(_up(size.width, self.multiple), _up(size.height, self.multiple))


_PILLOWS: Final[frozenset[OutputFormat]] = frozenset({"png", "jpeg", "webp"})
_BASE64: Final = {"response_format": "b64_json"}

PROFILES: Final[Mapping[str, Profile]] = {
    "openai": Profile(
        image_field="image[]", mask_field="mask", mask_form="alpha", most=10, max_sources=16, alpha=True,
        mask_bytes=4 * 10**6, lists_models=True, formats=_PILLOWS,
        sizes=(Size(1024, 1024), Size(1536, 1024), Size(1024, 1536)),
        fields=frozenset({"quality", "background", "input_fidelity", "output_format", "stream"}),
    ),
    "vllm-omni": Profile(
        mask_field="mask_image", multiple=16, most=10, max_sources=4, fields=frozenset({"output_format", "seed"}),
        formats=_PILLOWS,
    ),
    "sdcpp": Profile(
        image_field="image[]", mask_field="mask", multiple=64, most=8, max_sources=4,
        fields=frozenset({"output_format"}),
    ),
    "sglang": Profile(
        multiple=16, max_sources=4, fields=frozenset({"output_format", "seed"}), constant=_BASE64, formats=_PILLOWS
    ),
    "localai": Profile(multiple=8, constant=_BASE64),
    "generic": Profile(constant=_BASE64),
}  # fmt: skip


def resolve(place: UpstreamSettings) -> Profile:
    """The profile that an upstream's settings name, with what they change of it."""
    base = PROFILES[place.profile]
    own = replace(
        base,
        sizes=base.sizes if place.sizes is None else tuple(Size.parse(size) for size in place.sizes),
        most=place.most or base.most,
        max_sources=place.max_sources or base.max_sources,
    )
    if place.mask is None:
        return own
    if not place.mask:
        return replace(own, mask_field="")
    return replace(own, mask_field=base.mask_field or "mask", mask_form=base.mask_form)


def _skew(own: Size, wanted: Size) -> float:
    ratio = own.width * wanted.height / (own.height * wanted.width)
    return max(ratio, 1 / ratio)


def _up(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple
