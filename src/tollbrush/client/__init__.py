"""Editing from Python: `Client` and `AsyncClient`; `GatewayFlow` buys raw answers for the router.

Public is what is listed here; everything else in this room may change.
"""

from tollbrush.client.aio import AsyncClient, AsyncJob
from tollbrush.client.flow import GatewayFlow
from tollbrush.client.orders import OnProgress, Order, Paid, Progress
from tollbrush.client.past import PastEdit
from tollbrush.client.results import Edit, EditedImage
from tollbrush.client.sync import Client, Job
from tollbrush.client.transport import open_http

__all__ = [
    "AsyncClient",
    "AsyncJob",
    "Client",
    "Edit",
    "EditedImage",
    "GatewayFlow",
    "Job",
    "OnProgress",
    "Order",
    "Paid",
    "PastEdit",
    "Progress",
    "open_http",
]
