"""The networks, where the payment room looks for them."""

from tollbrush.domain.networks import BY_ID, BY_V1, NETWORKS, Network, find

__all__ = ["BY_ID", "BY_V1", "NETWORKS", "Network", "find"]
