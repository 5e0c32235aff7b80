"""The one private name of Ray Serve that the application uses."""

from __future__ import annotations

import importlib.util
import warnings

import pytest

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
