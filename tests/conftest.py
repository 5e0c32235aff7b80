"""Fixtures that every room's tests may use."""

# Loaded late, under the deep stack of a request, pytest's rewriting of it trips over CPython 3.11.7 (gh-106905).
from anyio import open_file as open_file
from hypothesis import settings

settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")

pytest_plugins = [
    "support.base_chain",
    "support.solana_chain",
    "support.shop",
    "support.purse",
    "support.stack",
    "support.fair",
]
