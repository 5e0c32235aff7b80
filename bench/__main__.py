"""`python -m bench [NAME…]`: prints a table, writes `build/bench.json`."""

from __future__ import annotations

import importlib
import json
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.measure import Row

NAMES = ("payments", "plumbing", "parsing", "studio", "parked", "upstream", "growth", "tax", "router")
OUT = Path("build/bench.json")


def main() -> None:
    names = sys.argv[1:] or NAMES
    results: dict[str, list[Row]] = {}
    for name in names:
        if name not in NAMES:
            sys.exit(f"No benchmark {name!r}; there are: {', '.join(NAMES)}.")
        results[name] = importlib.import_module(f"bench.{name}").run()
        Console().print(table(name, results[name]))
    OUT.parent.mkdir(exist_ok=True)
    rows = {name: [row.as_json() for row in found] for name, found in results.items()}
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    OUT.write_text(json.dumps({"machine": machine, "results": rows}, indent=2))
    print(f"Written to {OUT}.")


def table(name: str, rows: list[Row]) -> Table:
    columns = ["what", "ours, ms", "peer, ms", "peer", "ratio", "quartiles"]
    extra = ["CPU, ms", "peak, MB"] if any(row.memory for row in rows) else []
    shown = Table(*columns, *extra, title=name, title_justify="left")
    for row in rows:
        peer = f"{row.peer:.3f}" if row.peer is not None else ""
        ratio = f"{row.ratio:.1f}×" if row.ratio is not None else ""
        spread = f"{row.spread[0]:.1f}–{row.spread[1]:.1f}" if row.spread else ""
        used = [f"{value:.0f}" if value is not None else "" for value in (row.cpu, row.memory)] if extra else []
        shown.add_row(row.name, f"{row.ours:.3f}", peer, row.peer_name, ratio, spread, *used)
    return shown


if __name__ == "__main__":
    main()
