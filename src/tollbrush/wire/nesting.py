"""How deep JSON is nested, told before a parser is let near it.

Parsers recurse, and lean on the interpreter's recursion limit to stop. Libraries raise that limit (py_ecc, which
eth-account imports, to 100,000), and then 50 kB of `[` overflow the C stack and end the process.
"""

from __future__ import annotations

import re
from typing import Final

MAX_DEPTH: Final = 64
# A string without its end runs to the end of the text: else each of its quotes would be tried, in quadratic time.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)


def is_too_deep(raw: bytes, limit: int = MAX_DEPTH) -> bool:
    """Whether brackets outside strings nest deeper than `limit`. Linear; free for texts with few brackets."""
    if raw.count(b"[") + raw.count(b"{") <= limit:
        return False
    depth = 0
    for token in _TOKEN.finditer(raw):
        byte = raw[token.start()]
        if byte in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif byte in b"]}":
            depth -= 1
    return False
