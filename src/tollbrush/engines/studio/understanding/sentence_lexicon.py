"""The words that hold a sentence together: their roles mean no more than themselves. See `lexicon.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ROLES: Final[Mapping[str, str]] = {
    "BG": "background, bg, backdrop, back ground, scene behind me, scene behind him, scene behind her, scene behind it",
    "PICTURE": "thumbnail, image, photo, picture, pic, photograph, shot, selfie, portrait, headshot, "
    "img, profile picture, profile photo, profile pic, snapshot, png, whole thing, whole picture, whole image, "
    "whole photo, foto, pictures, screenshot, jpg, jpeg, scan",
    "IT": "it, this, that",
    "HEAD": "head, face, eyes, nose, lip, lips, upper lip, top of head, top of his head, top of her head, top of my "
    "head, top of the head",
    "EVERYTHING": "everything, anything, all",
    "AREA": "area, region, selection, mask, masked area, masked region, masked part, masked object, masked thing, "
    "what the mask covers, selected area, selected region, selected part, selected object, white area, marked area, "
    "highlighted area, hole, spot, section, part, gap",
    "CHANGE": "made, reformat, resize, change, replace, swap, switch, substitute, turn, transform, convert, "
    "modify, exchange, swap out, switch out, change out, set, make, have, render, get, let, changing, replacing, "
    "turning, making, swapping, converting",
    "PAINT": "colour, color, paint, fill, recolor, recolour",
    "ADD": "set, lay, drop, plonk, chuck, wants, want, put, place, add, insert, include, use, apply, give, draw, "
    "overlay, attach, throw, slap, do, have, try, paste, stick, create, pop, adding, putting, placing, giving, "
    "applying",
    "MOVE": "put, place, move, teleport, bring, take, show, position, set, have",
    "REMOVE": "remove, erase, delete, clear, get rid of, take out, take away, take off, eliminate, strip, strip out, "
    "wipe out, clean up, clean, edit out, cut away, knock out, rub out, photoshop out, crop out, strip away, "
    "removing, erasing, deleting, taking away, getting rid of",
    "REMOVED": "removed, removal, remover, removing, deleted, erased, gone, disappear, vanish, go away, remove, "
    "erase, delete, cut out",
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
    "UPWARDS": "increase, boost, raise, bump up, turn up, strengthen, intensify, pump up, crank up, higher, enhance, "
    "up, crank, push, push up, amp up, ramp up, dial up, bump, pump, lift",
    "DOWNWARDS": "decrease, reduce, lower, turn down, bring down, weaken, tone down, drop, down, dial down, cut "
    "down, pull down, ease",
    "MORE": "more, extra, additional",
    "LESS": "less",
    "TOO": "quite, rather, so, pretty, too",
    "POPS": "pop, stand out",
    "HUEWORD": "colour, color, shade",
    "COLOURS": "colours, colors, colour, color, hues",
    "TONES": "tone, tones, toning, tint, temperature, color temperature, colour temperature, color tone, colour "
    "tone, color tones, colour tones",
    "EFFECT": "grading, grade, colour grading, color grading, color grade, colour grade, vibe, vibes, feel, "
    "mood, aesthetic, treatment, finish, appearance, ambience, atmosphere, filter, effect, efect, effekt, look, "
    "style, version, mode, scene",
    "LOOKS": "look like it is, look like it's, look like its, look as if it's, look as if it is, look as though, "
    "look as if, look, looks, look like, looks like, appear, feel, looking, look like there's, look like there "
    "is, look as if there is",
    "BE": "have been, be made, be turned, shall be, will be, has to be, have to be, ought to be, shall, becomes, "
    "become, being, be a, be, should be, must be, to be, should, needs to be",
    "IS": "lies, lay, hangs, stands, came out, comes out, turned out, seems, was, were, got, seem, look, is, "
    "are, it's, its, be",
    "WISHTHAT": "i need that, i want that, i wish that, i would like that, i'd like that, make that, make so that, "
    "make sure that, make sure",
    "HAVING": "have, get, having",
    # How the background or the sky is now, before another one takes its place.
    "STATE": "messy, cluttered, ugly, busy, distracting, boring, current, existing, old, original, dull, blown out, "
    "overcast, dirty, noisy, untidy, chaotic, crowded, blank, present, whole, hideous, cheap, grey, gray, dark, empty, "
    "plain, white, bad, burnt out, burned out, overexposed, washed out, cloudy, flat, real, actual, shitty, crappy",
    "OFF": "off, wrong, bad, not right, weird, strange, odd, not correct, incorrect, terrible, awful",
    "AGED": "old, older, vintage, traditional, classic,",
    "TRANSPARENT": "transparent, transparency, transparent png, see through",
    "NO": "no, w/o, without, without any, i don't want, i dont want, i do not want, don't want",
    "NOT": "not, don't, dont, do not, never, without changing",
    "KEEP": "keep, leave, preserve, keeping, leaving",
    "SAME": "same, as is, as it is, unchanged, untouched, intact, exactly the same, alone, exactly as is, exactly as "
    "it is",
    "ONLY": "only",
    "KEEPONLY": "keep only, only keep, keep just, just keep",
    "ELSE": "else",
    "EXCEPT": "except, except for, but, apart from, besides, other than, excluding",
    "INSTEAD": "instead",
    "TO": "to, into, :, =, ->",
    "AS": "as",
    "WITH": "with, w, w/, using, having, have",
    "FOR": "for, by",
    "LIKE": "like, like in, like on, as in",
    "IN": "in, at, inside, under, beneath, underneath, within, next to",
    "ON": "on, above, onto, against, in front of, over, on top of",
    "BEHIND": "behind, in back of",
    "OF": "of",
    "FROM": "from",
    "PAIR": "pair of, pair",
    "NICE": "nice, beautiful, pretty, lovely, stunning, gorgeous, amazing, simple, realistic, clean, elegant, fancy, "
    "stylish, cute, funny, awesome, great, good, perfect, professional, neutral, classic, classy, cool looking, "
    "fake, fluffy, sweet, fresh, modern, real, proper, decent, nice looking, magical, epic, new",
    "FLAT": "all, entirely, solid, plain, pure, flat, uniform, simple, clean, bright, neutral",
    "LIGHTEN": "light, pale, pastel, soft",
    "DEEPEN": "deep, dark",
    "SOFT": "gaussian, lens, gentle, heavy, light, creamy, soft focus, soft, shallow, strong, nice",
    # Said of a picture as a whole, never an object that could be filled over.
    "ABSTRACT": "noise, grain, blur, blurriness, haze, fog, red eye, red eyes, colour, color, colors, colours, "
    "saturation, contrast, brightness, light, lighting, exposure, tint, tone, style, effect, filter, compression, "
    "artifacts, distortion, jpeg, quality, focus",
}

FILLER: Final = "a, an, the, teh, hte, my, our, your, their, some, one, entire, whole, completely, fully, totally, full"
JOINTS: Final = (
    "and, n, &, +, plus, also, then, and then, and also, after that, as well as, as well, next, finally, "
    "but, ;, ., !, ?"
)
PAUSE: Final = ","

# Roles in which typing errors are mended.
MENDED: Final = (
    "SCENE", "WEAR", "LOOK", "ER", "TONEVERB", "TONENOUN", "HUE", "BG", "PICTURE", "PERSON", "CHANGE", "ADD", "REMOVE",
    "BLUR", "BLURRY", "TRANSPARENT", "WEARS", "UPWARDS", "DOWNWARDS",
)  # fmt: skip

# A verb's passive form, by the verb.
PARTICIPLES: Final[Mapping[str, str]] = {
    "rotated": "rotate", "removed": "remove", "deleted": "remove", "erased": "remove", "blurred": "blur",
    "blurred out": "blur", "cropped": "crop", "flipped": "flip", "mirrored": "mirror", "sharpened": "sharpen",
    "brightened": "brighten", "darkened": "darken", "lightened": "lighten", "replaced": "replace", "changed": "change",
    "turned": "turn", "turned into": "turn", "converted": "convert", "added": "add", "put": "put", "placed": "put",
    "made": "make", "straightened": "straighten", "enlarged": "enlarge", "extended": "extend", "softened": "soften",
    "desaturated": "desaturate", "painted": "paint", "cut out": "cut out", "written": "write", "swapped": "swap",
    "taken away": "take away", "taken out": "remove", "gone": "remove", "zoomed in": "zoom in", "framed": "frame",
    "increased": "increase", "reduced": "reduce", "boosted": "increase", "lowered": "lower", "toned down": "tone down",
    "inverted": "invert", "denoised": "denoise", "cleaned up": "clean up", "isolated": "isolate",
}  # fmt: skip

# Slips in words too short to be mended by their letters alone.
MISSPELT: Final[Mapping[str, str]] = {
    "grn": "green", "blk": "black", "wht": "white", "ylw": "yellow", "yel": "yellow", "gry": "grey", "prpl": "purple",
    "orng": "orange", "brn": "brown", "sm": "some", "lites": "lights", "nite": "night", "rite": "right",
    "thru": "through", "bcuz": "because", "becuz": "because", "cus": "because", "bcos": "because", "tho": "though",
    "bout": "about", "abit": "a bit", "alot": "a lot", "alil": "a little", "lil": "little", "evrything": "everything",
    "pics": "picture", "backgrnd": "background", "bckgrnd": "background", "bckground": "background",
    "wite": "white", "whit": "white", "whte": "white", "withe": "white", "blak": "black", "blck": "black",
    "balck": "black", "bule": "blue", "bleu": "blue", "gren": "green", "grean": "green", "yelow": "yellow",
    "pnk": "pink", "mak": "make", "maek": "make", "amke": "make", "mke": "make", "litle": "little", "littel": "little",
    "litl": "little", "trun": "turn", "tunr": "turn", "addd": "add", "pleae": "please", "pleas": "please",
    "plese": "please", "plase": "please", "pleaze": "please", "pleease": "please", "teh": "the", "thw": "the",
    "tha": "the", "adn": "and", "nad": "and", "wiht": "with", "wth": "with", "taht": "that", "hte": "the",
    "moer": "more", "mroe": "more", "lss": "less", "crwon": "crown", "skay": "sky", "bakc": "back", "foto": "photo",
    "phto": "photo", "poto": "photo", "pciture": "picture", "imge": "image", "iamge": "image",
    "colur": "colour", "collor": "color", "cntrast": "contrast", "sno": "snow", "rian": "rain", "nigth": "night",
    "lite": "light", "ligth": "light", "lihgt": "light", "bakground": "background", "bacground": "background",
    "starz": "stars", "blakc": "black", "giv": "give", "shaper": "sharper", "blury": "blurry", "croped": "cropped",
    "strait": "straight",
}  # fmt: skip
