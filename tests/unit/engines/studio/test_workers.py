"""Worker processes as the operating system sees them."""

from __future__ import annotations

import signal
import subprocess
import sys


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
