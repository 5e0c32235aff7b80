"""How the models of one device stand: what its worker says of them, kept and told to the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import structlog

from tollbrush.engines.diffusion import slower
from tollbrush.engines.diffusion.messages import WARMING, Loaded, Loading, NotLoaded, Slower, Waits
from tollbrush.errors import BadSettings, TollbrushError

_log: Final = structlog.get_logger(__name__)

AGAIN: Final = 30.0
"""Seconds after which a model that could not be loaded is tried once more."""

News = Loading | Loaded | Waits | Slower | NotLoaded


class Standing:
    """`label` names the device, `now` tells the time in seconds."""

    def __init__(self, label: str, now: Callable[[], float]) -> None:
        self._label, self._now = label, now
        self.ready = set[str]()
        self._loading = dict[str, str]()  # what is being done
        self._failed = dict[str, tuple[TollbrushError, float]]()
        self._slower = set[str]()

    @property
    def there(self) -> frozenset[str]:
        """The models that the device has, or soon will have."""
        return frozenset(self.ready.union(self._loading))

    @property
    def reading(self) -> bool:
        """Whether a model is on its way."""
        return bool(self._loading)

    @property
    def warming(self) -> str | None:
        """The model that is being warmed up."""
        return next((name for name, doing in self._loading.items() if doing == WARMING), None)

    def refused(self, name: str) -> bool:
        """Whether it failed to load just now."""
        _, when = self._failed.get(name, (None, -AGAIN))
        return self._now() - when < AGAIN

    def begin(self) -> None:
        """A worker is up: it has tried nothing yet."""
        self._failed.clear()

    def end(self) -> None:
        """It is no more."""
        self._loading.clear()
        self.ready.clear()

    def take(self, news: News) -> None:
        match news:
            case Loading(name, doing, fraction):
                if name not in self._loading:
                    _log.info("loading a model", model=name, device=self._label)
                self._loading[name] = doing
                _log.debug("loading a model", model=name, doing=doing, fraction=round(fraction, 3))
                return
            case Slower(name, why):
                self.tell_slower(name, why)
                return
        self._loading.pop(news.name, None)
        match news:
            case Loaded(name, commit):
                self._failed.pop(name, None)
                self.ready.add(name)
                _log.info("a model is ready", model=name, device=self._label, commit=commit)
            case Waits(name, why):
                self.ready.discard(name)
                _log.info("a model waits until it is asked for", model=name, device=self._label, why=why)
            case NotLoaded(name, error):
                self._failed[name] = error, self._now()
                _log.error("a model cannot be loaded", model=name, device=self._label, error=error.sentence())

    def tell_slower(self, name: str, why: str) -> None:
        self._slower.add(name)
        slower.tell(_log, name, why, device=self._label)

    def alarms(self) -> Mapping[str, str]:
        """By model, what the operator must see to."""
        failed = {name: f"{name} cannot be loaded. {todo(error)}" for name, (error, _) in self._failed.items()}
        return {name: slower.alarm(name) for name in self._slower} | failed


def todo(error: TollbrushError) -> str:
    """All may read it, so why is left to the log."""
    return error.hint if isinstance(error, BadSettings) and error.hint != BadSettings.advice else "The log says why."
