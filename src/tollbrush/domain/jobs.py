"""One job: the work behind an edit, whoever pays for it. A state machine without I/O.

queued ──► in_progress ──► completed ──► failed (expired, never collected)
   │            ├────────► failed           │
   └────────────┴────────► cancelled ◄──────┘ (while nobody has paid)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from tollbrush.domain.changed import changed
from tollbrush.domain.charges import IllegalTransition


class JobState(StrEnum):
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_S = JobState
_NEXT: Final = {
    _S.QUEUED: {_S.IN_PROGRESS, _S.FAILED, _S.CANCELLED},
    _S.IN_PROGRESS: {_S.IN_PROGRESS, _S.COMPLETED, _S.FAILED, _S.CANCELLED},
    _S.COMPLETED: {_S.FAILED, _S.CANCELLED},
    _S.FAILED: set[JobState](),
    _S.CANCELLED: set[JobState](),
}

UNFINISHED: Final = frozenset({_S.QUEUED, _S.IN_PROGRESS})


@dataclass(frozen=True)
class HostedImage:
    """A finished picture as hosted. `key` is its unguessable name in the image store; `seed` None where the engine
    takes none."""

    key: str
    mime_type: str
    width: int
    height: int
    sha256: str
    seed: int | None
    revised_prompt: str
    preserved: bool | None = None
    edited_fraction: float | None = None


@dataclass(frozen=True)
class Job:
    """`model` answers, `requested_model` was asked for (they differ only for a stand-in); times in Unix seconds.
    `images` are the results of a completed job; before that and after a failure, files that are to be removed.
    `deadline`: past it unfinished work has failed. `owner` is the process that works on it, until `lease_until`.
    `usage`: what the engine says it consumed, tokens for the most part."""

    id: str
    payer: str
    model: str
    requested_model: str
    size: str
    n: int
    amount: int
    created: int
    deadline: int = 0
    state: JobState = JobState.QUEUED
    images: tuple[HostedImage, ...] = ()
    error_code: str | None = None
    error: str | None = None
    updated: int = 0
    owner: str = ""
    lease_until: int = 0
    usage: Mapping[str, int] = field(default_factory=dict, hash=False)

    @property
    def finished(self) -> bool:
        return self.state not in UNFINISHED

    def start(self, now: int) -> Job:
        return self._to(JobState.IN_PROGRESS, now)

    def complete(self, images: tuple[HostedImage, ...], now: int, usage: Mapping[str, int] | None = None) -> Job:
        return self._to(JobState.COMPLETED, now, images=images, usage=usage or {})

    def fail(self, code: str, error: str, now: int) -> Job:
        return self._to(JobState.FAILED, now, error_code=code, error=error)

    def cancel(self, now: int) -> Job:
        return self._to(JobState.CANCELLED, now)

    def _to(self, state: JobState, now: int, **results: Any) -> Job:
        if state not in _NEXT[self.state]:
            raise IllegalTransition(f"job {self.id}: {self.state} may not become {state}")
        return changed(self, state=state, updated=now, **results)
