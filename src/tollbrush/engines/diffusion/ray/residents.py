"""A loaded model, as long as Serve's line of least recently used ones keeps it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tollbrush.engines.diffusion.models import Models


class Gone(Exception):
    """It was let go since it was asked for."""


class Resident:
    """Serve calls `__del__`, in a thread, when another model takes this one's place."""

    def __init__(self, models: Models, name: str) -> None:
        self._models, self.name = models, name
        self._users, self._gone = 0, False
        self._left = threading.Condition()

    @contextmanager
    def used(self) -> Iterator[None]:
        """Around one edit: as long as it lasts the model stays. Raises Gone."""
        with self._left:
            if self._gone:
                raise Gone(self.name)
            self._users += 1
        try:
            yield
        finally:
            with self._left:
                self._users -= 1
                self._left.notify_all()

    def __del__(self) -> None:
        """Waits for the edits at work on it. Once is enough: Python calls it again."""
        if sys.is_finalizing():
            return
        with self._left:
            self._left.wait_for(lambda: self._gone or not self._users)
            done, self._gone = self._gone, True
        if not done:
            self._models.unload(self.name)
