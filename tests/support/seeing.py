"""torchvision for tests beside torch's CPU build: some models' processors read pictures with it.

The registry's wheel for Linux is built for CUDA's torch. Beside the CPU's, its C library does not load, and its import
fails at two operators which that library would have declared; and where torchvision is found but cannot be imported,
transformers imports no model at all. So scripts/diffusion.sh puts it into a folder apart, into which only the tests'
own process looks, and the operators are declared here, without a body: reading a picture calls neither.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(sys.prefix, "beside")
_OPERATORS: Final = ("nms", "qnms")
_declared: list[Any] = []
"""torch forgets what is declared with the object that declared it."""


@functools.cache
def prepare() -> bool:
    """Makes torchvision importable; False where it is not installed. To be called before diffusers and transformers are
    imported: they look for it once."""
    import torch

    if FOLDER.is_dir():
        sys.path.append(str(FOLDER))
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    try:
        torch.ops.load_library(Path(spec.origin).with_name("_C.so"))
    except OSError:
        library = torch.library.Library("torchvision", "DEF")
        for operator in _OPERATORS:
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _declared.append(library)
    return True
