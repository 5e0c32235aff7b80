"""English words one slip of the finger away from the studio's own: never read as typing errors."""

from __future__ import annotations

from typing import Final

_WORDS: Final = """
    anger angle apple arrow attached attaches attack attitude beards bears beech being bench bending blank bleed block
    bloom board boarder boarding bolder bonding borders boring branch breach bread bridge brink brisk broader burst
    canvass carton cartons chance changed charge cheery child chile choral christian class classes clause clockmaker
    cloned clown clowns coal coder colon comet comics concerning concert conic connecting contract contracts contrary
    convening converge converging converted converter cooked cooker cooled cooper corral covering crack crane crate
    creak creamy created creative crow crowd crows curing danger darkened decreased delegate delegating deleted
    deletions denotes denoting dense dental detecting detection devise dragging drain draining drains drawling draws
    elective electron elevate eliminated enhanced enlarged enlarger eraser exchanged expanse expend expended extended
    extends extent fainting farther feather fiend figured filed filler fixed flame flares framed frames friendly
    gentlemen grasses greed greek greeny greet greeting heaven holding hoping horizons included increased inert insect
    inserted inset intensity intensive inverse invert invest kinds ladies lapel levels lever lifter lighted loser
    maintain maintains marking masking matter melon mending mirrors misery modal model modes motion motor mountainous
    musty older olives overlap overlaps overload overly pacing painter palace panting pantry parity parson partly
    parts pasted pastry pasty patty peace pearson penciled pencils persona personal piloting placed plane planting
    plate plating playing plotting poach point pointed pointing points power prime prince printed printer prints
    profiler projecting proto punt putty raised reaching reader reduced reducer regarding rejection reloading reminder
    remote renaming rendered renderer repeating replaced replacer replay replayed resolving retry revel revere
    reversed reverses righten rotated rotates rotating rotation rotations rotten rounded salutation sapping saturday
    scala scaled scare septa shaded shader shakes shapes shares sharpener sharpens shipping showing showy silvery
    situation sketches sketchy skipping skips slipping sliver smoking snooze solver splash squares stack stairs stale
    stare stark starring start starts stash stats stays steal steep steer stepping sticky stitch stock stopping
    stormed story straightened straits strength strengthen stretch stretched stuck styles subset substituted suits
    swamping switched switches talking taxing thorough though threw thrown tiled tilled tilts title titled toned
    tracking transfer transfers transformed transformer transport trims tuning turbine turner typed upscaled vantage
    vertices vintages violent waiter warner watch watercress waterfall waterfalls watermarks weaken weaker while whine
    whiten whiter whole wider widow winder winner winters without women wring write writhe wrote yield
"""
NOT_SLIPS: Final = frozenset(_WORDS.split())
