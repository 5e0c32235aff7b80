"""The words that hold a sentence together: their roles mean no more than themselves. See `lexicon.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ROLES: Final[Mapping[str, str]] = {
    "BG": "background, bg, backdrop, back ground, scene behind me, scene behind him, scene behind her, scene behind it",
    "PICTURE": "image, photo, picture, pic, photograph, shot, selfie, portrait, headshot, img, profile picture, "
    "profile photo, profile pic, snapshot, png",
    "IT": "it, this, that",
    "PERSON": "person, man, woman, girl, boy, guy, lady, me, him, her, his, he, she, myself, gentleman, dude, kid, "
    "child, model, subject, main subject, character, figure, astronaut, grandma, grandpa, mom, mum, dad, "
    "mother, father, friend, wife, husband, son, daughter, baby, brother, sister, bride, groom, lad, themselves, "
    "herself, himself",
    "THING": "cat, dog, animal, pet, product, object, item, puppy, kitten, horse, bird, "
    "foreground, people, them, us, family, couple, main object, car, bottle, "
    "shoe, shoes, sneaker, sneakers, vase, chair, sofa, toy, box, cake, plant, statue, bike, bicycle, lamp",
    "HEAD": "head, face, eyes, nose, lip, lips, upper lip, top of head, top of his head, top of her head, "
    "top of my head, top of the head",
    "EVERYTHING": "everything, anything, the rest, rest, all",
    "AREA": "area, region, selection, mask, masked area, masked region, masked part, masked object, masked thing, "
    ""
    "what the mask covers, selected area, selected region, selected part, selected object, white area, marked area, "
    "highlighted area, hole, "
    "spot, section, part, gap",
    "CHANGE": "change, replace, swap, switch, substitute, turn, transform, convert, modify, exchange, swap out, "
    "switch out, change out, set, make, have, render, get, let, "
    "changing, replacing, turning, making, swapping, converting",
    "PAINT": "colour, color, paint, fill, recolor, recolour",
    "ADD": "put, place, add, insert, include, use, apply, give, draw, overlay, attach, throw, slap, do, have, "
    "try, paste, stick, create, pop, adding, putting, placing, giving, applying",
    "MOVE": "put, place, move, teleport, bring, take, show, position, set, have",
    "REMOVE": "remove, erase, delete, clear, get rid of, take out, take away, take off, eliminate, strip, strip out, "
    "wipe out, clean up, clean, edit out, cut away, knock out, rub out, photoshop out, crop out, strip away, "
    "removing, erasing, deleting, taking away, getting rid of",
    "REMOVED": "removed, removal, remover, removing, deleted, erased, gone, disappear, vanish, go away, remove, erase, "
    "delete, cut out",
    "TAKE": "take, clean, edit, wipe, rub",
    "OUT": "out, away, off, up",
    "UPDOWN": "up, down",
    "CUT": "cut out, cutout, cut",
    "ISOLATE": "isolate, extract, separate",
    "HEAL": "fill, fill in, fill up, inpaint, heal, content aware fill, patch, patch up, generative fill",
    "BLUR": "blur, blur out, defocus",
    "BLURRY": "blurry, blurred, out of focus, defocused, unfocused, blurrier",
    "PORTRAITMODE": "portrait mode, depth of field, shallow depth of field",
    "WEARS": "wear, wearing, wears",
    "UPWARDS": "increase, boost, raise, bump up, turn up, strengthen, intensify, pump up, crank up, higher, "
    "enhance, up",
    "DOWNWARDS": "decrease, reduce, lower, turn down, bring down, weaken, tone down, drop, down",
    "MORE": "more, extra, additional",
    "LESS": "less",
    "TOO": "too",
    "POPS": "pop, stand out",
    "HUEWORD": "colour, color, shade",
    "COLOURS": "colours, colors, colour, color, hues",
    "TONES": "tone, tones, toning, tint, temperature, color temperature, colour temperature, color tone, colour tone, "
    "color tones, colour tones",
    "EFFECT": "filter, effect, efect, effekt, look, style, version, mode, scene",
    "LOOKS": "look, looks, look like, looks like, appear, feel, looking, look like there's, look like there is, "
    "look as if there is",
    "BE": "be, should be, must be, to be, should, needs to be",
    "IS": "is, are, it's, its, be",
    "TRANSPARENT": "transparent, transparency, transparent png, see through",
    "NO": "no, without, without any, i don't want, i dont want, i do not want, don't want",
    "NOT": "not, don't, dont, do not, never, without changing",
    "KEEP": "keep, leave, preserve, keeping, leaving",
    "SAME": "same, as is, as it is, unchanged, untouched, intact, exactly the same, alone, exactly as is, "
    "exactly as it is",
    "ONLY": "only",
    "KEEPONLY": "keep only, only keep, keep just, just keep",
    "ELSE": "else",
    "EXCEPT": "except, except for, but, apart from, besides, other than, excluding",
    "INSTEAD": "instead",
    "TO": "to, into, :, =, ->",
    "AS": "as",
    "WITH": "with, using, having, have",
    "FOR": "for, by",
    "LIKE": "like, like in, like on, as in",
    "IN": "in, at, inside, under, beneath, underneath, within, next to",
    "ON": "on, onto, against, in front of, over, on top of",
    "BEHIND": "behind, in back of",
    "OF": "of",
    "FROM": "from",
    "PAIR": "pair of, pair",
    "NICE": "nice, beautiful, pretty, lovely, stunning, gorgeous, amazing, simple, realistic, clean, elegant, fancy, "
    "stylish, cute, funny, awesome, great, good, perfect, professional, neutral, classic, classy, cool looking, "
    "nice looking, dreamy, magical, epic, new",
    "FLAT": "solid, plain, pure, flat, uniform, simple, clean, bright, neutral",
    "LIGHTEN": "light, pale, pastel, soft",
    "DEEPEN": "deep, dark",
    "TRAIT": "dark, clear, deep, sparkling, dramatic, bright, black, warm, gold, golden, orange, red, glowing, fiery, "
    "vivid, vibrant, colourful, colorful, light, soft",
    "SOFT": "soft, shallow, strong, nice",
    # Said of a picture as a whole, never an object that could be filled over.
    "ABSTRACT": "noise, grain, blur, blurriness, haze, fog, red eye, red eyes, colour, color, colors, colours, "
    "saturation, contrast, brightness, light, lighting, exposure, tint, tone, style, effect, filter, compression, "
    "artifacts, distortion, jpeg, quality, focus",
}

POLITE: Final = (
    "please, please to, pls, plz, kindly, can you please, can you, could you please, could you, would you, will you, "
    "can u, "
    "could u, can i have, can i get, could i have, could i get, i want you to, i want to, i want it to, i want, "
    "i wanna, i need you to, i need to, i need, needs, i'd like you to, i'd like to, i'd like, id like, "
    "i would like you to, i would like to, i would like, i'd love, let's, lets, just, hey, hi, now, help me, for me, "
    "thanks, thank you, thx, ty, cheers, many thanks, try to, hello, hi there, hello there, hey there, dear, "
    "if possible, if you can, if you could, if u can, would you mind, do you mind, is it possible to, "
    "would it be possible to, i think, something like, kind of, sort of, could, would, can, we need, we want, "
    "we would like, we'd like, "
    "i would love, i would like to have, i want to have, "
    "go ahead and, simply, ok, okay, how about, what about, maybe, thank you very much, thanks a lot, "
    "inventing no detail"
)
FILLER: Final = "a, an, the, teh, hte, my, our, your, their, some, one, entire, whole, completely, fully, totally, full"
JOINTS: Final = (
    "and, &, +, plus, also, then, and then, and also, after that, as well as, as well, next, finally, but, ;, ., !, ?"
)
PAUSE: Final = ","

# Roles in which typing errors are mended.
MENDED: Final = (
    "SCENE", "WEAR", "LOOK", "ER", "TONEVERB", "TONENOUN", "HUE", "BG", "PICTURE", "PERSON", "CHANGE", "ADD", "REMOVE",
    "BLUR", "BLURRY", "TRANSPARENT", "WEARS", "UPWARDS", "DOWNWARDS",
)  # fmt: skip
