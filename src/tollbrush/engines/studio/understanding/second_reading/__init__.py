"""What a prompt most likely asks for where no rule takes it, told in the studio's plain words: `can you do that thing
where the background goes blurry` → `blur the background`.

A small transformer, learnt from prompts that people wrote for it (`python -m bench.second_reading`), says which wishes
a prompt holds and whether there is anything else to them. The plain words are then read by rule, like everybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tollbrush.engines.studio.understanding.second_reading.network import network
from tollbrush.engines.studio.understanding.second_reading.restating import restated
from tollbrush.engines.studio.understanding.second_reading.tokens import tokens

MOST_TOKENS: Final = 70
SURE: Final = 0.85
"""Below it a prompt is refused: see ADR 18."""
SURE_OF_ONE: Final = 0.8  # wish: what is wrong below SURE is mostly a second one
_CERTAIN: Final = 0.95
_AT_ODDS: Final = 0.01
_LIKELY: Final = 0.5


@dataclass(frozen=True)
class Reread:
    """`plain`: the prompt in plain words, none where a wish lacks its colour, its text or its size; `wishes`: how many
    they tell; `sureness`: of them, 0…1; `only`: how likely nothing is asked for that cannot be done, 0…1; `writes`:
    whether one of them is words to be written."""

    plain: str | None
    wishes: int
    sureness: float
    only: float
    writes: bool

    @property
    def is_sure(self) -> bool:
        return self.plain is not None and self.sureness >= (SURE if self.wishes > 1 else SURE_OF_ONE)

    @property
    def is_text(self) -> bool:
        """Whether words are to be written and, more likely than not, nothing else is asked for."""
        return self.writes and self.only > _LIKELY

    @property
    def is_certain(self) -> bool:
        """Enough to say what the rules take for a contradiction, or for either of two things."""
        return self.is_sure and self.sureness >= _CERTAIN

    @property
    def is_at_odds(self) -> bool:
        """Whether it all but rules out that the prompt can be done."""
        return self.only < _AT_ODDS


@lru_cache(maxsize=64)
def read_again(prompt: str) -> Reread | None:
    """None of nothing, and of more than it can take in."""
    found = tokens(prompt)
    if not 0 < len(found) <= MOST_TOKENS:
        return None
    read = network().read(found)
    writes = bool(read.wishes & {"write", "watermark"})
    return Reread(restated(prompt, found, read), len(read.wishes), read.sureness, read.only, writes)
