"""Whatever the language may plan is done in pixels, or refused for what the picture shows."""

from __future__ import annotations

import numpy as np
import pytest

from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.understanding.repertoire import Offer
from tollbrush.engines.studio.understanding.understand import offers, understand
from tollbrush.errors import CannotHonour

_SIDE = 48


def one_of_each() -> list[Offer]:
    """The first offer of every type of operation."""
    first: dict[type, Offer] = {}
    for offer in offers():
        (operation,) = understand(offer.example, masked=bool(offer.needs)).operations
        first.setdefault(type(operation), offer)
    return list(first.values())


@pytest.mark.parametrize("offer", one_of_each(), ids=lambda offer: offer.name)
def test_every_offer_reaches_the_pixels(offer: Offer) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)
    pixels[12:30, 12:30] = (214, 30, 40)
    mask = np.zeros((_SIDE, _SIDE), bool)
    mask[10:20, 10:20] = True
    plan = understand(offer.example, masked=bool(offer.needs))
    try:
        (result,) = perform(plan, pixels, mask if offer.needs else None, [7])
    except CannotHonour as refused:
        assert not refused.message.startswith("The studio cannot"), refused.message
    else:
        assert result.dtype == np.uint8
        assert result.ndim == 3
