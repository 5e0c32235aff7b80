"""ray://HOST:PORT: one of Serve's HTTP proxies, by which a gateway reaches the application."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from tollbrush.errors import BadSettings

APPLICATION: Final = "tollbrush"
ROUTE: Final = "/tollbrush"
DEFAULT_PORT: Final = 8000
_ADVICE: Final = "Give ray://HOST:PORT of Serve's HTTP proxy, as `tollbrush ray deploy` prints it."


def base_url(address: str) -> str:
    """`ray://gpu-head:8000` → `http://gpu-head:8000`. Raises BadSettings."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, DEFAULT_PORT if parts.port is None else parts.port
    except ValueError as wrong:
        raise BadSettings(f"{address[:80]!r} is no address of a Ray cluster: {wrong}.", advice=_ADVICE) from wrong
    extra = parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme != "ray" or not host or not port or extra:
        raise BadSettings(f"{address[:80]!r} is no address of a Ray cluster.", advice=_ADVICE)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
