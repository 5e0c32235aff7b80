"""From the terms of a clause to a framing: see `reading.py`."""

from __future__ import annotations

from typing import Final, cast

from tollbrush.engines.studio.plans.colours import Colour
from tollbrush.engines.studio.plans.framings import Border, Crop, Enlarge, Extend, Flip, Rotate, Side, Straighten
from tollbrush.engines.studio.understanding.reading import (
    Complaint,
    Found,
    Reading,
    TooMuchError,
    shaded,
)

_WHITE: Final = Colour("white", (255, 255, 255))
_MOST_TIMES: Final = 4
_WIDEST_RATIO: Final = 32


def not_level(found: Found) -> Reading | None:
    """`the picture isn't level`."""
    return Complaint(Straighten()) if found.terms[-1].key.startswith(("isn't", "ain't")) else None


_LEAST_BARE: Final = 5  # degrees that are told by a number alone


def rotated(found: Found) -> Reading | None:
    turn = found.part("turn")
    angles = [float(t.roles.get("DEGREES", t.roles.get("NUMBER", 0))) for t in turn if t.plays("DEGREES", "NUMBER")]
    clocks = [float(t.roles["CLOCK"]) for t in turn if t.plays("CLOCK")]
    if len(angles) > 1 or len(clocks) > 1 or not (angles or clocks):
        return None
    if len(turn) == 1 and turn[0].plays("NUMBER") and abs(angles[0]) < _LEAST_BARE:
        return None  # turn 2 …
    degrees = (angles[0] if angles else 90.0) * (clocks[0] if clocks else 1.0)
    if not 0 < abs(degrees) <= 360 or degrees % 360 == 0:
        raise TooMuchError([t for t in turn if t.plays("DEGREES", "NUMBER")])
    return Rotate(degrees if abs(degrees) <= 180 else degrees - 360 * (1 if degrees > 0 else -1))


def turned_over(found: Found) -> Reading:
    """`turn it upside down`; `mirror it upside down` is no turn."""
    return Flip("vertical") if found.terms[0].plays("MIRRORED") else Rotate(180.0)


def flipped(found: Found) -> Reading:
    axis = found.part("axis")
    return Flip("vertical" if axis and axis[0].roles["AXIS"] == "vertical" else "horizontal")


def cropped(found: Found) -> Reading:
    return Crop(_aspect(found))


def closer(_found: Found) -> Reading:
    return Crop()


def extended(found: Found) -> Reading:
    if found.part("aspect"):
        return Extend(aspect=_aspect(found))
    sides = found.part("sides")
    return Extend(cast(tuple[Side, ...], tuple(str(sides[0].roles["SIDE"]).split()))) if sides else Extend()


def _aspect(found: Found) -> tuple[int, int]:
    (term,) = found.part("aspect")
    wide, high = (int(number) for number in str(term.roles["ASPECT"]).split(":"))
    # `1080 x 1080` asks for pixels, `put it in a landscape` for a place.
    other = max(wide, high) > _WIDEST_RATIO or (term.named and term.key == "landscape")
    if other or not (wide and high) or not 1 / 4 <= wide / high <= 4:
        raise TooMuchError([term])
    return wide, high


def bordered(found: Found) -> Reading | None:
    ink = found.terms
    frame = next(i for i, term in enumerate(ink) if term.plays("BORDER"))
    if ink[frame].text.startswith("my ") or (frame and ink[frame - 1].key == "fit"):
        return None  # it has one, at home
    if frame + 1 < len(ink) and ink[frame + 1].plays("FROM", "OF"):
        return None  # a frame from a film
    widths = [float(t.roles["WIDTH"]) for t in ink if t.plays("WIDTH")]
    hues = [t for t in ink if t.plays("HUE")]
    if len(widths) > 1 or len(hues) > 1:
        raise TooMuchError([t for t in ink if t.plays("WIDTH", "HUE")])
    others = [t for t in ink if t.plays("LIGHTEN", "DEEPEN") and not t.plays("HUE")]
    if others and not hues:
        raise TooMuchError(others)
    colour = shaded(hues[0], others) if hues else _WHITE
    return Border(colour, widths[0]) if widths else Border(colour)


def enlarged(found: Found) -> Reading | None:
    at = next((i for i, t in enumerate(found.terms) if t.plays("NUMBER") and not t.plays("TIMES")), 0)
    if at and not found.terms[at - 1].plays("BYFACTOR", "TO", "FOR"):
        return None  # increase the size 2
    factor = found.part("factor")
    times = float(next(iter(factor[0].roles[r] for r in ("TIMES", "NUMBER") if r in factor[0].roles))) if factor else 2
    if times not in range(2, _MOST_TIMES + 1):
        raise TooMuchError(factor)
    return Enlarge(int(times))
