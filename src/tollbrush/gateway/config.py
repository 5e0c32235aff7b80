"""What no single field of the settings can tell: told at start, with what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from urllib.parse import urlsplit

from tollbrush.domain.networks import BY_V1
from tollbrush.errors import BadSettings
from tollbrush.gateway.edge import hostname
from tollbrush.settings import GatewaySettings, Settings


def check(settings: Settings) -> None:
    """Raises BadSettings."""
    if settings.stand_in:
        real = [n for n, part in settings.networks.items() if part.pay_to and n in BY_V1 and not BY_V1[n].test]
        if real:
            raise BadSettings(f"stand_in is for test networks only, and {', '.join(real)} takes real money.")
    gateway = settings.gateway
    if gateway.public_url and not (
        gateway.public_url.startswith(("https://", "http://")) and urlsplit(gateway.public_url).hostname
    ):
        raise BadSettings(f"gateway.public_url is {gateway.public_url[:80]!r}; it must be an absolute http(s) URL.")
    for host in gateway.hosts:
        _check_host(host)
    _check_addresses("gateway.trusted_proxies", gateway.trusted_proxies)
    _check_addresses("gateway.metrics_from", gateway.metrics_from)
    _check_room(gateway)


def _check_host(host: str) -> None:
    """As the Host header's name is compared: without scheme, port and path."""
    if hostname(host) == host.lower() and host:
        return
    bare = urlsplit(host if "//" in host else f"//{host}").hostname or ""
    advice = f"Write {bare!r}." if hostname(bare) else "Write a name such as 'edits.example'."
    raise BadSettings(
        f"gateway.hosts holds {host[:80]!r}; it takes host names alone, without scheme, port or path.", advice=advice
    )


def _check_addresses(name: str, values: Iterable[str]) -> None:
    """Networks too, for proxies; `*` is everybody."""
    for value in values:
        try:
            ip_network(value)
        except ValueError as wrong:
            if value != "*":
                raise BadSettings(
                    f"{name} holds {value[:80]!r}; it takes IP addresses.", advice="Write one such as '10.0.0.1'."
                ) from wrong


def _check_room(gateway: GatewaySettings) -> None:
    limits = gateway.limits
    if limits.bodies_bytes < limits.body_bytes:
        raise BadSettings(
            f"gateway.limits.bodies_bytes is {limits.bodies_bytes:,}, and one body may have {limits.body_bytes:,} "
            "(body_bytes): such a body would never find room.",
            advice="Raise bodies_bytes to several bodies, or lower body_bytes.",
        )
