"""The command line. `main` is the entry point; commands import what they need when they run."""

from __future__ import annotations

import sys


def main() -> None:
    from tollbrush.cli.app import run

    sys.exit(run(sys.argv[1:]))
