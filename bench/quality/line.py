"""One line of the suite's tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """What `method` reached on `case`: figures by name, in the units that their part's title tells."""

    case: str
    method: str
    figures: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def means(lines: list[Line]) -> list[Line]:
    """One line per method over all its cases."""
    methods = list(dict.fromkeys(line.method for line in lines))
    found = []
    for method in methods:
        own = [line.figures for line in lines if line.method == method]
        names = list(dict.fromkeys(name for figures in own for name in figures))
        values = {name: [f[name] for f in own if name in f] for name in names}
        found.append(Line("mean", method, {name: sum(v) / len(v) for name, v in values.items()}))
    return found
