"""The application: how Serve runs replicas of the diffusion engine.

`tollbrush ray deploy` puts it on a cluster; so does a Serve config, or KubeRay's RayService, with the import path
`tollbrush.engines.diffusion.ray.app:application`, by the settings it finds where it runs.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import ray
import structlog
from ray import serve
from ray.serve.config import AutoscalingConfig
from starlette.requests import Request
from starlette.responses import Response

from tollbrush import logs
from tollbrush.engines.diffusion import served, slower
from tollbrush.engines.diffusion.messages import WARMING, Setup
from tollbrush.engines.diffusion.model import Tuning
from tollbrush.engines.diffusion.pins import Pins
from tollbrush.engines.diffusion.ray.replica import Replica
from tollbrush.engines.diffusion.ray.residents import Resident
from tollbrush.engines.diffusion.ray.warm_ups import WarmUps
from tollbrush.engines.diffusion.worker_process import BROKEN, open_models, works
from tollbrush.errors import BadSettings, EngineFailed, NoRoom
from tollbrush.settings import RaySettings, Settings

_log: Final = structlog.get_logger(__name__)

_KEPT: Final = "__serve_multiplex_wrapper"
"""Where Serve keeps the line of least recently used models; it makes room by count, we by memory."""
_STARTS: Final = 3
"""Tries to start each replica before the deployment is called failed: the third is as plain as can be (`Tuning`)."""
_HEALTH_SECONDS: Final = 60.0
"""A busy GPU answers its health check after the step it is at."""


class Diffusion:
    """One replica: one GPU's models. What is wrong with them is said when it starts. `deployed`: names the
    deployment; what the replicas of another one died of is tried again."""

    _warm_ups: WarmUps | None = None

    def __init__(self, setup: Setup, settings: RaySettings, deployed: str) -> None:
        logs.configure("info")
        self._warm_ups = WarmUps(_node_folder() / deployed)
        self._tuning, died_at = self._warm_ups.survivable(setup.tuning or Tuning())
        self._models, self._device = open_models(replace(setup, tuning=self._tuning))
        self._slower: dict[str, str] = {}
        self._models.slower = self._tell_slower
        if died_at is not None:
            self._tell_slower(died_at, slower.of_a_death("A replica", self._tuning))

        async def load(model: str) -> Resident:
            _log.info("loading a model", model=model)
            await asyncio.to_thread(self._read, model)
            _log.info("a model is ready", model=model)
            return Resident(self._models, model)

        self._making_room = asyncio.Lock()
        self._loader = load
        self._load = serve.multiplexed(load, max_num_models_per_replica=settings.models_per_replica or -1)
        self._replica = Replica(
            f"{serve.get_replica_context().replica_id.unique_id}/{os.getpid()}@{socket.gethostname()}",
            self._models,
            [row.name for row in setup.rows],
            self._resident,
            secret=settings.secret.get_secret_value(),
            width=settings.most_ongoing,
            slower=self._slower,
            check=self._end_if_broken,
        )

    def __del__(self) -> None:
        """Serve calls it before it stops a replica."""
        if self._warm_ups is not None:
            self._warm_ups.forget()

    async def reconfigure(self, config: Mapping[str, Any]) -> None:
        """`load`: the models to have ready before the first edit, as far as there is room. Serve calls this at start.
        One that cannot be loaded is told of and takes no other one's place. Raises BadSettings for the first, and
        EngineFailed."""
        for number, model in enumerate(config["load"]):
            try:
                await self._load(model)
            except NoRoom as full:
                if not number:
                    raise
                _log.warning("a model waits until it is asked for", model=model, why=full.message)
            except BadSettings as wrong:
                if not number:
                    raise
                _log.error("a model cannot be loaded", model=model, error=wrong.sentence())

    async def check_health(self) -> None:
        """Serve replaces a replica that raises here. Raises EngineFailed."""
        if not await asyncio.to_thread(works, self._device):
            raise EngineFailed(f"{self._device} no longer works.")

    def _read(self, model: str) -> None:
        """In a thread. Who dies while it warms up leaves word of it. Raises what `Models.load` does."""
        warm_ups = self._warm_ups
        assert warm_ups is not None

        def progress(doing: str, _part: float) -> None:
            if doing == WARMING:
                warm_ups.begin(model, self._tuning)

        try:
            self._models.load(model, progress)
        except BadSettings:
            raise
        except Exception:
            self._end_if_broken()
            raise
        finally:
            warm_ups.end(model)

    def _tell_slower(self, model: str, why: str) -> None:
        self._slower[model] = why
        slower.tell(_log, model, why)

    def _end_if_broken(self) -> None:
        """Serve starts another replica at once, and the gateway asks one for the edits that were here."""
        if not works(self._device):
            os._exit(BROKEN)

    async def __call__(self, request: Request) -> Response:
        return await self._replica.respond(request)

    async def _resident(self, model: str) -> Resident:
        """The model, loaded. Where it does not fit, the least recently used one goes first. One edit at a time makes
        room: a second one would find nobody left to go while the first one's model is being let go or read."""
        try:
            return await self._loaded(model)
        except NoRoom:
            kept = getattr(self._loader, _KEPT)
        async with self._making_room:
            while True:
                try:
                    return await self._loaded(model)
                except NoRoom:
                    if not kept.models:
                        raise
                    await kept.unload_model_lru()

    async def _loaded(self, model: str) -> Resident:
        resident: Resident = await self._load(model)
        return resident


def application(args: Mapping[str, Any] | None = None) -> serve.Application:
    """For `serve run` and Serve configs: the settings' application. Raises BadSettings."""
    if args:
        raise BadSettings("the application takes no arguments.", advice="Its settings are in [engines.ray].")
    return build(Settings())


def build(settings: Settings) -> serve.Application:
    """Raises BadSettings."""
    ours, cluster = settings.engines.diffusion, settings.engines.ray
    if cluster.replicas > cluster.most_replicas:
        raise BadSettings(f"engines.ray.replicas is {cluster.replicas}, and most_replicas {cluster.most_replicas}.")
    if not (rows := served.served(settings, Pins(settings.data_dir))):
        raise BadSettings(
            "there is no model to run on the cluster.",
            advice="Set engines.diffusion.enabled, or name a model of your own.",
        )
    setup = Setup(
        rows,
        None if cluster.gpus else "cpu",
        served.tuning(ours),
        ours.cache,
        ours.offline,
        ours.token.get_secret_value() or None,
    )
    eager = rows[: cluster.models_per_replica or None]
    deployment = serve.deployment(
        Diffusion,
        name=Diffusion.__name__,
        autoscaling_config=AutoscalingConfig(
            min_replicas=cluster.replicas,
            max_replicas=cluster.most_replicas,
            target_ongoing_requests=cluster.ongoing,
            upscale_delay_s=5,
            downscale_delay_s=cluster.idle_seconds,
        ),
        max_ongoing_requests=cluster.most_ongoing,
        max_queued_requests=cluster.queued,
        ray_actor_options={"num_cpus": cluster.cpus, "num_gpus": cluster.gpus},
        graceful_shutdown_timeout_s=cluster.drain_seconds,
        graceful_shutdown_wait_loop_s=0.5,
        health_check_period_s=10,
        health_check_timeout_s=_HEALTH_SECONDS,
        max_constructor_retry_count=_STARTS * cluster.most_replicas,
        user_config={"load": [row.name for row in eager] if ours.load == "start" else []},
    )
    return deployment.bind(setup, cluster, secrets.token_hex(8))


def _node_folder() -> Path:
    """Where this node's Ray keeps its own files, as long as it runs."""
    here = ray.get_runtime_context()
    return Path(here.get_temp_dir(), here.get_session_name(), "tollbrush")
