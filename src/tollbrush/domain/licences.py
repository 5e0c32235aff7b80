"""What the licences of open models say about selling edits made with them. Rows of data and one rule. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from tollbrush.errors import BadSettings


@dataclass(frozen=True)
class Licence:
    """`key` as model cards write it. `sale`: `yes`; `terms` may be sold, and its terms go to the buyer; `no`. `says`:
    what it says of selling, in words; `url`: where its terms are, for those that go to the buyer."""

    key: str
    name: str
    sale: Literal["yes", "terms", "no"]
    says: str
    url: str = ""

    def told(self) -> str:
        """As the catalog tells it to buyers."""
        return f"{self.name}; its use restrictions bind you too: {self.url}" if self.sale == "terms" else self.name


_FREE: Final = "any use, also for money"
_RAIL: Final = "any use but those its attachment forbids, and whoever is served must be bound by the same"
_NO: Final = "non-commercial use only: running it for paying callers needs another licence of its owner's"

LICENCES: Final = (
    Licence("apache-2.0", "Apache-2.0", "yes", _FREE),
    Licence("mit", "MIT", "yes", _FREE),
    Licence(
        "creativeml-openrail-m", "CreativeML Open RAIL-M", "terms", _RAIL,
        "https://huggingface.co/spaces/CompVis/stable-diffusion-license",
    ),
    Licence(
        "openrail++", "CreativeML Open RAIL++-M", "terms", _RAIL,
        "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
    ),
    Licence("flux-1-dev-non-commercial-license", "FLUX.1 [dev] Non-Commercial License", "no", _NO),
    Licence("flux-non-commercial-license", "FLUX Non-Commercial License", "no", _NO),
    Licence("qwen-research", "Qwen Research License", "no", _NO),
    Licence("bria-non-commercial", "BRIA Non-Commercial License", "no", _NO),
)  # fmt: skip
_BY_WORD: Final = {word.lower(): row for row in LICENCES for word in (row.key, row.name)}
_NON_COMMERCIAL: Final = re.compile(
    r"non[\s_-]*commercial|\bcc[\s-]*by[\s-]*nc\b|\bresearch[\s-]+(only|use|licen[cs]e)|\bpersonal use\b", re.IGNORECASE
)


def licence(words: str) -> Licence:
    """The row for what a model card or an operator calls it. A name that is not known here may be sold under, on the
    operator's word, unless it says itself that it is not for money."""
    words = words.strip()
    known = _BY_WORD.get(words.lower())
    if known is not None:
        return known
    if _NON_COMMERCIAL.search(words):
        return Licence(words, words, "no", _NO)
    return Licence(words, words, "yes", "what the operator says it does")


def check_sale(model: str, terms: Licence, licensed: frozenset[str]) -> None:
    """Raises BadSettings for a model whose licence forbids to sell it, unless it is among `licensed`."""
    if terms.sale == "no" and model not in licensed:
        raise BadSettings(
            f"{model} may not be sold: the {terms.name} allows {terms.says}.",
            advice=f'Leave it out; or, if you hold such a licence, say so: licensed = ["{model}"].',
        )
