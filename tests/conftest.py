"""Fixtures that every room's tests may use."""

pytest_plugins = [
    "support.base_chain",
    "support.solana_chain",
    "support.shop",
    "support.purse",
    "support.stack",
    "support.fair",
]
