"""A diffusion worker: the models of one device, in a process of their own.

    python -m tollbrush.engines.diffusion.worker_process

It hears a `Setup`, says `ready` once torch is there, then takes `Load`, `Edit` and `Cancel` until its standard input
ends. Every edit has a thread; the models put them in line. A device that no longer works ends the process.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Final

from tollbrush.engines.diffusion.messages import (
    Answer,
    Cancel,
    Done,
    Edit,
    Load,
    Loaded,
    Loading,
    NotLoaded,
    Setup,
    Slower,
    Told,
    Waits,
)
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.interface import EditOutput, Progress
from tollbrush.engines.pipes import heard, mouth, say
from tollbrush.errors import BadSettings, EngineFailed, NoRoom, TollbrushError

READY: Final = "ready"
BROKEN: Final = 70  # exit code: the device no longer works


def main() -> None:
    os.environ.setdefault("TQDM_DISABLE", "1")  # its standard error is the gateway's log
    out, messages = mouth(), heard()
    setup: Setup = next(messages)
    try:
        models, device = open_models(setup)
    except TollbrushError as error:
        say(out, error)
        return
    say(out, READY)
    desk = _Desk(models, setup, device, out)
    for message in messages:
        desk.take(message)


def open_models(setup: Setup) -> tuple[Models, str]:
    """They, and their device's name. Raises BadSettings where that is not there."""
    models = Models(
        setup.rows, setup.device, tuning=setup.tuning, cache=setup.cache, offline=setup.offline, token=setup.token
    )
    try:
        from tollbrush.engines.diffusion.loading import device_named

        return models, device_named(setup.device)
    except ImportError as failure:
        raise BadSettings(
            f"the diffusion engine's parts are not installed ({failure.name}).",
            advice="pip install 'tollbrush[diffusion]'",
        ) from failure


class _Desk:
    """Takes what the gateway says; answers come from the threads that do the work."""

    def __init__(self, models: Models, setup: Setup, device: str, out: BinaryIO) -> None:
        self._models, self._setup, self._device, self._out = models, setup, device, out
        models.slower = lambda name, why: self._say(Slower(name, why))
        models.left = lambda name: self._say(Waits(name, "Another model took its place."))
        self._speaking = threading.Lock()
        self._ahead = ThreadPoolExecutor(1)  # in the order of the rows: the last ones may not fit any more
        self._loading = {row.name: threading.Lock() for row in setup.rows}  # who comes second need not tell of it
        self._cancelled: dict[int, threading.Event] = {}

    def take(self, message: Load | Edit | Cancel) -> None:
        match message:
            case Load(name):
                self._ahead.submit(self._load_quietly, name)
            case Edit(number):
                self._cancelled[number] = threading.Event()
                threading.Thread(target=self._edit, args=(message,), daemon=True).start()
            case Cancel(number):
                if (flag := self._cancelled.get(number)) is not None:
                    flag.set()

    def _say(self, answer: Answer) -> None:
        with self._speaking:
            say(self._out, answer)

    def _load_quietly(self, name: str) -> None:
        try:
            self._load(name, make_room=False)
        except TollbrushError:
            return  # it was told; who asks for an edit hears it again

    def _load(self, name: str, *, make_room: bool) -> None:
        """Says how it goes, and how it ended. Raises BadSettings, EngineFailed."""
        if self._models.loaded(name):
            return
        with self._loading[name]:
            if self._models.loaded(name):
                return
            self._say(Loading(name, "starting", 0.0))
            try:
                self._models.load(name, lambda doing, part: self._say(Loading(name, doing, part)), make_room=make_room)
            except NoRoom as full:
                crowded = any(self._models.loaded(row.name) for row in self._setup.rows)
                self._say(Waits(name, full.sentence()) if crowded else NotLoaded(name, full))
                raise
            except TollbrushError as error:
                self._end_if_broken(error)
                self._say(NotLoaded(name, error))
                raise
            except Exception as surprise:
                traceback.print_exc()
                self._end_if_broken(surprise)
                failure = EngineFailed(f"{name} could not be loaded ({type(surprise).__name__}).")
                self._say(NotLoaded(name, failure))
                raise failure from surprise
            row = next(row for row in self._setup.rows if row.name == name)
            self._say(Loaded(name, commit_of(row, self._setup.cache)))

    def _edit(self, asked: Edit) -> None:
        flag = self._cancelled[asked.id]
        result: EditOutput | TollbrushError

        def report(progress: Progress) -> None:
            self._say(Told(asked.id, progress))

        try:
            self._load(asked.name, make_room=True)
            result = self._models.edit(asked.name, asked.request, report=report, cancelled=flag.is_set)
        except TollbrushError as error:
            result = error
        except Exception as surprise:  # noqa: BLE001 - one edit's failure must not be everybody's
            traceback.print_exc()
            result = EngineFailed(f"{asked.name} failed at this edit ({type(surprise).__name__}).")
        del self._cancelled[asked.id]
        self._say(Done(asked.id, result))
        if isinstance(result, EngineFailed):
            self._end_if_broken(result)

    def _end_if_broken(self, error: Exception) -> None:
        """What the operator must mend breaks no device."""
        if not isinstance(error, BadSettings) and not works(self._device):
            os._exit(BROKEN)


def works(device: str) -> bool:
    """Whether the device still computes: after some failures every further call on it fails."""
    import torch

    try:
        return bool((torch.ones(1, device=device) + 1).item() == 2)
    except RuntimeError as failure:
        if isinstance(failure, torch.OutOfMemoryError):
            return True
        print(f"{device} no longer works: {failure}", file=sys.stderr)  # noqa: T201 - its log is standard error
        return False


def commit_of(row: DiffusionModel, cache: Path | None) -> str | None:
    """The commit of a hub model's files in the cache."""
    if row.folder is not None:
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(row.source, "model_index.json", cache_dir=cache, revision=row.revision)
    return Path(found).parent.name if isinstance(found, str) else None


if __name__ == "__main__":
    main()
