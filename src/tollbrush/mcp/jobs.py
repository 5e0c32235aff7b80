"""Edits under way in this process: one task each, joined by whoever asks for the same edit, alive when nobody waits."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tollbrush.errors import NotFound
from tollbrush.mcp.protocol import Call

if TYPE_CHECKING:
    from tollbrush.client import Edit, Progress

_KEPT: Final = 32
_HEARTBEAT: Final = 5.0
_STAGES: Final = {"quoted": "Paying", "signed": "Sending the picture", "uploading": "Editing", "waiting": "Editing"}


@dataclass
class Job:
    """One edit. `target` is where it goes, as `output` asked; `files` where it went, by what was asked for."""

    id: str
    key: str
    output: str | None
    target: Path
    task: asyncio.Task[Edit] = field(init=False)
    stage: str = "Starting"
    files: dict[str | None, list[Path]] = field(default_factory=dict)
    watchers: set[Callable[[str], None]] = field(default_factory=set)

    def tell(self, step: Progress) -> None:
        queue = f", {step.queue_position} before it" if step.queue_position else ""
        fraction = f", {step.fraction:.0%}" if step.fraction else ""
        self.stage = _STAGES.get(step.stage, "Saving") + fraction + queue
        for watcher in self.watchers:
            watcher(self.stage)

    @property
    def has_failed(self) -> bool:
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)


class Jobs:
    """The last edits of this process. An edit goes on when its caller hangs up or loses patience: it may be paid
    for."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def same(self, key: str) -> Job | None:
        """The job of this very edit that runs or is done."""
        return next((j for j in reversed(self._jobs.values()) if j.key == key and not j.has_failed), None)

    def start(self, key: str, output: str | None, target: Path, work: Callable[[Job], Awaitable[Edit]]) -> Job:
        job = Job(secrets.token_hex(8), key, output, target)
        job.task = asyncio.create_task(_run(work, job))
        job.task.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may be there to hear it
        self._jobs[job.id] = job
        for old in [j for j in self._jobs.values() if j.task.done()][: max(0, len(self._jobs) - _KEPT)]:
            del self._jobs[old.id]
        return job

    def find(self, number: str) -> Job:
        """Raises NotFound."""
        if job := self._jobs.get(number):
            return job
        raise NotFound(
            f"no job {number!r} of this session.",
            advice="Call edit_image with the same arguments: where a router runs, nothing is paid twice.",
        )

    async def close(self) -> None:
        """Stop what is running; the client books what was sent."""
        tasks = [job.task for job in self._jobs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def wait(job: Job, call: Call, seconds: float) -> bool:
    """Whether it is done within so many seconds. Tells the caller how far it is, and that it lives."""
    job.watchers.add(call.progress)
    try:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        call.progress(job.stage)
        while not job.task.done() and (left := until - loop.time()) > 0:
            await asyncio.wait([job.task], timeout=min(_HEARTBEAT, left))
            if not job.task.done():
                call.progress(job.stage)
        return job.task.done()
    finally:
        job.watchers.discard(call.progress)


def digest(pictures: Sequence[bytes | str | None], said: Any) -> str:
    """What makes two edits the same edit."""
    h = hashlib.sha256(msgspec.json.encode(said))
    for picture in pictures:
        data = picture.encode() if isinstance(picture, str) else picture or b""
        h.update(len(data).to_bytes(8, "big"))
        h.update(data)
    return h.hexdigest()


async def _run(work: Callable[[Job], Awaitable[Edit]], job: Job) -> Edit:
    return await work(job)
