"""What happens at each step of a pipeline's call: progress, cancelling, unfinished pictures.

All of it hangs on the scheduler's `step`, which every pipeline calls, and not on `callback_on_step_end`, which
LongCat has not. Each call gets a scheduler of its own: they count steps, and two calls on one gave wrong pictures
without an error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels


class Stopped(Exception):
    """Nobody waits any more for what the pipeline makes. Never leaves this room."""


class Broken(Exception):
    """The steps failed, and not for want of memory, or their numbers overflowed; its cause says how. Never leaves this
    room."""


class Watching(Protocol):
    """One image in the making."""

    @property
    def previews(self) -> int: ...

    def wanted(self) -> bool:
        """Whether someone still waits for it."""
        ...

    def advance(self, fraction: float, preview: Pixels | None = None) -> None: ...


class Preview(Protocol):
    def __call__(self, latents: Any, index: int) -> Pixels | None:
        """The clean latents as the model expects them at this step; which of the batch."""
        ...


def fresh(scheduler: Any) -> Any:
    """The same kind of scheduler that has counted nothing yet."""
    return type(scheduler).from_config(scheduler.config)


class Loop:
    """Stands where a pipeline asks for its progress bar, around its loop of steps. `begin` is called before the first
    step and gives what surrounds them; `end` after the last, with all that it gave."""

    def __init__(self, begin: Callable[[], AbstractContextManager[None]], end: Callable[[Sequence[Any]], None]) -> None:
        self._begin, self._end = begin, end
        self._around = ExitStack()

    def __call__(self, total: int) -> Self:
        return self

    def __enter__(self) -> Self:
        self._around.enter_context(self._begin())
        return self

    def __exit__(self, *error: Any) -> None:
        self._around.__exit__(*error)

    def update(self) -> None:
        """A step was done; the scheduler has told of it."""

    def over(self, after: Sequence[Any]) -> None:
        """The last step was done. Some pipelines still mix something in before they leave the loop."""
        self._around.close()
        self._end(after)


def watch(pipe: Any, images: Sequence[Watching], preview: Preview, over: Callable[[Sequence[Any]], None]) -> None:
    """Lets the pipeline's scheduler tell `images`, one of a batch each, how far they are, and `over` what the last step
    gave. `step` raises Stopped once none of them is wanted."""
    scheduler = pipe.scheduler
    step = scheduler.step
    done = 0

    @functools.wraps(step)  # pipelines look at its signature
    def watched(model_output: Any, timestep: Any, sample: Any, *more: Any, **named: Any) -> Any:
        nonlocal done
        stop_unless_wanted(images)
        after = step(model_output, timestep, sample, *more, **named)
        done += 1
        total = max(pipe.num_timesteps, done)
        clean = None
        for index, image in enumerate(images):
            if not image.wanted():
                continue
            picture = None
            if done in shown_after(image.previews, total):
                clean = _clean(scheduler, model_output, sample, after) if clean is None else clean
                picture = preview(clean, index)
            image.advance(done / (total + 1), picture)  # the last part is decoding
        stop_unless_wanted(images)
        if done == pipe.num_timesteps:
            over(after)
        return after

    scheduler.step = watched


def shown_after(previews: int, total: int) -> frozenset[int]:
    """After which steps, counted from 1, an unfinished picture is shown: evenly spread, never the last."""
    return frozenset(at for i in range(previews) if 0 < (at := round((i + 1) * total / (previews + 1))) < total)


def stop_unless_wanted(images: Sequence[Watching]) -> None:
    """Raises Stopped."""
    if not any(image.wanted() for image in images):
        raise Stopped


def _clean(scheduler: Any, model_output: Any, sample: Any, after: Any) -> Any:
    """What the model takes the finished latents to be. Flow matching predicts noise - clean (Lipman 2023,
    x = (1-σ)·x₀ + σ·ε); other schedulers return x₀ beside the next sample, or only that."""
    if len(after) > 1:
        return after[1]
    if "FlowMatch" in type(scheduler).__name__:
        sigma = scheduler.sigmas[scheduler.step_index - 1]
        return sample.float() - sigma.to(sample.device) * model_output.float()
    return after[0]
