"""Styles: lines are drawn where something ends, not around every hair."""

from __future__ import annotations

import numpy as np

from tollbrush.engines.studio.painterly import without_specks


def test_specks_turn_to_paper_and_lines_stay() -> None:
    random = np.random.default_rng(3)
    ink = np.ones((200, 200), np.float32)
    ink[50, 20:180] = ink[51, 20:180] = 0.1
    line = ink < 1
    for y, x in random.integers(60, 190, (40, 2)):
        ink[y : y + 3, x : x + 3] = 0.2
    ink[52, 100:103] = 0.5  # a hair that grows out of the line is the line's
    cleared = without_specks(ink, 200)
    assert (cleared[60:] == 1).all()
    assert np.array_equal(cleared[line], ink[line])
    assert (cleared[52, 100:103] == 0.5).all()
