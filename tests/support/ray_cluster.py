"""Two Ray nodes on this machine's loopback, in processes of their own, and what is deployed on them.

python -m support.ray_cluster FOLDER    prints the cluster's address, and runs until its standard input ends
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from support.servers import TESTS, free_port, tail
from support.waiting import until

_NODES = ("127.0.0.2", "127.0.0.3")
"""Ray takes 127.0.0.1 to mean another address of the machine."""
_STORE = 80 * 2**20
_STARTS = 5
"""Ray gives up a node whose agents take longer than 15 s to start, which they do on a busy machine."""
_MARK = "TOLLBRUSH_TEST_CLUSTER"
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


@dataclass(frozen=True)
class Cluster:
    """`address`: the cluster's, for `--cluster`. `port`: that Serve's proxy is given."""

    address: str
    port: int
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"ray://127.0.0.1:{self.port}"

    def tollbrush(self, *words: str, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """`tollbrush ray …` on a machine of the cluster."""
        return subprocess.run(
            [sys.executable, "-m", "tollbrush", "ray", *words, "--cluster", self.address],
            env={**self.environment, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def deploy(self, settings: Mapping[str, str]) -> str:
        """What it said."""
        done = self.tollbrush("deploy", "--port", str(self.port), settings=settings)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def remove(self) -> None:
        done = self.tollbrush("remove", settings={})
        assert done.returncode == 0, done.stdout + done.stderr

    def told(self, event: str, *, by: int) -> str:
        """A replica's line of log about this event, the newest, as soon as there is one."""

        def newest() -> str | None:
            return next((line for line in reversed(self.log(by)) if event in line), None)

        return until(newest, f"process {by} has not logged {event!r}")

    @property
    def session(self) -> Path:
        """The folder of Ray's own files."""
        return Path(self.environment[_MARK]) / "session_latest"

    def log(self, process: int) -> list[str]:
        """The lines of a replica's log."""
        return [
            line for log in self.session.glob(f"logs/worker-*-{process}.err") for line in log.read_text().splitlines()
        ]

    def replicas(self) -> set[int]:
        """Process ids of the application's replicas."""
        return {pid for pid in _marked(self.environment[_MARK]) if "ServeReplica:tollbrush:" in _command(pid)}


@contextmanager
def two_nodes(folder: Path, *paths: Path, **more: str) -> Iterator[Cluster]:
    """One processor each, small object stores, no dashboard. Nothing of it is left at the end. `paths` are looked into
    for Python modules before others; `more` variables are in the processes' environment."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TOLLBRUSH_", "RAY_"))}
    python = os.pathsep.join(map(str, [*paths, TESTS, TESTS.parent / "src"]))
    log = folder / "ray.log"
    for _ in range(_STARTS):
        sockets = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # a socket's path has at most 107 bytes
        (sockets / "ray").mkdir()  # where Ray notes the address of the newest cluster, which is not to be the user's
        own = {"PYTHONPATH": python, "HOME": str(folder), "RAY_TMPDIR": str(sockets), _MARK: str(sockets)}
        environment = clean | _QUIET | own | more
        with _nodes(sockets, environment, log) as address:
            if address:
                yield Cluster(address, free_port(), environment)
                return
    raise AssertionError(f"no Ray cluster started:\n{tail(log)}")


@contextmanager
def _nodes(sockets: Path, environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """The address, empty where they did not start."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "support.ray_cluster", str(sockets)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
        )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        try:
            process.wait(60)
        finally:
            for pid in _marked(str(sockets)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait(10)
            process.stdout.close()
            shutil.rmtree(sockets, ignore_errors=True)


def main(folder: str) -> None:
    from ray.cluster_utils import Cluster as Nodes

    nodes, lean = Nodes(), {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True}
    nodes.add_node(node_ip_address=_NODES[0], temp_dir=folder, object_store_memory=_STORE, **lean)
    nodes.add_node(node_ip_address=_NODES[1], object_store_memory=_STORE)
    print(nodes.address, flush=True)
    sys.stdin.read()
    nodes.shutdown()


def _marked(mark: str) -> set[int]:
    """The cluster's processes, whoever started them and whatever they call themselves; commands of ours that have
    ended apart."""
    wanted, found = f"{_MARK}={mark}".encode(), set[int]()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it ended meanwhile, or is another user's
            if wanted in environment.read_bytes().split(b"\0"):
                found.add(int(environment.parent.name))
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


if __name__ == "__main__":
    main(sys.argv[1])
