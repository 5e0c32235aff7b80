"""Editing from Python: `Client` and `AsyncClient`; `GatewayFlow` buys raw answers for the router.

Public is what is listed here; everything else in this room may change.
"""

from tollbrush.client.aio import AsyncClient
from tollbrush.client.flow import GatewayFlow
from tollbrush.client.orders import OnProgress, Order, Paid, Progress
from tollbrush.client.results import Edit, EditedImage
from tollbrush.client.sync import Client
from tollbrush.client.transport import open_http

__all__ = [
    "AsyncClient",
    "Client",
    "Edit",
    "EditedImage",
    "GatewayFlow",
    "OnProgress",
    "Order",
    "Paid",
    "Progress",
    "open_http",
]
