"""Client: the same as AsyncClient for code without an event loop, notebooks included.

Every Client of a process drives its AsyncClient on one event loop in a thread of its own: paying talks to chains
asynchronously either way, so a second, blocking copy of the flow would be a twin and not a saving.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from tollbrush.client.aio import DEFAULT_ROUTER, AsyncClient, AsyncJob
from tollbrush.client.inputs import EditOptions
from tollbrush.client.orders import OnProgress, Progress
from tollbrush.client.past import PastEdit
from tollbrush.client.results import Edit
from tollbrush.domain.pricing import Price
from tollbrush.payments.payer import Balance, Payer
from tollbrush.payments.wallet import Wallet

T = TypeVar("T")


class _Loop:
    """The process's loop thread, started on first use and anew in a forked child."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="tollbrush-client", daemon=True).start()
            return self._loop


_LOOP = _Loop()


def _run(work: Callable[[OnProgress], Coroutine[Any, Any, T]], progress: OnProgress | None = None) -> T:
    events: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
    future = asyncio.run_coroutine_threadsafe(work(events.put), _LOOP.get())
    future.add_done_callback(lambda _: events.put(None))
    try:
        while (event := events.get()) is not None:
            if progress:
                progress(event)
        return future.result()
    except BaseException:
        future.cancel()  # Ctrl+C or a callback that raised: the flow books what was sent and stops
        raise


class Job:
    """As AsyncJob, blocking. `progress` is called in the calling thread."""

    def __init__(self, job: AsyncJob) -> None:
        self._job = job

    @property
    def id(self) -> str:
        return self._job.id

    def wait(self, progress: OnProgress | None = None) -> Edit:
        """As AsyncJob.wait."""
        return _run(lambda tell: self._job.wait(tell if progress else None), progress)

    def status(self) -> Progress:
        """As AsyncJob.status."""
        return _run(lambda _: self._job.status())

    def cancel(self) -> None:
        """As AsyncJob.cancel."""
        _run(lambda _: self._job.cancel())

    def __repr__(self) -> str:
        return repr(self._job).replace("AsyncJob", "Job")


class Client:
    """As AsyncClient, blocking. Thread-safe. `progress` is called in the calling thread. Close it, or use `with`."""

    def __init__(
        self,
        *,
        router: str = DEFAULT_ROUTER,
        gateway: str | None = None,
        wallet: Wallet | Payer | None = None,
        patience: float = 900.0,
    ) -> None:
        self._client = AsyncClient(router=router, gateway=gateway, wallet=wallet, patience=patience)

    def edit(self, image: object, prompt: str, **options: Unpack[EditOptions]) -> Edit:
        """As AsyncClient.edit."""
        progress = options.get("progress")
        return _run(
            lambda tell: self._client.edit(image, prompt, **(options | {"progress": tell if progress else None})),
            progress,
        )

    def submit(self, image: object, prompt: str, **options: Unpack[EditOptions]) -> Job:
        """As AsyncClient.submit."""
        progress = options.get("progress")
        return Job(
            _run(
                lambda tell: self._client.submit(image, prompt, **(options | {"progress": tell if progress else None})),
                progress,
            )
        )

    def job(self, id: str) -> Job:  # noqa: A002 - its name everywhere
        """As AsyncClient.job."""
        return Job(_run(lambda _: self._client.job(id)))

    def history(self, limit: int = 50) -> list[PastEdit]:
        """As AsyncClient.history."""
        return _run(lambda _: self._client.history(limit))

    def quote(self, image: object, prompt: str, **options: Unpack[EditOptions]) -> Price | None:
        """As AsyncClient.quote."""
        return _run(lambda _: self._client.quote(image, prompt, **options))

    def models(self) -> list[dict[str, Any]]:
        """The catalog, as listed."""
        return _run(lambda _: self._client.models())

    def balance(self) -> Sequence[Balance]:
        """What the paying wallet holds on each of its networks."""
        return _run(lambda _: self._client.balance())

    def close(self) -> None:
        _run(lambda _: self._client.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
