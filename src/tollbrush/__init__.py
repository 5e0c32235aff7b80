"""tollbrush: pay-per-edit image editing over x402, on Base and on Solana.

`tollbrush.Client` and its companions load on first use: importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbrush.client import AsyncClient, AsyncJob, Client, Edit, EditedImage, Job
    from tollbrush.client.openai_transport import async_openai_client, openai_client
    from tollbrush.payments.payer import Payer
    from tollbrush.payments.wallet import Wallet

__version__ = "0.1.0"
__all__ = [
    "AsyncClient",
    "AsyncJob",
    "Client",
    "Edit",
    "EditedImage",
    "Job",
    "Payer",
    "Wallet",
    "__version__",
    "async_openai_client",
    "openai_client",
]

_HOMES = {
    "Payer": "tollbrush.payments.payer",
    "Wallet": "tollbrush.payments.wallet",
    "async_openai_client": "tollbrush.client.openai_transport",
    "openai_client": "tollbrush.client.openai_transport",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'tollbrush' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES.get(name, "tollbrush.client")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
