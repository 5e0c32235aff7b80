"""On a GPU, what calls do beside each other goes to different streams: all steps to one, and what a thread does before
and after them to its own. On a CPU the same calls do nothing: there threads are enough.

The allocator gives memory back to the stream that asked for it, and knows nothing of others that still read it. A
thread's own stream does nothing while its call steps, and goes on after the steps; so only what is made at a step and
read beside them, and readings that are kept for other threads, must be announced (`record_stream`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class Streams:
    """Of one device. `api`: torch's module for its kind."""

    def __init__(self, device: str, api: Any = None) -> None:
        import torch

        self._device = device
        self._api = api or (torch.cuda if device.startswith("cuda") else torch.cpu)
        self._steps = self._api.current_stream(device)
        self._threads = threading.local()

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Around a call: it is on this thread's own stream, except while it steps."""
        if not hasattr(self._threads, "own"):
            self._threads.own = self._new()
        with self._api.stream(self._threads.own):
            yield

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """Within `beside`: on the stream of the steps, after what the thread did before; its own goes on after them."""
        own, steps = self._threads.own, self._steps
        steps.wait_stream(own)
        try:
            with self._api.stream(steps):
                yield
        finally:
            own.wait_stream(steps)

    def carry(self, tensors: Iterable[Any]) -> None:
        """Made at a step, these are read on the thread's own stream."""
        _announce(tensors, self._threads.own)

    def mark(self) -> Any:
        """What was done until now on the stream at hand."""
        return self._api.current_stream(self._device).record_event()

    def after(self, mark: Any, tensors: Iterable[Any]) -> None:
        """The stream at hand reads these, which were ready at this mark of another."""
        here = self._api.current_stream(self._device)
        here.wait_event(mark)
        _announce(tensors, here)

    def settle(self) -> None:
        """Returns once everything that was begun is done: what was loaded may be read on any stream."""
        self._api.synchronize(self._device)

    def _new(self) -> Any:
        return self._api.Stream(self._device) if self._device.startswith("cuda") else self._api.Stream()


def _announce(tensors: Iterable[Any], stream: Any) -> None:
    for tensor in tensors:
        if tensor.is_cuda:
            tensor.record_stream(stream)
