"""What the tools take and give. The protocol's JSON schemas and the checks of arguments come from these classes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from tollbrush.domain.edits import MAX_N, MAX_PROMPT, MAX_SEED

Reference = Annotated[
    str, Meta(min_length=1, description="A local path (preferred), an http(s) URL where a router runs, or a data URI.")
]
Images = Annotated[
    Reference | Annotated[list[Reference], Meta(min_length=1, max_length=16)],
    Meta(description="The picture to edit, or a list of them."),
]
Prompt = Annotated[str, Meta(min_length=1, max_length=MAX_PROMPT, description="What should change.")]
Mask = Annotated[str | None, Meta(description="A picture of the same size: white is edited, black is kept.")]
Model = Annotated[str | None, Meta(description="See list_models. Left out: the gateway's default.")]
SizeName = Annotated[str | None, Meta(description="WIDTHxHEIGHT such as 1536x1024, or auto for the picture's own.")]
Count = Annotated[int, Meta(ge=1, le=MAX_N)]
Seconds = Annotated[
    int, Meta(ge=0, le=600, description="How long to wait before answering in_progress; get_job goes on waiting.")
]
_WAIT = 50


class Subject(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What decides an edit's price."""

    image: Images
    prompt: Prompt
    mask: Mask = None
    model: Model = None
    size: SizeName = None
    n: Annotated[Count | None, Meta(description="How many pictures; each is paid for.")] = None

    def options(self) -> dict[str, Any]:
        """As the client takes them, the mask aside."""
        return _said(model=self.model, size=self.size, n=self.n)


class EditImage(Subject, frozen=True, forbid_unknown_fields=True, kw_only=True):
    seed: Annotated[int, Meta(ge=0, le=MAX_SEED)] | None = None
    fit: Annotated[
        Literal["crop", "pad", "stretch"] | None, Meta(description="How the picture takes another shape.")
    ] = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    max_price: Annotated[
        str | int | float | None, Meta(description='Dollars it may cost at most, as text: "0.05".')
    ] = None
    output: Annotated[
        str | None, Meta(description="Where to save it. Left out: beside the picture. Nothing is overwritten.")
    ] = None
    again: Annotated[bool, Meta(description="Pay anew for an edit that was bought before.")] = False
    wait_seconds: Seconds = _WAIT

    def options(self) -> dict[str, Any]:
        return Subject.options(self) | _said(seed=self.seed, fit=self.fit, output_format=self.output_format)


class GetJob(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    job: Annotated[str, Meta(max_length=64, description="As edit_image named it.")]
    wait_seconds: Seconds = _WAIT


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class File(Struct, frozen=True, omit_defaults=True):
    """A saved picture. `preserved`: every pixel outside the mask is the source's."""

    path: str
    width: int
    height: int
    mime_type: str
    preserved: bool | None = None
    edited_fraction: float | None = None
    seed: int | None = None


class EditResult(Struct, frozen=True, omit_defaults=True):
    """`price` in dollars, absent when nothing was asked; `replayed`: bought before, not paid for again."""

    status: Literal["completed", "in_progress"]
    job: str
    files: list[File] = field(default_factory=list)
    price: str | None = None
    model: str | None = None
    requested_model: str | None = None
    network: str | None = None
    transaction: str | None = None
    replayed: bool = False


class QuoteResult(Struct, frozen=True):
    """`price` in dollars, null when the gateway asks nothing or does not tell; `asks`: edit_image asks the user
    first."""

    price: str | None
    asks: bool


class Account(Struct, frozen=True):
    """`balance` in dollars of USDC, null when the chain does not answer; `problem` says why."""

    network: str
    address: str
    balance: str | None
    problem: str


class Cap(Struct, frozen=True):
    """Dollars. `spent` counts what is still at risk."""

    cap: str
    spent: str


class WalletStatus(Struct, frozen=True):
    """`caps` by span (hour, day, lifetime); `per_call` the most for one edit; above `asks_above` the user is asked."""

    accounts: list[Account]
    per_call: str
    asks_above: str
    caps: dict[str, Cap]


class ModelRow(Struct, frozen=True):
    """`pricing`: dollars for one picture by size."""

    id: str
    name: str = ""
    available: bool = True
    mask: bool = False
    pricing: dict[str, str] = field(default_factory=dict)


class Models(Struct, frozen=True):
    models: list[ModelRow]


def schema(kind: type[Struct]) -> dict[str, Any]:
    """Its JSON schema, `type: object` at the top, as clients want it."""
    (reference,), components = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    own = components.pop(reference["$ref"].rpartition("/")[2])
    return {**own, "$defs": components} if components else own


def _said(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
