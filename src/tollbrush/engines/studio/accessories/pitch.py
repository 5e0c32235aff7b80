"""How far a head nods, from where its nose, its chin and its top lie against the eyes.

Of a head that looks down, what is before the eyes (the nose's end) comes lower and what is behind them (the top of the
head) rises. People differ nearly as much as a nod of 10° shows, so the answer is the mean of what is likely: drawn
towards nought as far as the face leaves it open (a Bayesian estimate, with a head held upright as prior). The lips tell
little: a smile moves them as a nod does.
"""

from __future__ import annotations

import numpy as np

# Nose's end and chin below the eyes, in distances between them, of a hundred people (Labeled Faces in the Wild).
_USUAL = np.array([0.697, 1.725])
_VARIES = np.array([[0.00306, 0.00126], [0.00126, 0.00437]])
_BEFORE = np.array([0.30, -0.05])  # how far before the eyes they lie
_TOP, _TOP_VARIES, _TOP_BEFORE = -1.97, 0.15, -1.20  # the same of the head's top, with its hair
_TOP_TAILS = 4.0  # degrees of freedom: hoods and towers of hair are no heads that nod
_PRIOR = np.radians(12.0)
_LOOKED_AT = np.radians(np.arange(-30.0, 30.5, 0.5))


def pitch_of(nose: float, chin: float, top: float | None) -> float:
    """Radians by which the head looks down (below nought: up). Heights are in units below the eyes; `top` is None
    where it is not seen."""
    c, s = np.cos(_LOOKED_AT), np.sin(_LOOKED_AT)
    off = np.array([nose, chin]) - (np.outer(c, _USUAL) + np.outer(s, _BEFORE))
    surprise = (_LOOKED_AT / _PRIOR) ** 2 + np.einsum("ni,ij,nj->n", off, np.linalg.inv(_VARIES), off)
    if top is not None:
        apart = (top - _TOP * c - _TOP_BEFORE * s) / _TOP_VARIES
        surprise += (_TOP_TAILS + 1) * np.log1p(apart**2 / _TOP_TAILS)
    likely = np.exp(-(surprise - surprise.min()) / 2)
    return float((likely * _LOOKED_AT).sum() / likely.sum())


def held_upright(height: float, pitch: float, before: float) -> float:
    """The height below the eyes, were the head not bent by `pitch`, of what lies `before` them."""
    return float((height - before * np.sin(pitch)) / np.cos(pitch))
