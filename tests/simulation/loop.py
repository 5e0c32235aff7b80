"""An event loop whose time is a number: sleeps jump, nothing waits, and processes can be killed or stopped.

Every callback belongs to the process in whose context it was scheduled. A killed process's callbacks never run again,
not even its `finally` blocks: what kill -9 does. A stopped one's wait until it goes on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from typing import Any, Final, TypeVar

T = TypeVar("T")
_MAX_STEPS: Final = 50_000


class Stuck(Exception):
    """Nothing is left to happen, or it never ends."""


class Process:
    """What is killed or stopped as one."""

    def __init__(self, name: str) -> None:
        self.name, self.alive, self.stopped = name, True, False
        self.parked: list[_Handle] = []

    def context(self) -> Context:
        """What runs in it belongs to this process."""
        context = copy_context()
        context.run(_PROCESS.set, self)
        return context


NATURE: Final = Context()
"""Whose callbacks no process's death stops: chains, networks, time."""
_PROCESS: Final[ContextVar[Process | None]] = ContextVar("process", default=None)


class _Handle(list[Any]):
    """Time, order, callback, arguments, context: a list, which heaps compare and loops unpack without a line of ours.
    Without a callback it is cancelled."""

    __slots__ = ()

    def when(self) -> float:
        return float(self[0])

    def cancel(self) -> None:
        self[2] = None

    def cancelled(self) -> bool:
        return self[2] is None


class VirtualLoop:
    """As much of asyncio's event loop as tasks, futures and time-outs ask for. `time()` starts at 0; what asks for a
    thread is run on the spot."""

    def __init__(self) -> None:
        self._now, self._order = 0.0, 0
        self._ready: deque[_Handle] = deque()
        self._timers: list[_Handle] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self.over = False
        self.steps = 0
        self.surprises: list[str] = []

    # ── what asyncio asks of a loop ─────────────────────────────────────────────────────────────────────

    def time(self) -> float:
        return self._now

    get_debug = staticmethod(bool)  # False

    def is_running(self) -> bool:
        return not self.over

    def is_closed(self) -> bool:
        return self.over

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        handle = _Handle((0.0, 0, callback, args, copy_context() if context is None else context))
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        self._order += 1
        handle = _Handle((when, self._order, callback, args, copy_context() if context is None else context))
        heappush(self._timers, handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)  # type: ignore[arg-type]  # asyncio's own class has forty methods more

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name, context=context)  # type: ignore[arg-type]
        self._tasks.append(task)
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as failure:  # noqa: BLE001 - handed to who awaits it
            done.set_exception(failure)
        return done

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.over:
            self.surprises.append(f"{context.get('message')}: {context.get('exception')!r}")

    # ── what a world asks of it ─────────────────────────────────────────────────────────────────────────

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Until `main` is done; what is still at work then is put away. Raises Stuck."""
        asyncio._set_running_loop(self)  # type: ignore[arg-type]
        try:
            task: asyncio.Task[T] = self.create_task(main)
            self._turn(task)
            return task.result()
        finally:
            self._end()
            asyncio._set_running_loop(None)

    def _end(self) -> None:
        """Nothing is left that points in a circle: what is dead goes at once, without the garbage collector."""
        self.over = True
        for left in self._tasks:
            if not left.done():
                left.cancel()
                left.get_coro().close()
        for all_ in (self._tasks, self._ready, self._timers):
            all_.clear()

    def resume(self, process: Process) -> None:
        process.stopped = False
        self._ready.extend(process.parked)
        process.parked.clear()

    def _turn(self, task: asyncio.Task[Any]) -> None:
        ready, timers, done = self._ready, self._timers, task.done
        for self.steps in range(_MAX_STEPS):
            if ready:
                _, _, callback, args, context = handle = ready.popleft()
            elif done():
                return
            elif timers:
                when, _, callback, args, context = handle = heappop(timers)
                if callback is not None and when > self._now:
                    self._now = when
            else:
                raise Stuck("everybody waits for somebody else")
            if callback is None:
                continue
            process = context.get(_PROCESS)
            if process is None or (process.alive and not process.stopped):
                context.run(callback, *args)
            elif process.alive:
                process.parked.append(handle)
        raise Stuck(f"not at rest after {_MAX_STEPS} steps")
