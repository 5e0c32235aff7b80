"""Worker processes as the operating system sees them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tollbrush.engines.pipes import Child


def test_workers_die_with_their_parent_however_it_dies() -> None:
    code = (
        "import asyncio\n"
        "from tollbrush.engines.studio.workers import Workers\n"
        "async def main():\n"
        "    workers = Workers(1, 10)\n"
        "    workers.start()\n"
        "    await workers.ready()\n"
        "    print('ready', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as parent:
        assert parent.stdout is not None and parent.stderr is not None
        assert parent.stdout.readline() == b"ready\n"
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        parent.stderr.read()  # ends when the last process that holds it, the worker, is gone


def test_the_engine_loads_no_pixel_library() -> None:
    code = (
        "import sys; from tollbrush.engines.studio.engine import StudioEngine;"
        "from tollbrush.settings import StudioSettings; StudioEngine(StudioSettings()).plan('add a hat', masked=False);"
        "print([m for m in ('cv2', 'numba', 'scipy', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # rapidfuzz takes numpy along where it is installed; nothing heavier may come.
    assert done.stdout.strip() in ("[]", "['numpy']")


def test_after_the_warm_up_no_edit_loads_or_compiles_anything() -> None:
    code = """
import gc, sys, cv2, numpy as np, skimage.data
from tollbrush.engines.studio.warm_up import warm_up
from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.understanding.understand import offers, understand
from tollbrush.errors import CannotHonour

def known():
    kernels = sum(len(o.signatures) for o in gc.get_objects() if type(o).__name__ == "CPUDispatcher")
    return {m for m in sys.modules if m.startswith(("tollbrush", "cv2", "scipy", "numba", "PIL"))}, kernels

warm_up()
planned = [(offer, understand(offer.example, masked=bool(offer.needs))) for offer in offers()]  # the gateway's work
astronaut = skimage.data.astronaut()  # loads what reads PNG files, which no worker does
before = known()
photo = cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA)
mask = np.zeros((128, 128), bool)
mask[90:120, 10:40] = True
seen = set()
for offer, plan in planned:
    kind = type(plan.operations[0]), getattr(plan.operations[0], "kind", "")
    if kind not in seen:
        seen.add(kind)
        try:
            list(perform(plan, photo, mask if offer.needs else None, [1]))
        except CannotHonour:
            pass
after = known()
print(len(seen) > 20, sorted(after[0] - before[0]), after[1] - before[1])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True [] 0"


def test_a_compiled_kernel_is_told_from_one_of_the_cache(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from tollbrush.engines.studio.pixels.kernels import any_compiled, kernel\n"
        "@kernel\n"
        "def more(x): return x + 1\n"
        "print(any_compiled(), more(1), any_compiled())\n"
    )
    told = [
        subprocess.run([sys.executable, "-c", "import own"], capture_output=True, text=True, check=True, cwd=tmp_path)
        for _ in range(2)
    ]
    assert [done.stdout for done in told] == ["False 2 True\n", "False 2 False\n"]


@pytest.mark.skipif(sys.platform != "linux", reason="what a worker holds is read from /proc")
@pytest.mark.skipif(os.environ.get("TOLLBRUSH_E2E") != "long", reason="TOLLBRUSH_E2E=long runs it")
def test_one_that_had_to_compile_holds_no_more_than_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    module = "tollbrush.engines.studio.worker_process"

    def pages() -> int:
        with asyncio.Runner() as runner:
            worker = runner.run(Child.spawn(module, "1", what="studio worker"))
            runner.run(worker.ready(600))
            resident = Path(f"/proc/{worker.pid}/statm").read_text().split()[1]
            runner.run(worker.stop())
        return int(resident)

    first = pages()
    assert list(tmp_path.rglob("*.nbi"))
    assert first < 1.05 * pages()
