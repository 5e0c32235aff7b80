"""A small preview in terminals that show pictures: kitty's graphics protocol, or iTerm2's inline images.

https://sw.kovidgoyal.net/kitty/graphics-protocol/ · https://iterm2.com/documentation-images.html
"""

from __future__ import annotations

import io
import os
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Final, Literal

_SIDE: Final = 480  # pixels
_ROWS: Final = 16  # lines of text
_CHUNK: Final = 4096  # bytes of base64 that kitty takes at a time

Protocol = Literal["kitty", "iterm"]


def show(data: bytes) -> None:
    """Print the picture small, where the terminal can; nothing anywhere else."""
    protocol = protocol_of(os.environ) if sys.stdout.isatty() else None
    if protocol is None:
        return
    for part in render(thumbnail(data), protocol):
        sys.stdout.write(part)
    sys.stdout.write("\n")
    sys.stdout.flush()


def protocol_of(env: Mapping[str, str]) -> Protocol | None:
    """What this terminal understands, by the variables it sets. Multiplexers swallow both."""
    program, term = env.get("TERM_PROGRAM", ""), env.get("TERM", "")
    if "TMUX" in env or "STY" in env or term.startswith(("screen", "tmux", "dumb")):
        return None
    if "KITTY_WINDOW_ID" in env or term in ("xterm-kitty", "xterm-ghostty") or program == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm") or env.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    return None


def thumbnail(data: bytes) -> bytes:
    """PNG, at most 480 pixels a side: our own bytes reach the terminal, never a stranger's."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        small.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    return buffer.getvalue()


def render(png: bytes, protocol: Protocol) -> Iterator[str]:
    """The escape sequences that draw it."""
    text = b64encode(png).decode()
    if protocol == "iterm":
        yield f"\x1b]1337;File=inline=1;size={len(png)};height={_ROWS};preserveAspectRatio=1:{text}\x07"
        return
    chunks = [text[i : i + _CHUNK] for i in range(0, len(text), _CHUNK)]
    for number, chunk in enumerate(chunks):
        first = f"a=T,f=100,q=2,r={_ROWS}," if number == 0 else ""
        yield f"\x1b_G{first}m={int(number + 1 < len(chunks))};{chunk}\x1b\\"
