"""A command on a terminal of its own, with somebody who answers."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence

_SECONDS = 60


def on_terminal(
    words: Sequence[str], answers: Sequence[tuple[str, str]] = (), env: Mapping[str, str] = {}
) -> tuple[int, str]:
    """`tollbrush words…` where stdin, stdout and stderr are one terminal: its exit code and all that was shown.
    `answers`: what is typed (with Enter) once this text has been shown, one after the other; end
    the text of a hidden question with its `: `, which comes when the terminal echoes no more."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tollbrush", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "200", **env},
        start_new_session=True,
    )
    os.close(theirs)
    shown, told = b"", 0
    waiting = list(answers)
    try:
        while chunk := _read(ours):
            shown += chunk
            if waiting and (found := shown.find(waiting[0][0].encode(), told)) >= 0:
                told = found + 1
                os.write(ours, waiting.pop(0)[1].encode() + b"\n")
        assert not waiting, f"never asked {waiting[0][0]!r}: {shown.decode(errors='replace')}"
        return process.wait(60), shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def plain(shown: str) -> str:
    """Without colours and cursor movements."""
    return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07)", "", shown).replace("\r", "")


def _read(terminal: int) -> bytes:
    assert select.select([terminal], [], [], _SECONDS)[0], "it neither says anything nor ends"
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that the other side is gone
        return b""
