"""What the gateways sell, and the names that a model goes by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from tollbrush.client.flow import GatewayFlow
from tollbrush.client.problems import from_answer
from tollbrush.errors import TollbrushError
from tollbrush.router.market import Market

_MODELS: Final = "/v1/models"
_KEPT: Final = 300.0
_SECONDS: Final = 5.0


class Catalog:
    """`clock` gives seconds."""

    def __init__(self, market: Market, *, clock: Callable[[], float]) -> None:
        self._market, self._clock = market, clock
        self._names: dict[str, tuple[float, Mapping[str, str]]] = {}

    async def listed(self) -> dict[str, Any]:
        """The gateway's list as it is; of several gateways, each row says whose it is. Raises what all of them say."""
        flows = self._market.flows()
        told = await asyncio.gather(*(_asked(flow) for flow in flows.values()), return_exceptions=True)
        lists = {name: said for name, said in zip(flows, told, strict=True) if isinstance(said, dict)}
        if not lists:
            raise next(said for said in told if isinstance(said, BaseException))
        if len(flows) == 1:
            return next(iter(lists.values()))
        rows = [{**row, "gateway": name} for name, said in lists.items() for row in _rows(said)]
        return {"object": "list", "data": rows}

    async def sold(self, name: str) -> str | None:
        """The name, when the gateway sells a model of it: a chat must name some model, often one of its own."""
        return name if name and name in _full_names(await self.listed()) else None

    async def full_name(self, model: str, gateway: str | None) -> str:
        """One name for each model, so that `studio` and `tollbrush/studio` are one edit; as it is where no gateway
        that is asked for tells. Raises BadRequest for an unknown gateway."""
        for flow in map(self._market.flow, self._market.target(gateway).split("\n")):
            if full := (await self._known(flow)).get(model):
                return full
        return model

    async def _known(self, flow: GatewayFlow) -> Mapping[str, str]:
        at, names = self._names.get(flow.gateway, (0.0, {}))
        if flow.gateway not in self._names or not 0 <= self._clock() - at < _KEPT:
            try:
                async with asyncio.timeout(_SECONDS):
                    names = _full_names(await _asked(flow))
            except (TollbrushError, TimeoutError):
                return names
            self._names[flow.gateway] = (self._clock(), names)
        return names


async def _asked(flow: GatewayFlow) -> dict[str, Any]:
    answer = await flow.call("GET", _MODELS)
    said = answer.json()
    if answer.status != 200 or said is None:
        raise from_answer(answer, flow.gateway)
    return said


def _full_names(said: Mapping[str, Any]) -> dict[str, str]:
    """Every name in a list of models → the model's id."""
    found: dict[str, str] = {}
    for row in _rows(said):
        if isinstance(full := row.get("id"), str):
            aliases = row.get("aliases")
            others = aliases if isinstance(aliases, list) else []
            found |= {name: full for name in (full, *others) if isinstance(name, str)}
    return found


def _rows(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = said.get("data")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
