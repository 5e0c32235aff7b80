"""A changed copy is what `dataclasses.replace` would make."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from tollbrush.domain.changed import changed
from tollbrush.domain.charges import Charge, ChargeState, ClaimKey

CHARGE = Charge("c", ClaimKey("n", "a", "p", "0x1"), 1, "s", 9, "h", "j", "{}", 1)


def test_a_copy_differs_in_what_was_changed() -> None:
    copy = changed(CHARGE, state=ChargeState.READY, updated=5)
    assert copy == replace(CHARGE, state=ChargeState.READY, updated=5) != CHARGE
    assert CHARGE.state is ChargeState.CLAIMED
    with pytest.raises(FrozenInstanceError):
        copy.amount = 2  # type: ignore[misc]


def test_a_field_that_is_none_is_named() -> None:
    with pytest.raises(TypeError, match="Charge has no field colour"):
        changed(CHARGE, colour="red")
