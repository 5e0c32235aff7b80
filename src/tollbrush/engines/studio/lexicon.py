"""The words the studio knows: each phrase with its roles (tags) in a sentence and what it means in each.

Data only; `words.py` reads prompts with it, `grammar.py` says how the roles may stand together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Scene = Literal[
    "starry", "sunset", "blue_sky", "night", "bokeh", "gradient", "studio",
    "beach", "snow", "fog", "mountains", "clouds",
]  # fmt: skip
Accessory = Literal[
    "top_hat", "cowboy_hat", "santa_hat", "party_hat", "crown", "sunglasses", "moustache",
    "glasses", "beard", "bow_tie", "halo", "cat_ears", "bunny_ears", "flower_crown", "witch_hat", "clown_nose",
    "eye_patch", "headphones", "baseball_cap", "graduation_cap", "devil_horns", "heart_glasses",
]  # fmt: skip
ToneKind = Literal[
    "black_and_white", "sepia", "warmer", "cooler", "brighter", "darker",
    "more_contrast", "less_contrast", "more_saturation", "less_saturation",
]  # fmt: skip
OPPOSITE: Final[Mapping[ToneKind, ToneKind]] = {
    "warmer": "cooler", "cooler": "warmer", "brighter": "darker", "darker": "brighter",
    "more_contrast": "less_contrast", "less_contrast": "more_contrast",
    "more_saturation": "less_saturation", "less_saturation": "more_saturation",
}  # fmt: skip

COLOURS: Final[Mapping[str, str]] = {
    "white": "ffffff", "black": "000000", "grey": "808080", "silver": "c0c3c7", "charcoal": "36393f",
    "red": "d7263d", "crimson": "b3122b", "maroon": "6d1a26", "burgundy": "6b1028", "coral": "ff7f61",
    "orange": "f58220", "peach": "ffc9a3", "brown": "7a4a26", "beige": "e9dcc3", "cream": "fbf3dc",
    "ivory": "fdfaec", "tan": "cfae85", "gold": "d4af37", "yellow": "ffd83d", "mustard": "d6a520",
    "lime": "a8d93a", "green": "2f9e44", "olive": "77803a", "mint": "aee8cd", "emerald": "159a64",
    "teal": "138086", "turquoise": "35c8c0", "cyan": "22c3e6", "sky blue": "87c8f0", "baby blue": "a9d4f2",
    "blue": "2463d1", "royal blue": "2b4bd0", "navy blue": "16284f", "indigo": "42309b", "purple": "7a3fb8",
    "violet": "8450d0", "lavender": "cbbcf0", "lilac": "c9a7e0", "magenta": "d02ba0", "pink": "f49ac2",
    "hot pink": "ff4fa3", "rose": "e8637f", "emerald green": "159a64", "forest green": "22592f", "lime green": "8fd12f",
    "mint green": "aee8cd", "olive green": "77803a", "sea green": "2e9b77", "blood red": "8a0f18",
    "cherry red": "c3142d",
    "wine red": "6b1028", "brick red": "a23b2c", "salmon": "fa8f7c", "rose pink": "f08aa5", "charcoal grey": "36393f",
    "silver grey": "b4b8bd", "golden yellow": "f2b91c", "lemon yellow": "fbe94b", "mustard yellow": "d6a520",
    "burnt orange": "c4581c", "chocolate brown": "4d2c18", "royal purple": "5c2a9d", "midnight blue": "131f45",
    "steel blue": "4c7ea8", "powder blue": "b3d6e6", "cobalt blue": "1d49a8", "electric blue": "1e6bff",
}  # fmt: skip
SPELLINGS: Final[Mapping[str, str]] = {
    "gray": "grey", "golden": "gold", "navy": "navy blue", "off white": "ivory", "skyblue": "sky blue",
}  # fmt: skip

SCENES: Final[Mapping[str, Scene]] = {
    "starry sky, starry night, starry night sky, starry, stars, night sky, night sky with stars, milky way, starfield, "
    "star field, sky full of stars, night sky full of stars, "
    "starlit sky, starry skies, star sky, sky with stars, star filled sky": "starry",
    "sunset, sun set, sunset sky, sky at sunset, golden hour, golden hour sunset": "sunset",
    "blue sky, blue skies, blue sky with clouds, sky with clouds, cloudy blue sky, blue cloudy sky, sunny sky, "
    "blue sky with white clouds, blue sky and clouds, blue sky with some clouds, sunny blue sky": "blue_sky",
    "moonlit night, moonlit sky, moonlight, moonlit night sky, night sky with a moon, night sky with moon, night sky "
    "with the moon, night, night scene, night time, nighttime, moonlit evening": "night",
    "bokeh, bokeh lights, bokeh light, blurry lights, blurred lights": "bokeh",
    "gradient, color gradient, colour gradient": "gradient",
    "studio, photo studio, photography studio": "studio",
    "beach, sandy beach, tropical beach, seaside, beach scene": "beach",
    "snowy landscape, snow landscape, snowy scene, snow scene, winter landscape, winter scene, winter wonderland, "
    "snowy field, snow field": "snow",
    "foggy landscape, misty landscape, foggy scene, misty scene": "fog",
    "mountains, mountain, mountain range, mountain landscape, snowy mountains, snow mountains, mountain view, "
    "snow capped mountains": "mountains",
    "cloudy sky, clouds, overcast sky, grey sky": "clouds",
}
COLOURED_SCENES: Final[frozenset[Scene]] = frozenset({"gradient", "studio"})
# Adjectives that each scene already is; any other is more than it can promise.
SCENE_TRAITS: Final[Mapping[Scene, str]] = {
    "starry": "dark clear deep sparkling dramatic bright black",
    "sunset": "warm gold golden orange red glowing fiery dramatic vivid vibrant colourful colorful",
    "blue_sky": "bright light deep vivid clear",
    "night": "dark clear deep",
    "bokeh": "soft warm glowing",
    "gradient": "soft",
    "studio": "soft",
    "beach": "warm bright light clear",
    "snow": "bright light clear",
    "fog": "soft",
    "mountains": "clear dramatic",
    "clouds": "soft light",
}

ACCESSORIES: Final[Mapping[str, Accessory]] = {
    "hat, top hat, tophat": "top_hat",
    "cowboy hat, cow boy hat, western hat": "cowboy_hat",
    "santa hat, christmas hat, santa claus hat, santa cap, xmas hat, santas hat": "santa_hat",
    "party hat, birthday hat, birthday party hat": "party_hat",
    "crown, kings crown, queens crown, royal crown": "crown",
    "sunglasses, sun glasses, shades, dark glasses": "sunglasses",
    "moustache, mustache, stache": "moustache",
    "glasses, eyeglasses, spectacles, reading glasses": "glasses",
    "beard": "beard",
    "bow tie, bowtie": "bow_tie",
    "halo, angel halo": "halo",
    "cat ears, kitty ears": "cat_ears",
    "bunny ears, rabbit ears": "bunny_ears",
    "flower crown, crown of flowers, floral crown": "flower_crown",
    "witch hat, witchs hat, wizard hat": "witch_hat",
    "clown nose, red clown nose, red nose": "clown_nose",
    "eye patch, eyepatch, pirate eye patch": "eye_patch",
    "headphones, headphone": "headphones",
    "baseball cap, cap": "baseball_cap",
    "graduation cap, graduation hat, mortarboard": "graduation_cap",
    "devil horns, horns": "devil_horns",
    "heart glasses, heart shaped glasses, heart sunglasses, heart shaped sunglasses": "heart_glasses",
}

# As a look, as a comparative, as a plain adjective, as a verb, as a thing there can be more or less of.
LOOKS: Final[Mapping[str, ToneKind]] = {
    "black and white, black & white, black white, blackandwhite, b&w, b/w, bw, b and w, b & w, grayscale, greyscale, "
    "grey scale, gray scale, monochrome, colourless, colorless": "black_and_white",
    "sepia": "sepia",
}
COMPARATIVES: Final[Mapping[str, ToneKind]] = {
    "warmer": "warmer",
    "cooler, colder": "cooler",
    "brighter, lighter": "brighter",
    "darker, dimmer": "darker",
    "punchier": "more_contrast",
}
PLAIN: Final[Mapping[str, ToneKind]] = {
    "warm": "warmer",
    "cool, cold": "cooler",
    "bright": "brighter",
    "dark, dim": "darker",
    "contrasty, punchy, contrasted": "more_contrast",
    "vivid, vibrant, colourful, colorful, saturated": "more_saturation",
    "desaturated, muted": "less_saturation",
}
TONE_VERBS: Final[Mapping[str, ToneKind]] = {
    "warm up": "warmer",
    "cool down": "cooler",
    "brighten, lighten, brighten up, lighten up": "brighter",
    "darken": "darker",
    "saturate": "more_saturation",
    "desaturate": "less_saturation",
}
TONE_NOUNS: Final[Mapping[str, ToneKind]] = {
    "warmth": "warmer",
    "brightness, exposure, light": "brighter",
    "contrast, punch": "more_contrast",
    "saturation, vibrance, vibrancy": "more_saturation",
}
DEGREES: Final[Mapping[str, float]] = {
    "a bit, a little, a little bit, a tiny bit, bit, little, slightly, slight, somewhat, a touch, subtly, subtle, "
    "gently, a tad, lightly, little bit": 0.5,
    "much, a lot, lot, very, really, way, far, strongly, strong, heavily, heavy, super, extremely, significantly, "
    "considerably, quite a bit, quite a lot": 1.6,
}

# Roles whose words mean no more than the role.
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

# English words one slip away from ours: never read as typing errors.
NOT_SLIPS: Final = """
    apple attached attaches attack being blank block boring chance changed charge child chile choral christian
    class clause clown clowns coder colon concert contract contracts contrary converge converted converter cooker
    cooled cooper corral crack crane crate creak creamy created creative crow crowd crows darkened decreased
    delegate deleted eliminated enhanced eraser exchanged fiend figured filed filler gentlemen greed greek greeny
    greet included increased insect inserted inset intensity intensive invert ladies lifter lighted modal modes
    older olives overlap overlaps overload overly palace parity parson partly parts pasted pasty patty peace
    pearson persona personal placed plane plate poach profiler proto raised reader reduced reducer reminder remote
    rendered renderer replaced replacer replayed salutation saturday scala scaled scare septa shaded shader shakes
    shapes shares silvery situation skips solver stack stairs stale stare stark starring start starts stash stats
    stays sticky stock strength stuck subset substituted switched switches thorough though threw thrown transfer
    transfers transformed transformer transport violent warner weaker while whine whiten whiter women write yield
"""
