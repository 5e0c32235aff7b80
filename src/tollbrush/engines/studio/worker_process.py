"""A studio worker: reads jobs from standard input, edits, writes pictures to standard output.

    python -m tollbrush.engines.studio.worker_process THREADS

It says `ready` once everything is loaded and compiled; when it had to compile it has begun anew by then, since a
compiler keeps the memory that it took. A job is (plan, pixels, mask, seeds), answered by one message for each seed, or
by an error of the tree, which ends the answer. An error that is not ours ends the process: the pool replaces it.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tollbrush import memory
from tollbrush.engines.pipes import heard, mouth, say
from tollbrush.errors import TollbrushError

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

READY: Final = "ready"


def main(threads: str, begun: str = "") -> None:
    """`begun`: for the second time."""
    # Read when those libraries load, which is below. The linear systems are small: threads would only wait in turns.
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    os.environ |= {"OMP_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads}
    memory.share()
    memory.go_first()
    sys.excepthook = _end
    threading.excepthook = lambda failure: _end(failure.exc_type, failure.exc_value, failure.exc_traceback)
    out = mouth()
    jobs: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()

    import cv2

    from tollbrush.engines.studio.operations import perform
    from tollbrush.engines.studio.pixels.kernels import any_compiled
    from tollbrush.engines.studio.warm_up import warm_up

    cv2.setNumThreads(int(threads))
    warm_up()
    if any_compiled() and not begun:
        os.dup2(out.fileno(), 1)
        os.execv(sys.executable, [*sys.orig_argv, "again"])  # noqa: S606 - nothing was said to it yet
    gc.collect()
    memory.give_back()
    say(out, READY)
    while True:
        _work(out, perform(*jobs.get()))
        gc.collect()
        memory.give_back()


def _work(out: BinaryIO, pictures: Iterator[Pixels]) -> None:
    try:
        for picture in pictures:
            say(out, picture)
    except TollbrushError as error:
        say(out, error)


def _listen(jobs: SimpleQueue[Any]) -> None:
    for job in heard():
        jobs.put(job)


def _end(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """What breaks a thread ends the worker, as what breaks an edit does: without its listener (which may lack memory
    for a job) it would be waited for until its time is up. At once: the interpreter's own end would wait for it."""
    sys.__excepthook__(kind, error or kind(), trace)
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
