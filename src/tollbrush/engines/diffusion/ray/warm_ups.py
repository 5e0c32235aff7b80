"""Which warm-ups have ended in their replica's death, kept on its node: the next replica there tries less.

A file for each warm-up at work, locked by the process that is at it. However that ends, the kernel lets go of its lock;
so a file that nobody holds tells of a death, and is kept under the name of what was tried.
"""

from __future__ import annotations

import fcntl
import hashlib
import threading
import uuid
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from tollbrush.engines.diffusion.model import Tuning

_NEW, _AT_WORK, _DIED = ".new", ".at-work", ".died"
_LONGEST: Final = 1000  # characters of a model's name


class WarmUps:
    """`folder`: the node's own, of one deployment; all its replicas use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, tuple[Path, IO[str]]] = {}
        self._writing = threading.Lock()
        self._over = False

    def survivable(self, wanted: Tuning) -> tuple[Tuning, str | None]:
        """As fast as no warm-up here has died of, and the model that one died at which was to be faster. Asked before
        anything is warmed up."""
        self._bury()
        tuning, model = wanted, None
        while (died_at := self._died_of(tuning)) is not None and (plainer := tuning.plainer()) != tuning:
            tuning, model = plainer, died_at
        return tuning, model

    def begin(self, model: str, tuning: Tuning) -> None:
        """Once is enough. What cannot be written down, on a full disk, is only not remembered."""
        name = f"{_key(tuning)}-{uuid.uuid4().hex}"
        with self._writing, suppress(OSError):
            if self._over or model in self._held:
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            file = (self._folder / f"{name}{_NEW}").open("x")
            fcntl.lockf(file, fcntl.LOCK_EX)
            file.write(model[:_LONGEST])
            file.flush()
            at_work = self._folder / f"{name}{_AT_WORK}"
            Path(file.name).replace(at_work)  # nobody sees it before it is locked
            self._held[model] = at_work, file

    def end(self, model: str) -> None:
        """It is warmed up, or cannot be; nobody died."""
        with self._writing:
            if (held := self._held.pop(model, None)) is not None:
                at_work, file = held
                at_work.unlink(missing_ok=True)
                file.close()

    def forget(self) -> None:
        """From now on this process is being stopped, and dies of nothing else."""
        with self._writing:
            self._over = True
        for model in tuple(self._held):
            self.end(model)

    def _bury(self) -> None:
        for at_work in self._folder.glob(f"*{_AT_WORK}"):
            with suppress(OSError), at_work.open("r+") as file:  # locked, or gone meanwhile
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                at_work.replace(self._folder / (at_work.name.partition("-")[0] + _DIED))

    def _died_of(self, tuning: Tuning) -> str | None:
        try:
            return (self._folder / (_key(tuning) + _DIED)).read_text()
        except OSError:
            return None


def _key(tuning: Tuning) -> str:
    return hashlib.sha256(repr(tuning).encode()).hexdigest()[:16]
