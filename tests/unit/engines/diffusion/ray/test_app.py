"""The application without a cluster: what it is deployed with, and the one private name of Ray Serve that it uses."""

from __future__ import annotations

import asyncio
import importlib.util
import warnings
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tollbrush.errors import BadSettings, EngineFailed, NoRoom
from tollbrush.settings import Settings

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs tollbrush[ray]")


class Line:
    """Stands where Serve would keep its own line of models: that one is made only in a replica."""

    async def load_model(self, model: str) -> str:
        return f"{model} from the line"


async def test_serve_keeps_the_line_of_models_at_their_loader() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own, at its import
        from ray import serve
        from ray.serve import multiplex

        from tollbrush.engines.diffusion.ray import app

    async def load(model: str) -> str:
        return f"{model} from the loader"

    setattr(load, app._KEPT, Line())
    assert await serve.multiplexed(load, max_num_models_per_replica=-1)("acme/tiny") == "acme/tiny from the line"
    assert callable(multiplex._ModelMultiplexWrapper.unload_model_lru)


async def test_a_replica_whose_device_no_longer_computes_is_unhealthy() -> None:
    """torch's "meta" has tensors without numbers, so that nothing comes of asking for one."""
    pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tollbrush.engines.diffusion.ray.app import Diffusion

    replica = object.__new__(Diffusion)
    replica._device = "cpu"
    await replica.check_health()
    replica._device = "meta"
    with pytest.raises(EngineFailed, match="meta no longer works"):
        await replica.check_health()


@pytest.mark.parametrize(
    ("ray", "diffusion", "wanted"),
    [
        ({}, {}, (1, 1, 2.0, 600.0, None)),
        ({"replicas": 0, "most_replicas": 4, "ongoing": 3, "idle_seconds": 5}, {"memory": 2.5}, (0, 4, 3.0, 5.0, 2.5)),
    ],
)
def test_settings_become_the_deployments(
    ray: dict[str, object], diffusion: dict[str, object], wanted: tuple[object, ...], tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tollbrush.engines.diffusion.ray.app import build

    engines = {"ray": ray, "diffusion": {"enabled": True, **diffusion}}
    bound = build(Settings.model_validate({"data_dir": tmp_path, "engines": engines}))
    deployment = bound._bound_deployment
    scaling = deployment._deployment_config.autoscaling_config
    assert scaling is not None
    setup = deployment.init_args[0]
    memory = None if setup.tuning.weights is None else setup.tuning.weights / 2**30
    found = (scaling.min_replicas, scaling.max_replicas, scaling.target_ongoing_requests, scaling.downscale_delay_s)
    assert (*found, memory) == wanted


def test_every_setting_of_a_replica_reaches_serve(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tollbrush.engines.diffusion.ray.app import build

    ray = {
        "replicas": 2, "most_replicas": 5, "most_ongoing": 3, "queued": 17, "gpus": 0.5, "cpus": 2, "drain_seconds": 30,
        "models_per_replica": 1,
    }  # fmt: skip
    diffusion = {"enabled": True, "models": ["klein", "longcat"]}
    settings = Settings.model_validate({"data_dir": tmp_path, "engines": {"ray": ray, "diffusion": diffusion}})
    deployment, again = (build(settings)._bound_deployment for _ in range(2))
    config = deployment._deployment_config
    assert (config.max_ongoing_requests, config.max_queued_requests) == (3, 17)
    assert config.graceful_shutdown_timeout_s == 30
    assert config.max_constructor_retry_count == 15  # three each: the third is as plain as can be
    assert config.user_config == {"load": ["black-forest-labs/flux.2-klein-4b"]}  # of two, as one is kept
    assert {name: deployment.ray_actor_options[name] for name in ("num_cpus", "num_gpus")} == {
        "num_cpus": 2,
        "num_gpus": 0.5,
    }
    setup, cluster, deployed = deployment.init_args
    assert (setup.device, cluster.models_per_replica) == (None, 1)
    assert deployed != again.init_args[2]  # what replicas of another one died of is tried again


class OneFits:
    """Serve's line of models on a device that holds one; letting go and reading take a while."""

    def __init__(self) -> None:
        self.models, self.held = {"acme/old": "acme/old"}, 1

    async def load(self, model: str) -> str:
        await asyncio.sleep(0)
        if model not in self.models:
            if self.held:
                raise NoRoom(f"{model} does not fit.")
            self.held += 1
            await asyncio.sleep(0)
            self.models[model] = model
        return model

    async def unload_model_lru(self) -> None:
        self.models.pop(next(iter(self.models)))
        await asyncio.sleep(0)
        self.held -= 1


async def test_many_edits_of_a_model_that_needs_room_make_it_once() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tollbrush.engines.diffusion.ray import app

    async def loader(_model: str) -> None:
        raise AssertionError("it is asked by the line")

    replica, line = object.__new__(app.Diffusion), OneFits()
    setattr(loader, app._KEPT, line)
    replica._loader, replica._load, replica._making_room = loader, line.load, asyncio.Lock()  # type: ignore[assignment]
    asked = ["acme/new"] * 4
    found: list[object] = [*await asyncio.gather(*(replica._resident(model) for model in asked))]
    assert found == asked
    assert list(line.models) == ["acme/new"]


async def test_one_model_that_cannot_be_loaded_ends_the_others_only_where_it_is_the_first() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tollbrush.engines.diffusion.ray import app

    asked = list[str]()

    async def load(model: str) -> None:
        asked.append(model)
        if model == "acme/large":
            raise BadSettings("acme/large would leave no room.", advice="Sell smaller sizes.")

    replica = object.__new__(app.Diffusion)
    replica._load = load
    with capture_logs() as logs:
        await replica.reconfigure({"load": ["acme/one", "acme/large", "acme/two"]})
    assert asked == ["acme/one", "acme/large", "acme/two"]
    assert [(line["model"], line["error"]) for line in logs] == [
        ("acme/large", "acme/large would leave no room. Sell smaller sizes.")
    ]
    with pytest.raises(BadSettings, match="would leave no room"):
        await replica.reconfigure({"load": ["acme/large", "acme/two"]})
