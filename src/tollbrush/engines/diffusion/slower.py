"""A model that runs in a slower way than it was to: what its operator is told, of this machine as of a cluster."""

from __future__ import annotations

from typing import Any, Final

from tollbrush.engines.diffusion.model import Tuning

_ADVICE: Final = "Mend it, or say engines.diffusion.attention and compile as they work here: then no start tries it."


def tell(log: Any, name: str, why: str, **where: str) -> None:
    """`why` in a sentence, `where` it runs."""
    log.warning("a model is slower than it was to be", model=name, why=why, advice=_ADVICE, **where)


def of_a_death(who: str, tuning: Tuning) -> str:
    """Why, when `who` died while it warmed the model up and this tuning came next."""
    how = f"attention {tuning.attention}" + ("" if tuning.compile else ", nothing compiled")
    return f"{who} died while it warmed it up; the next one runs with {how}."


def alarm(name: str) -> str:
    """All may read it, so why is left to the log."""
    return f"{name} is slower than it was to be. The log says why."
