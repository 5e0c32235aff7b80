"""How much of a device's memory weights may take."""

from __future__ import annotations

import pytest

from tollbrush.engines.diffusion.memory import Shelf
from tollbrush.errors import BadSettings, NoRoom

GIB = 2**30


def test_a_gpu_that_is_too_small() -> None:
    Shelf(None, 0.15).take("house/tiny", 12 * GIB, 8 * GIB, 16 * GIB, offload=False)
    with pytest.raises(
        BadSettings, match=r"needs 14\.0 GiB for its weights; this GPU has 16\.0 GiB free, 13\.6"
    ) as whole:
        Shelf(None, 0.15).take("house/tiny", 14 * GIB, 8 * GIB, 16 * GIB, offload=False)
    assert "say offload = true (its largest part is 8.0 GiB)" in whole.value.sentence()
    Shelf(None, 0.15).take("house/tiny", 14 * GIB, 8 * GIB, 16 * GIB, offload=True)
    with pytest.raises(BadSettings) as hopeless:
        Shelf(None, 0.15).take("house/tiny", 40 * GIB, 20 * GIB, 16 * GIB, offload=False)
    assert "offload" not in hopeless.value.sentence()


def test_a_gpu_that_others_fill() -> None:
    """What would fit without them is another matter than what never will: for that nobody has to leave."""
    shelf = Shelf(None, 0.0)
    shelf.take("house/one", 10 * GIB, 10 * GIB, 16 * GIB, offload=False)
    with pytest.raises(
        NoRoom, match=r"house/two needs 12\.0 GiB for its weights; beside other models 6\.0 GiB are left"
    ):
        shelf.take("house/two", 12 * GIB, 12 * GIB, 6 * GIB, offload=False)
    with pytest.raises(BadSettings, match=r"this GPU has 16\.0 GiB free") as hopeless:
        shelf.take("house/big", 20 * GIB, 20 * GIB, 6 * GIB, offload=False)
    assert not isinstance(hopeless.value, NoRoom)
    shelf.give_back("house/one")
    shelf.take("house/two", 12 * GIB, 12 * GIB, 16 * GIB, offload=False)


def test_the_memory_that_the_settings_allow() -> None:
    shelf = Shelf(10 * GIB, 0.15)
    shelf.take("house/one", 8 * GIB, 8 * GIB, None, offload=False)
    with pytest.raises(NoRoom, match=r"beside other models 2\.0 GiB are left"):
        shelf.take("house/two", 4 * GIB, 4 * GIB, None, offload=False)
    with pytest.raises(BadSettings, match=r"needs 12\.0 GiB for its weights; engines\.diffusion\.memory is 10\.0 GiB"):
        shelf.take("house/big", 12 * GIB, 12 * GIB, None, offload=False)
