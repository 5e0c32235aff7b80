"""An event loop whose time is a number: sleeps jump, nothing waits, and processes can be killed or stopped.

Every callback belongs to the process in whose context it was scheduled. A killed process's callbacks never run again,
not even its `finally` blocks: what kill -9 does. A stopped one's wait until it goes on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from typing import Any, Final, TypeVar

T = TypeVar("T")
_MAX_STEPS: Final = 50_000


_TASKS: Final[Any] = getattr(asyncio.tasks, "_scheduled_tasks", None) or asyncio.tasks._all_tasks  # type: ignore[attr-defined]
"""All tasks of all loops, by weak references, each of which costs more than its task."""


_nothing: Final[Callable[[object], object]] = id
"""Called with every task, so none of ours."""


class Stuck(Exception):
    """Nothing is left to happen, or it never ends."""


class Process:
    """What is killed or stopped as one."""

    def __init__(self, name: str) -> None:
        self.name, self.alive, self.stopped = name, True, False
        self.parked: list[_Due] = []

    def context(self) -> Context:
        """What runs in it belongs to this process."""
        context = copy_context()
        context.run(_PROCESS.set, self)
        return context


NATURE: Final = Context()
"""Whose callbacks no process's death stops: chains, networks, time."""
_PROCESS: Final[ContextVar[Process | None]] = ContextVar("process", default=None)


_Due = Sequence[Any]
"""Callback, arguments, context: what is next, as a loop unpacks it without a line of ours."""


class _Handle(list[Any]):
    """What is due, and can be taken back: then it has no callback."""

    __slots__ = ()

    def cancel(self) -> None:
        self[0] = None


class VirtualLoop:
    """As much of asyncio's event loop as tasks, futures and time-outs ask for. `time()` starts at 0; what asks for a
    thread is run on the spot."""

    def __init__(self) -> None:
        self._now, self._order = 0.0, 0
        self._ready: deque[_Due] = deque()
        self._timers: list[tuple[float, int, _Due | asyncio.Future[None]]] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self.over = False
        self._troubled = False  # somebody is dead or stopped
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
        # A context comes from tasks and futures, which take nothing back.
        due = _Handle((callback, args, copy_context())) if context is None else (callback, args, context)
        self._ready.append(due)
        return due

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        handle = _Handle((callback, args, copy_context() if context is None else context))
        self._put(delay, handle)
        return handle

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        return self.call_later(when - self._now, callback, *args, context=context)

    def after(self, delay: float, callback: Callable[..., Any], *args: Any) -> None:
        """`call_later` for what nobody takes back."""
        self._put(delay, (callback, args, copy_context()))

    def sleep(self, seconds: float) -> asyncio.Future[None]:
        """As asyncio's, and cheaper: what is awaited is what is due."""
        over: asyncio.Future[None] = self.create_future()
        self._put(seconds, over)
        return over

    def _sleep_beside(self, sleep: Any) -> Any:
        """A server in a thread beside has a loop, and sleeps, of its own."""

        def sleeping(seconds: float, *result: Any) -> Any:
            here: object = asyncio._get_running_loop()
            return self.sleep(seconds) if here is self else sleep(seconds, *result)

        return sleeping

    def _put(self, delay: float, due: _Due | asyncio.Future[None]) -> None:
        """What is due at one time comes in the order in which it was put."""
        self._order += 1
        heappush(self._timers, (self._now + delay, self._order, due))

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
        _TASKS.add = _nothing  # who runs which tasks is known here: `_tasks`
        sleep = asyncio.sleep
        asyncio.sleep = self._sleep_beside(sleep)
        try:
            task: asyncio.Task[T] = self.create_task(main)
            self._turn(task)
            return task.result()
        finally:
            self._end()
            del _TASKS.add
            asyncio.sleep = sleep
            asyncio._set_running_loop(None)

    def _end(self) -> None:
        """Nothing is left that points in a circle: what is dead goes at once, without the garbage collector."""
        self.over = True
        for left in self._tasks:
            if not left.done():
                waited = left._fut_waiter  # type: ignore[attr-defined]
                left.get_coro().close()
                for future in (left, waited) if waited else (left,):
                    asyncio.Future.cancel(future)  # lets go of who waits for it
        for all_ in (self._tasks, self._ready, self._timers):
            all_.clear()

    def kill(self, process: Process) -> None:
        process.alive, self._troubled = False, True

    def stop(self, process: Process) -> None:
        process.stopped = self._troubled = True

    def resume(self, process: Process) -> None:
        process.stopped = False
        self._ready.extend(process.parked)
        process.parked.clear()

    def _turn(self, task: asyncio.Task[Any]) -> None:
        ready, timers, done = self._ready, self._timers, task.done
        for self.steps in range(_MAX_STEPS):
            if ready:
                callback, args, context = due = ready.popleft()
            elif done():
                return
            elif timers:
                when, _, next_ = heappop(timers)
                if isinstance(next_, asyncio.Future):  # somebody's sleep
                    if not next_.done():
                        self._now = max(self._now, when)
                        next_.set_result(None)
                    continue
                callback, args, context = due = next_
                if callback is not None and when > self._now:
                    self._now = when
            else:
                raise Stuck("everybody waits for somebody else")
            if callback is None:
                continue
            process = context.get(_PROCESS) if self._troubled else None
            if process is None or (process.alive and not process.stopped):
                context.run(callback, *args)
            elif process.alive:
                process.parked.append(due)
        raise Stuck(f"not at rest after {_MAX_STEPS} steps")
