"""On PYTHONPATH, this has workers and replicas warm models up on a CPU as they do on a Hopper GPU, with a cuDNN whose
attention does what the file `FATAL_KERNEL` says: `segfault`, as a broken kernel does, or `hang`."""

import ctypes
import os
import sys
import threading
from pathlib import Path
from typing import Any, Final

_MODELS_RUN_IN: Final = ("default_worker.py", "diffusion.worker_process")
_HOPPER: Final = (9, 0)


def _attention(*_given: Any, **_named: Any) -> Any:
    if Path(os.environ["FATAL_KERNEL"]).read_text() == "segfault":
        ctypes.string_at(0)
    threading.Event().wait()


def _spoil() -> None:
    from tollbrush.engines.diffusion import cudnn, gears, warm_up

    def choose(denoiser: Any, adapter: Any, tuning: Any, device: str) -> gears.Gears:
        backends = gears.attentions(adapter, _HOPPER, tuning.attention)
        return gears.Gears(denoiser, [gears.Gear(backend) for backend in backends], device)

    gears.choose = choose
    cudnn.attention = _attention
    warm_up.warm_up = warm_up.rehearse


if any(word.endswith(_MODELS_RUN_IN) for word in sys.orig_argv):
    _spoil()
