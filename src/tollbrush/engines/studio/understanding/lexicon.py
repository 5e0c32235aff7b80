"""The words the studio knows: each phrase with its roles (tags) in a sentence and what it means in each.

Data only; `words.py` reads prompts with it, `grammar.py` says how the roles may stand together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tollbrush.engines.studio.plans.kinds import Accessory, Scene, ToneKind

SPELLINGS: Final[Mapping[str, str]] = {
    "jet black": "black", "pitch black": "black", "snow white": "white",
    "navyblue": "navy blue", "dark navy": "navy blue",
    "gray": "grey", "golden": "gold", "navy": "navy blue", "off white": "ivory", "skyblue": "sky blue",
}  # fmt: skip

SCENES: Final[Mapping[str, Scene]] = {
    "starry sky, starry night, starry night sky, starry, stars, night sky, night sky with stars, milky way, starfield, "
    "star field, sky full of stars, night sky full of stars, "
    "starlit sky, starry skies, star sky, sky with stars, star filled sky": "starry",
    "sunset, sun set, sunset sky, sky at sunset, golden hour, golden hour sunset, sunrise, sunrise sky, dusk, "
    "dusk sky, dawn, evening sky, sky at dusk, sky at dawn, sky at sunrise, twilight": "sunset",
    "blue sky with fluffy clouds, blue sky with fluffy white clouds, sky with fluffy clouds, sky with white "
    "clouds, sky and clouds, sky with fluffy white clouds, blue sky, blue skies, blue sky with clouds, sky with "
    "clouds, cloudy blue sky, blue cloudy sky, sunny sky, blue sky with white clouds, blue sky and clouds, blue "
    "sky with some clouds, sunny blue sky": "blue_sky",
    "moonlit night, moonlit sky, moonlight, moonlit night sky, night sky with a moon, night sky with moon, night sky "
    "with the moon, night, night scene, night time, nighttime, moonlit evening": "night",
    "bokeh, bokeh lights, bokeh light, blurry lights, blurred lights": "bokeh",
    "gradient, color gradient, colour gradient": "gradient",
    "studio, photo studio, photography studio, studio wall, studio paper": "studio",
    "beach, sandy beach, tropical beach, seaside, beach scene, sea, ocean, sand and sea, sea and sand, seashore, "
    "coast, shore, tropical sea, beach view, sea view, ocean view, sandy shore": "beach",
    "snowy landscape, snow landscape, snowy scene, snow scene, winter landscape, winter scene, winter wonderland, "
    "snowy field, snow field, winter, snowy hills, snow covered landscape": "snow",
    "foggy landscape, misty landscape, foggy scene, misty scene, foggy hills, misty hills, foggy morning, "
    "misty morning, hills in fog": "fog",
    "mountains, mountain, mountain range, mountain landscape, snowy mountains, snow mountains, mountain view, "
    "snow capped mountains, snowcapped mountains, alps, mountain scenery, mountain scene": "mountains",
    "cloudy sky, clouds, overcast sky, grey sky, cloudy skies, sea of clouds, cloudscape": "clouds",
}
COLOURED_SCENES: Final[frozenset[Scene]] = frozenset({"gradient", "studio"})
# Adjectives of a scene or a sky, by the tone that gives it that mood.
MOODS: Final[Mapping[str, ToneKind]] = {
    "warm, golden, gold, fiery, glowing, hot": "warmer",
    "cool, cold, icy, chilly": "cooler",
    "bright, sunny, sparkling, light, airy": "brighter",
    "dark, dim, gloomy": "darker",
    "deep, rich, vivid, vibrant, colourful, colorful, intense": "more_saturation",
    "clear, crisp": "more_contrast",
    "soft, pale, pastel, hazy, faded, muted": "faded",
    "dramatic, spectacular": "dramatic",
    "moody": "moody",
    "dreamy": "dreamy",
    "cinematic": "cinematic",
    "cosy, cozy": "cosy",
}
# Colours that a scene may take on, by their tint.
TINGES: Final[Mapping[Scene, Mapping[str, ToneKind]]] = {
    "sunset": {"orange": "more_orange", "red": "more_red", "pink": "more_pink", "gold": "warmer"},
    "starry": {"black": "darker", "blue": "more_blue"},
    "night": {"black": "darker", "blue": "more_blue"},
    "beach": {"gold": "warmer"},
}

ACCESSORIES: Final[Mapping[str, Accessory]] = {
    "hat, top hat, tophat": "top_hat",
    "cowboy hat, cow boy hat, western hat": "cowboy_hat",
    "santa hat, christmas hat, santa claus hat, santa cap, xmas hat, santas hat": "santa_hat",
    "party hat, birthday hat, birthday party hat": "party_hat",
    "crown, kings crown, queens crown, royal crown": "crown",
    "sunglasses, sun glasses, shades, dark glasses, sunnies": "sunglasses",
    "moustache, mustache, stache": "moustache",
    "glasses, eyeglasses, spectacles, reading glasses": "glasses",
    "beard": "beard",
    "bow tie, bowtie": "bow_tie",
    "halo, angel halo": "halo",
    "cat ears, kitty ears": "cat_ears",
    "bunny ears, rabbit ears": "bunny_ears",
    "flower crown, crown of flowers, floral crown": "flower_crown",
    "witch hat, witchs hat, wizard hat": "witch_hat",
    "clown nose, red nose": "clown_nose",
    "eye patch, eyepatch, pirate eye patch": "eye_patch",
    "headphones, headphone": "headphones",
    "baseball cap, cap": "baseball_cap",
    "graduation cap, graduation hat, mortarboard": "graduation_cap",
    "devil horns, horns": "devil_horns",
    "heart glasses, heart shaped glasses, heart sunglasses, heart shaped sunglasses": "heart_glasses",
}

# As a look, as a comparative, as a plain adjective, as a verb, as a thing there can be more or less of.
LOOKS: Final[Mapping[str, ToneKind]] = {
    "white and black, white & black, black and white, black & white, black white, blackandwhite, b&w, b/w, bw, b "
    "and w, b & w, black n white, b n w, blk & wht, blk and wht, blk n wht, grayscale, greyscale, grey scale, "
    "gray scale, monochrome, colourless, colorless": "black_and_white",
    "sepia, sepia toned": "sepia",
    "moody, low key": "moody",
    "dramatic": "dramatic",
    "golden hour, golden hour light, golden hour glow": "warmer",
    "cinematic, movie like, film like, teal and orange, hollywood": "cinematic",
    "faded, matte, washed out, matte film, faded film": "faded",
    "dreamy, soft dreamy, dreamy soft, soft focus, soft glow, dreamlike, ethereal": "dreamy",
    "cosy, cozy, homely": "cosy",
    "negative, inverted, colour negative, color negative, inverted colours, inverted colors": "negative",
}
COMPARATIVES: Final[Mapping[str, ToneKind]] = {
    "warmer": "warmer",
    "cooler, colder": "cooler",
    "brighter, lighter": "brighter",
    "darker, dimmer": "darker",
    "punchier": "more_contrast",
    "moodier": "moody",
    "dreamier": "dreamy",
    "cosier, cozier": "cosy",
    "bluer": "more_blue",
    "redder": "more_red",
    "yellower": "more_yellow",
    "greener": "more_green",
    "pinker": "more_pink",
}
# There can be more of a colour, or too much.
TINTS: Final[Mapping[str, ToneKind]] = {
    "red, reddish": "more_red",
    "orange, orangey": "more_orange",
    "yellow, yellowish": "more_yellow",
    "green, greenish": "more_green",
    "blue, bluish": "more_blue",
    "pink, magenta, pinkish": "more_pink",
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
    "desaturate, mute": "less_saturation",
}
TONE_NOUNS: Final[Mapping[str, ToneKind]] = {
    "warmth": "warmer",
    "brightness, exposure, light": "brighter",
    "contrast, punch": "more_contrast",
    "saturation, vibrance, vibrancy": "more_saturation",
}
DEGREES: Final[Mapping[str, float]] = {
    "a bit, a little, a little bit, a tiny bit, bit, little, slightly, slight, somewhat, a touch, subtly, subtle, "
    "gently, a tad, lightly, little bit, abit, a smidge, a notch, a wee bit, a lil, lil, a lil bit, tiny bit, "
    "just a bit, just a little, ever so slightly, a hint of, a bit of, a little of, a touch of, touch of, touch": 0.5,
    "much, a lot, lot, very, really, way, far, strongly, strong, heavily, heavy, super, extremely, "
    "significantly, considerably, quite a bit, quite a lot, alot, loads, tons, way way, af, as hell, as much as "
    "possible, to the max, like crazy, so much, a good bit, big time, seriously, lots of, loads of, a lot of, "
    "hella, massively": 1.6,
}
