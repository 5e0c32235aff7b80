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
        self.context = copy_context()
        self.context.run(_PROCESS.set, self)


NATURE: Final = Context()
"""Whose callbacks no process's death stops: chains, networks, time."""
_PROCESS: Final[ContextVar[Process | None]] = ContextVar("process", default=None)


class _Handle:
    __slots__ = ("args", "callback", "context", "due")

    def __init__(self, callback: Callable[..., Any] | None, args: tuple[Any, ...], context: Context) -> None:
        self.callback, self.args, self.context, self.due = callback, args, context, 0.0

    def when(self) -> float:
        return self.due

    def cancel(self) -> None:
        self.callback = None

    def cancelled(self) -> bool:
        return self.callback is None


class VirtualLoop:
    """As much of asyncio's event loop as tasks, futures and time-outs ask for. `time()` starts at 0; what asks for a
    thread is run on the spot."""

    def __init__(self) -> None:
        self._loop: Any = self  # asyncio knows loops by a class with forty methods more
        self._now, self._order = 0.0, 0
        self._ready: deque[_Handle] = deque()
        self._timers: list[tuple[float, int, _Handle]] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self.over = False
        self.steps = 0
        self.surprises: list[str] = []

    # ── what asyncio asks of a loop ─────────────────────────────────────────────────────────────────────

    def time(self) -> float:
        return self._now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self.over

    def is_closed(self) -> bool:
        return self.over

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        handle = _Handle(callback, args, copy_context() if context is None else context)
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        handle = _Handle(callback, args, copy_context() if context is None else context)
        handle.due = when
        self._order += 1
        heappush(self._timers, (when, self._order, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self._loop)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self._loop, name=name, context=context)
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
        asyncio._set_running_loop(self._loop)
        try:
            task: asyncio.Task[T] = self.create_task(main)
            while not task.done():
                self._step()
            return task.result()
        finally:
            self.over = True
            for left in self._tasks:
                if not left.done():
                    left.get_coro().close()
            asyncio._set_running_loop(None)

    def resume(self, process: Process) -> None:
        process.stopped = False
        self._ready.extend(process.parked)
        process.parked.clear()

    def _step(self) -> None:
        self.steps += 1
        if self.steps > _MAX_STEPS:
            raise Stuck(f"not at rest after {_MAX_STEPS} steps")
        if self._ready:
            handle = self._ready.popleft()
        elif self._timers:
            when, _, handle = heappop(self._timers)
            if handle.callback is not None and when > self._now:
                self._now = when
        else:
            raise Stuck("everybody waits for somebody else")
        if handle.callback is None:
            return
        process = handle.context.get(_PROCESS)
        if process is not None and not process.alive:
            return
        if process is not None and process.stopped:
            process.parked.append(handle)
            return
        handle.context.run(handle.callback, *handle.args)
