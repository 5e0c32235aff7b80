"""Real servers in their own processes, for tests: started on a free port, awaited by their health route, stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str], url: str, *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m command…` until the block ends; fails with the log's tail when it does not come up in 60 s."""
    full = {k: v for k, v in os.environ.items() if not k.startswith("TOLLBRUSH_")} | dict(env or {})
    full["PYTHONPATH"] = os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])
    with log.open("ab") as out:
        process = subprocess.Popen([sys.executable, "-m", *command], stdout=out, stderr=out, env=full, cwd=cwd)
    try:
        _await(process, url, log)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{command} did not stop on SIGTERM:\n{tail(log)}") from None


def tail(log: Path, lines: int = 40) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server exited with {process.returncode}:\n{tail(log)}")
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            # Waiting for another process to listen: there is nothing to be woken by.
            time.sleep(0.05)
    raise AssertionError(f"no answer from {url} in 60 s:\n{tail(log)}")
