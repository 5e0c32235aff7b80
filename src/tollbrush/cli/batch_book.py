"""The run file of a batch: a line for each step of each picture, on the disk before the step is taken.

A picture is `started` before anything is asked to be paid for it; whatever interrupts the batch, a resumed one knows
which pictures may have been paid for, and asks the router for those with the moment they were started, so that it
replays what was bought.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal, Self

import msgspec

from tollbrush.errors import BadRequest, Unavailable

FILE: Final = "tollbrush-batch.jsonl"

State = Literal["started", "done", "failed"]


class Order(msgspec.Struct, frozen=True):
    """What the batch does to each picture: the run file's first line."""

    prompt: str
    options: dict[str, str | int | None]
    version: int = 1


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a picture is. `digest`: of its bytes and its mask's; `at`: Unix seconds of its first start; `price`: what
    it cost, or while that is not known, what was set aside for it."""

    picture: str
    digest: str
    state: State
    at: float
    price: Decimal
    file: str = ""
    tx_hash: str = ""
    code: str = ""


@dataclass
class RunFile:
    """An open run file, held by this process alone. `steps`: the last one of each picture."""

    path: Path
    handle: int
    order: Order | None
    steps: dict[str, Step]

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Made with its folder when there is none. Raises BadRequest, Unavailable."""
        path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as failure:
            raise BadRequest(f"{path} cannot be written: {failure.strerror}.", advice="Choose another -o.") from failure
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise BadRequest(
                f"another batch is at work in {folder}.", advice="Wait for it, or choose another -o."
            ) from None
        try:
            return cls(path, handle, *_parsed(path, handle))
        except BaseException:
            os.close(handle)
            raise

    def begin(self, order: Order) -> None:
        """The first line, or the same as it is. Raises BadRequest when this folder holds another batch."""
        if self.order is not None and self.order != order:
            raise BadRequest(
                f"{self.path.parent} holds a batch with another prompt or other options: {self.order.prompt!r}.",
                advice="Choose another -o.",
            )
        if self.order is None:
            self.order = order
            self._append(order)

    def note(self, step: Step) -> None:
        """On the disk when this returns. Raises Unavailable."""
        self.steps[step.picture] = step
        self._append(step)

    def close(self) -> None:
        os.close(self.handle)

    def _append(self, line: Order | Step) -> None:
        try:
            os.write(self.handle, msgspec.json.encode(line) + b"\n")
            os.fsync(self.handle)
        except OSError as failure:
            raise Unavailable(
                f"{self.path} cannot be written: {failure.strerror}.", advice="Make room, then use --resume."
            ) from failure


def _parsed(path: Path, handle: int) -> tuple[Order | None, dict[str, Step]]:
    """What earlier runs wrote; a line that a crash cut short is taken away. Raises BadRequest."""
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        os.ftruncate(handle, len(whole))
    lines = whole.splitlines()
    try:
        order = msgspec.json.decode(lines[0], type=Order) if lines else None
        steps = [msgspec.json.decode(line, type=Step) for line in lines[1:]]
    except msgspec.DecodeError as wrong:
        raise BadRequest(
            f"{path} is no run file of a batch, or it is damaged: {wrong}.", advice="Choose another -o."
        ) from None
    return order, {step.picture: step for step in steps}
