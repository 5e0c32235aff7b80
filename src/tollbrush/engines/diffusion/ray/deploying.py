"""Putting the application on a Ray cluster, and taking it off. To be run on a machine of the cluster."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tollbrush.engines.diffusion.ray.address import APPLICATION, ROUTE
from tollbrush.errors import BadSettings, EngineFailed
from tollbrush.settings import Settings

if TYPE_CHECKING:
    from types import ModuleType

_SAID: Final = re.compile(r"^tollbrush\.[\w.]+: (.+)$", re.MULTILINE)


def deploy(settings: Settings, *, cluster: str, host: str, port: int) -> str:
    """Deploys, or replaces what is deployed: replicas that are at work finish first. Returns when it answers, with its
    address. `cluster`: as `ray start` printed it, or `auto` for this machine's. Raises BadSettings, EngineFailed."""
    with _connected(cluster) as serve:
        from tollbrush.engines.diffusion.ray.app import build

        application = build(settings)
        serve.start(proxy_location="EveryNode", http_options={"host": host, "port": port})
        try:
            serve.run(application, name=APPLICATION, route_prefix=ROUTE)
        except RuntimeError as failure:
            raise _told(serve, failure) from failure
        shown = _here(host)
    _check_listens(shown, port)
    return f"ray://{f'[{shown}]' if ':' in shown else shown}:{port}"


def remove(*, cluster: str) -> None:
    """Edits at work finish first. Raises BadSettings."""
    with _connected(cluster) as serve:
        serve.delete(APPLICATION)


@contextmanager
def _connected(cluster: str) -> Iterator[ModuleType]:
    """Around what Serve is asked for. Raises BadSettings."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        from ray import serve
    except ImportError as failure:
        raise BadSettings(
            f"Ray is not installed ({failure.name}).", advice="pip install 'tollbrush[diffusion,ray]'"
        ) from failure
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    try:
        ray.init(address=cluster, log_to_driver=False, configure_logging=False)
    except (ConnectionError, ValueError) as nobody:
        raise BadSettings(
            f"no Ray cluster answers at {cluster[:80]!r}.",
            advice="Start one on this machine, `ray start --head`, or give its --cluster HOST:PORT.",
        ) from nobody
    try:
        yield serve
    finally:
        ray.shutdown()


def _here(host: str) -> str:
    """An address that a gateway can use: this machine's, where the proxies listen on all of them."""
    if host not in ("0.0.0.0", "::", ""):  # noqa: S104 - told apart, not bound
        return host
    import ray

    return str(ray.util.get_node_ip_address())


def _check_listens(host: str, port: int) -> None:
    """Serve keeps the address that it was first started with. Raises BadSettings."""
    import httpx2

    url = httpx2.URL(scheme="http", host=host, port=port, path="/-/routes")
    try:
        routes = httpx2.get(url, timeout=10, trust_env=False).json()
    except (httpx2.HTTPError, ValueError):
        routes = {}
    if ROUTE not in routes:
        raise BadSettings(
            f"the application runs, but Serve does not listen on {host}:{port}.",
            advice="It keeps the address it was first started with: name that, or `serve shutdown` and deploy again.",
        )


def _told(serve: ModuleType, failure: RuntimeError) -> EngineFailed | BadSettings:
    """Serve's status holds the replica's traceback; of that the last words are for the operator."""
    there = serve.status().applications.get(APPLICATION)
    told = "\n".join(d.message for d in there.deployments.values()) if there else ""
    if found := _SAID.findall(told):
        return BadSettings(found[-1], advice="The old replicas that are left go on. Mend it and deploy again.")
    return EngineFailed(f"the application did not start: {failure}", advice="`serve status` tells more.")
