"""The whole product as its user runs it: one `tollbrush up` a session, with the photographs in the user's home."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tollbrush.cli.demo import photographs


@dataclass(frozen=True)
class Everything:
    """A running stack, and the user's home and working folder with the photographs."""

    process: subprocess.Popen[str]
    home: Path
    said: dict[str, Any]

    @property
    def router(self) -> str:
        return str(self.said["router"])

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command in another terminal of the same user."""
        return subprocess.run(
            [sys.executable, "-m", "tollbrush", *words],
            cwd=self.home,
            env=environment(self.home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def balances(self) -> dict[str, float]:
        accounts = httpx2.get(f"{self.router}/v1/wallet").json()["accounts"]
        return {a["network"]: round(float(a["balance"]) * 10**6) for a in accounts}


def environment(home: Path) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TOLLBRUSH_", "XDG_"))}
    return clean | {"HOME": str(home)}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everything]:
    with standing(tmp_path_factory.mktemp("home")) as everything:
        yield everything


@contextmanager
def standing(home: Path) -> Iterator[Everything]:
    """A stack for a test that ends it."""
    with photographs(home):
        process = subprocess.Popen(
            [sys.executable, "-m", "tollbrush", "up", "--port", "0", "--json"],
            cwd=home,
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, "up said nothing"
            yield Everything(process, home, json.loads(line))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            process.stdout.close()
