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

from tollbrush.client.aio import DEFAULT_ROUTER, AsyncClient
from tollbrush.client.inputs import EditOptions
from tollbrush.client.orders import OnProgress, Progress
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
        return self._run(lambda tell: self._client.edit(image, prompt, **(options | {"progress": tell})), progress)

    def quote(self, image: object, prompt: str, **options: Unpack[EditOptions]) -> Price | None:
        """As AsyncClient.quote."""
        return self._run(lambda _: self._client.quote(image, prompt, **options))

    def models(self) -> list[dict[str, Any]]:
        """The catalog, as listed."""
        return self._run(lambda _: self._client.models())

    def balance(self) -> Sequence[Balance]:
        """What the paying wallet holds on each of its networks."""
        return self._run(lambda _: self._client.balance())

    def close(self) -> None:
        self._run(lambda _: self._client.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, work: Callable[[OnProgress], Coroutine[Any, Any, T]], progress: OnProgress | None = None) -> T:
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
