"""`python -m bench.quality [PART…]`: prints a table per part, writes `build/quality.json`. Takes minutes."""

from __future__ import annotations

import importlib
import json
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.quality.line import Line, means

PARTS = ("segmentation", "mattes", "fills", "recolours", "grammar", "promises")
OUT = Path("build/quality.json")


def main() -> None:
    names = sys.argv[1:] or PARTS
    results: dict[str, list[Line]] = {}
    for name in names:
        if name not in PARTS:
            sys.exit(f"No part {name!r}; there are: {', '.join(PARTS)}.")
        part = importlib.import_module(f"bench.quality.{name}")
        lines: list[Line] = part.run()
        results[name] = lines + means(lines)
        Console().print(table(part.TITLE, results[name]))
        if hasattr(part, "gate"):
            results[f"{name}, gate"] = part.gate(lines)
            Console().print(table(f"{name}: the confidence gate", results[f"{name}, gate"]))
    OUT.parent.mkdir(exist_ok=True)
    rows = {name: [line.as_json() for line in lines] for name, lines in results.items()}
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    OUT.write_text(json.dumps({"machine": machine, "results": rows}, indent=2))
    print(f"Written to {OUT}.")


def table(title: str, lines: list[Line]) -> Table:
    names = list(dict.fromkeys(name for line in lines for name in line.figures))
    shown = Table("case", "method", title=title, title_justify="left")
    for name in names:
        shown.add_column(name, justify="right")
    for before, line in zip([None, *lines], lines, strict=False):
        values = (f"{line.figures[name]:.3g}" if name in line.figures else "" for name in names)
        shown.add_row("" if before and before.case == line.case else line.case, line.method, *values)
    return shown


if __name__ == "__main__":
    main()
