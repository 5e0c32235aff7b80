"""A local Base run by foundry's anvil: starts in 0.1 s. https://getfoundry.sh/anvil"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any, Final

import httpx2

from tollbrush.errors import Unavailable

_CHAIN_ID: Final = 84532
_START_SECONDS: Final = 20.0
# The shell ends anvil when our end of its stdin closes, on stop() and however this process dies, and ends with it.
_LEASH: Final = """
exec 3<&0
"$@" </dev/null 3<&- & node=$!
{ read -r _ <&3; kill $node; } >/dev/null 2>&1 & leash=$!
exec 3<&-
wait $node; kill $leash
"""


def find_anvil() -> str | None:
    """The binary: in PATH, or installed by npm in the working folder or one above it."""
    if found := shutil.which("anvil"):
        return found
    for folder in (Path.cwd(), *Path.cwd().parents):
        for binary in sorted(folder.glob("node_modules/@foundry-rs/anvil-*/bin/anvil")):
            if os.access(binary, os.X_OK):
                return str(binary)
    return None


class AnvilNode:
    """One anvil process on loopback; each transaction is a block, and one more comes every two seconds, so that the
    chain's clock goes on. Raises Unavailable when it does not start."""

    kind = "anvil"

    def __init__(self, binary: str, *, port: int = 0) -> None:
        options = f"--host 127.0.0.1 --port {port} --chain-id {_CHAIN_ID} --block-time 2 --mixed-mining".split()
        self._process = subprocess.Popen(  # noqa: S603 - the binary is the one we found, no shell reads our words
            ["/bin/sh", "-c", _LEASH, "anvil", binary, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C stops the gateway first, the chain under it last
        )
        self._http = httpx2.Client(timeout=10.0)
        self._ids = itertools.count(1)
        self._listening = threading.Event()
        self.rpc_url = ""
        self._said: list[str] = []
        threading.Thread(target=self._read_output, name="anvil-output", daemon=True).start()
        if not self._listening.wait(_START_SECONDS) or not self.rpc_url:
            self.stop()
            raise Unavailable(f"anvil did not start: {' '.join(self._said[-3:])[:300] or 'it said nothing'}.")

    def _read_output(self) -> None:
        # To the end, although only the first lines matter: a full pipe would stop the chain.
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if self._listening.is_set():
                    continue
                self._said.append(line.strip())
                if address := re.search(r"Listening on (127\.0\.0\.1:\d+)", line):
                    self.rpc_url = f"http://{address[1]}"
                    self._listening.set()
        self._listening.set()

    def call(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call; raises Unavailable with what anvil said."""
        request = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        try:
            answer = self._http.post(self.rpc_url, json=request).json()
        except httpx2.HTTPError as failure:
            raise Unavailable(f"anvil does not answer {method}: {failure}.") from failure
        if "error" in answer:
            raise Unavailable(f"anvil refused {method}: {answer['error'].get('message')}.")
        return answer["result"]

    def install(self, address: str, code: str) -> None:
        self.call("anvil_setCode", address, code)

    def give(self, address: str, wei: int) -> None:
        self.call("anvil_setBalance", address, hex(wei))

    def stop(self) -> None:
        self._http.close()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
