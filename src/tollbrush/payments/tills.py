"""One till per configured network: our own key settles, or a hosted facilitator does."""

from __future__ import annotations

from tollbrush.domain.networks import BY_V1, NETWORKS, Network
from tollbrush.errors import BadSettings
from tollbrush.payments.interface import Till
from tollbrush.payments.rpc import JsonRpc
from tollbrush.settings import NetworkSettings, Settings


def build(settings: Settings) -> list[Till]:
    """Tills for the networks with a `pay_to`. Raises BadSettings on an unknown network or one that cannot settle."""
    for name in settings.networks:
        if name not in BY_V1:
            known = ", ".join(n.v1 for n in NETWORKS)
            raise BadSettings(f"networks.{name} is not a network; known: {known}.")
    return [_till(BY_V1[name], part) for name, part in settings.networks.items() if part.pay_to]


def _till(network: Network, part: NetworkSettings) -> Till:
    key = part.settle_key.get_secret_value()
    if not key and not part.facilitator_url:
        raise BadSettings(f"networks.{network.v1} has a pay_to but neither settle_key nor facilitator_url.")
    from tollbrush.payments.pooled import PooledWeb

    rpc = JsonRpc(part.rpc_url or network.rpc, web=PooledWeb)
    if part.facilitator_url:
        from tollbrush.payments.facilitator import FacilitatorTill

        return FacilitatorTill(network, part.pay_to, part.facilitator_url, rpc=rpc, confirmations=part.confirmations)
    if network.family == "evm":
        from tollbrush.payments.evm import EvmTill

        return EvmTill(network, part.pay_to, rpc, key, confirmations=part.confirmations)
    from tollbrush.payments.solana import SolanaTill

    return SolanaTill(network, pay_to=part.pay_to, rpc=rpc, settle_key=key, confirmations=part.confirmations)
