"""A studio worker: reads jobs from standard input, edits, writes pictures to standard output.

    python -m tollbrush.engines.studio.worker_process THREADS

A message is eight bytes of length and a pickle. It says `ready` once everything is loaded and compiled; a job is
(plan, pixels, mask, seeds), answered by one message for each seed, or by an error of the tree, which ends the answer.
An error that is not ours ends the process: the pool replaces it. So does the end of standard input, which is how
workers die with the process that started them, however it died.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from queue import SimpleQueue
from typing import Any, BinaryIO, Final

from tollbrush.errors import TollbrushError

LENGTH: Final = 8
READY: Final = "ready"


def pack(message: object) -> bytes:
    body = pickle.dumps(message, protocol=5)
    return len(body).to_bytes(LENGTH, "big") + body


def unpack(body: bytes) -> Any:
    return pickle.loads(body)  # noqa: S301 - only ever between the pool and its own children


def main(threads: str) -> None:
    # Read when those libraries load, which is below. The linear systems are small: threads would only wait in turns.
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    os.environ |= {"OMP_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads}
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no message
    jobs: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, jobs), daemon=True).start()

    import cv2

    from tollbrush.engines.studio.warm_up import warm_up

    cv2.setNumThreads(int(threads))
    warm_up()
    _say(out, READY)
    from tollbrush.engines.studio.operations import perform

    while True:
        plan, pixels, mask, seeds = jobs.get()
        try:
            for picture in perform(plan, pixels, mask, seeds):
                _say(out, picture)
        except TollbrushError as error:
            _say(out, error)


def _listen(source: BinaryIO, jobs: SimpleQueue[Any]) -> None:
    while (length := source.read(LENGTH)) and (body := source.read(int.from_bytes(length, "big"))):
        jobs.put(unpack(body))
    os._exit(0)


def _say(out: BinaryIO, message: object) -> None:
    out.write(pack(message))
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1])
