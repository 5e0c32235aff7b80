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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.servers import TESTS, free_port

_NODES = ("127.0.0.2", "127.0.0.3")
"""Ray takes 127.0.0.1 to mean another address of the machine."""
_STORE = 80 * 2**20
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "OMP_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Cluster:
    """`address`: the cluster's, for `--cluster`. `port`: that Serve's proxy is given."""

    address: str
    port: int
    process: subprocess.Popen[str]
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"ray://127.0.0.1:{self.port}"

    def tollbrush(self, *words: str, settings: Mapping[str, str], timeout: float = 300) -> str:
        """A command on a machine of the cluster; what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "tollbrush", "ray", *words, "--cluster", self.address],
            env={**self.environment, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def deploy(self, settings: Mapping[str, str]) -> str:
        return self.tollbrush("deploy", "--port", str(self.port), settings=settings)

    def replicas(self) -> set[int]:
        """Process ids of the application's replicas."""
        return {pid for pid in _offspring(self.process.pid) if "ServeReplica:tollbrush:" in _command(pid)}


@contextmanager
def two_nodes(folder: Path) -> Iterator[Cluster]:
    """One processor each, small object stores, no dashboard. Nothing of it is left at the end."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TOLLBRUSH_", "RAY_"))}
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])
    environment = clean | _QUIET | {"PYTHONPATH": paths, "HOME": str(folder)}
    sockets = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # a socket's path has at most 107 bytes
    with (folder / "ray.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "support.ray_cluster", str(sockets)],
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdin is not None and process.stdout is not None
    started = set[int]()
    try:
        address = process.stdout.readline().strip()
        assert address, (folder / "ray.log").read_text()
        yield Cluster(address, free_port(), process, environment)
    finally:
        started |= _offspring(process.pid)
        process.stdin.close()
        try:
            process.wait(60)
        finally:
            process.kill()
            for pid in started:
                _kill(pid)
            process.stdout.close()
            shutil.rmtree(sockets, ignore_errors=True)


def main(folder: str) -> None:
    from ray.cluster_utils import Cluster as Nodes

    common = {"num_cpus": 1, "object_store_memory": _STORE, "include_dashboard": False}
    nodes = Nodes()
    nodes.add_node(node_ip_address=_NODES[0], temp_dir=folder, **common)
    nodes.add_node(node_ip_address=_NODES[1], **common)
    print(nodes.address, flush=True)
    sys.stdin.read()
    nodes.shutdown()


def _offspring(root: int) -> set[int]:
    """The processes under this one, however deep."""
    children: dict[int, set[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended meanwhile
            continue
        children.setdefault(parent, set()).add(int(status.parent.name))
    found, fresh = set[int](), {root}
    while fresh := {child for pid in fresh for child in children.get(pid, ())} - found:
        found |= fresh
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def _kill(pid: int) -> None:
    """Only what Ray started: numbers are used again."""
    command = _command(pid)
    if "ray" in command:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


if __name__ == "__main__":
    main(sys.argv[1])
