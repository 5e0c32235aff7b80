"""The real gateway, which kills itself (SIGKILL) at a named step: `python -m support.crashing_gateway`.

Settings come from the environment as for `tollbrush serve`; beside them
`CRASH_STEP` `before X` or `after X` (empty: never), `CRASH_NTH` which time it is passed, `CRASH_AHEAD` seconds by which
its clock runs ahead, `CRASH_TRACE` the file that gets every step passed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from support.engines import Inverter
from tollbrush.domain.charges import Charge, ClaimKey
from tollbrush.domain.jobs import Job
from tollbrush.domain.networks import BY_V1
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.engines.interface import EditInput, EditOutput
from tollbrush.errors import ContentRefused
from tollbrush.gateway.app import Seams, create_app
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.interface import FeeAccount, Settlement, Till, Verified
from tollbrush.payments.rpc import JsonRpc
from tollbrush.payments.solana import SolanaTill
from tollbrush.settings import Settings
from tollbrush.storage.files import FileImages, FileInputs
from tollbrush.storage.interface import Claimed
from tollbrush.storage.sqlite import SqliteLedger

SENDS = ("eth_sendRawTransaction", "sendTransaction")
SLOW = {"slow": 0.1, "slower": 0.5}
"""Prompts and the seconds they take; `refuse` is refused, anything else is done at once."""


class Fuse:
    """Kills this process the `nth` time that `step` is passed."""

    def __init__(self, step: str, nth: int, trace: Path) -> None:
        self._step, self._nth = step, nth
        self._passed: Counter[str] = Counter()
        self._trace = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def passes(self, step: str) -> None:
        self._passed[step] += 1
        os.write(self._trace, f"{step}\n".encode())
        if step == self._step and self._passed[step] == self._nth:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """`after` is passed only when nothing was raised."""
        self.passes(f"before {name}")
        yield
        self.passes(f"after {name}")


class FusedLedger(SqliteLedger):
    """A write is named by what it leaves: `save ready`, `save job failed`."""

    def __init__(self, path: Path, fuse: Fuse) -> None:
        super().__init__(path)
        self._fuse = fuse

    async def claim(self, charge: Charge, job: Job, **limits: Any) -> Claimed:
        with self._fuse.around("claim"):
            return await super().claim(charge, job, **limits)

    async def save(self, *, job: Job | None = None, charge: Charge | None = None, was: Charge | None = None) -> bool:
        left = charge.state.value if charge else f"job {job.state.value}" if job else "nothing"
        with self._fuse.around(f"save {left}"):
            return await super().save(job=job, charge=charge, was=was)

    async def retire(self, job: Job) -> Job | None:
        with self._fuse.around(f"retire {job.state.value}"):
            return await super().retire(job)

    async def lease(self, job_id: str, owner: str, *, now: int, until: int) -> Job | None:
        held = await self.job(job_id)
        if held is None or held.owner == owner:
            return await super().lease(job_id, owner, now=now, until=until)
        with self._fuse.around("adopt"):
            return await super().lease(job_id, owner, now=now, until=until)


class FusedImages(FileImages):
    def __init__(self, folder: Path, fuse: Fuse) -> None:
        super().__init__(folder)
        self._fuse = fuse

    async def put(self, key: str, data: bytes) -> None:
        with self._fuse.around("put image"):
            await super().put(key, data)

    async def delete(self, key: str) -> None:
        with self._fuse.around("delete image"):
            await super().delete(key)


class FusedInputs(FileInputs):
    def __init__(self, folder: Path, fuse: Fuse) -> None:
        super().__init__(folder)
        self._fuse = fuse

    async def put(self, job_id: str, data: bytes) -> None:
        with self._fuse.around("put inputs"):
            await super().put(job_id, data)

    async def delete(self, job_id: str) -> None:
        with self._fuse.around("delete inputs"):
            await super().delete(job_id)


class FusedNode(JsonRpc):
    """`after send`: the chain has the transaction, and nobody has been told."""

    def __init__(self, url: str, fuse: Fuse) -> None:
        super().__init__(url)
        self._fuse = fuse

    async def call(self, method: str, *params: Any) -> Any:
        if method not in SENDS:
            return await super().call(method, *params)
        with self._fuse.around("send"):
            return await super().call(method, *params)


class FusedTill:
    """A `Till` around a real one."""

    def __init__(self, till: Till, fuse: Fuse) -> None:
        self._till, self._fuse = till, fuse

    @property
    def network(self) -> str:
        return self._till.network

    def requirement(self, amount: int) -> Requirement:
        return self._till.requirement(amount)

    def identify(self, payment: Payment) -> ClaimKey:
        return self._till.identify(payment)

    async def verify(self, payment: Payment, requirement: Requirement, *, now: int, deadline: int) -> Verified:
        with self._fuse.around("verify"):
            return await self._till.verify(payment, requirement, now=now, deadline=deadline)

    async def settle(self, verified: Verified) -> Settlement:
        with self._fuse.around("settle"):
            return await self._till.settle(verified)

    async def find(self, verified: Verified, tx_hash: str | None) -> Settlement:
        with self._fuse.around("find"):
            return await self._till.find(verified, tx_hash)

    async def check(self) -> str | None:
        return await self._till.check()

    async def fees(self) -> FeeAccount | None:
        return await self._till.fees()

    async def close(self) -> None:
        await self._till.close()


class FusedEngine(Inverter):
    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    async def edit(self, upstream: str, request: EditInput) -> EditOutput:
        with self._fuse.around("work"):
            await asyncio.sleep(SLOW.get(request.prompt, 0))
            if request.prompt == "refuse":
                raise ContentRefused("not this one.")
            return await super().edit(upstream, request)


class FusedAnswers:
    """Every answer of an edit or a poll: `before answer 200`, `after answer 200`."""

    def __init__(self, app: ASGIApp, fuse: Fuse) -> None:
        self._app, self._fuse = app, fuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "/v1/images/" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        status = 0

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._fuse.passes(f"before answer {status}")
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._fuse.passes(f"after answer {status}")

        await self._app(scope, receive, told)


def tills(settings: Settings, fuse: Fuse) -> Sequence[Till]:
    base, solana = settings.networks["base-sepolia"], settings.networks["solana-devnet"]
    keys = base.settle_key.get_secret_value(), solana.settle_key.get_secret_value()
    made: list[Till] = [
        EvmTill(BY_V1["base-sepolia"], base.pay_to, FusedNode(base.rpc_url, fuse), keys[0]),
        SolanaTill(BY_V1["solana-devnet"], solana.pay_to, FusedNode(solana.rpc_url, fuse), keys[1]),
    ]
    return [FusedTill(till, fuse) for till in made]


def fuse_disk(fuse: Fuse) -> None:
    """A file half written: our own files are synced from Python, SQLite's are not."""
    sync = os.fsync

    def fused(fd: Any) -> None:
        with fuse.around("fsync"):
            sync(fd)

    os.fsync = fused


def main(env: Mapping[str, str] = os.environ, listening: socket.socket | None = None) -> None:
    """Serve until SIGTERM, or until the step. Without `listening` on the port of the settings."""
    os.environ.update(env)
    settings, ahead = Settings(), float(env.get("CRASH_AHEAD", "0"))
    fuse = Fuse(env.get("CRASH_STEP", ""), int(env.get("CRASH_NTH", "1")), Path(env.get("CRASH_TRACE", os.devnull)))
    seams = Seams(
        clock=lambda: time.time() + ahead,
        ledger=lambda path: FusedLedger(path, fuse),
        images=lambda folder: FusedImages(folder, fuse),
        inputs=lambda folder: FusedInputs(folder, fuse),
        tills=lambda settings: tills(settings, fuse),
        engines=lambda _: [FusedEngine(fuse)],
    )
    app = FusedAnswers(create_app(settings, seams), fuse)
    fuse_disk(fuse)
    if listening is None:
        listening = socket.create_server((settings.gateway.host, settings.gateway.port))
    server = uvicorn.Server(
        uvicorn.Config(app, ws="none", log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    )
    # uvicorn raises the signal again once it has stopped; a clean stop ends with exit code 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    server.run(sockets=[listening])


def child(env: Mapping[str, str], listening: socket.socket, log: Path) -> None:
    """The same as a forked process of a server that has imported everything already."""
    with log.open("ab") as out:
        for descriptor in (1, 2):
            os.dup2(out.fileno(), descriptor)
    main(env, listening)


if __name__ == "__main__":
    main()
