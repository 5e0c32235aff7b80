"""Fixtures that every room's tests may use."""

import signal
from collections.abc import Iterator

import pytest
import structlog

# Loaded late, under the deep stack of a request, pytest's rewriting of it trips over CPython 3.11.7 (gh-106905).
from anyio import open_file as open_file
from hypothesis import settings

# Behind a shell's `&` Ctrl-C is ignored, here and in all that is started from here; tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

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


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A command that ran in this process has pointed the log to a stream that is closed by now."""
    yield
    structlog.reset_defaults()
