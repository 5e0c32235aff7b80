"""What a test on a real Ray cluster needs: the libraries, Linux, and the long form."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Final

import pytest

_MISSING: Final = [name for name in ("ray", "torch", "diffusers") if importlib.util.find_spec(name) is None]
MARKS: Final = [
    pytest.mark.e2e,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(_MISSING), reason=f"needs tollbrush[diffusion,ray]: {', '.join(_MISSING)} missing"),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the cluster's processes in /proc"),
    pytest.mark.skipif(os.environ.get("TOLLBRUSH_E2E") != "long", reason="TOLLBRUSH_E2E=long runs it"),
]
