"""A plan: what is done to a picture, in order."""

from __future__ import annotations

from dataclasses import dataclass

from tollbrush.engines.studio.plans.abilities import Operation


@dataclass(frozen=True)
class Plan:
    """At least one operation, in the order in which they are done."""

    operations: tuple[Operation, ...]

    def describe(self) -> str:
        """In words, as `revised_prompt`."""
        return f"{self.told[0].upper()}{self.told[1:]}."

    @property
    def told(self) -> str:
        return ", then ".join(map(str, self.operations))
