"""The words for what is done to a whole picture, to a masked part or to the frame: see `lexicon.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tollbrush.engines.studio.plans.kinds import Scene, ToneKind
from tollbrush.engines.studio.plans.treatments import Place, SkyKind, StyleKind, WeatherKind

STYLES: Final[Mapping[str, StyleKind]] = {
    "watercolour, watercolor, water colour, water color, watercolours, watercolors, aquarelle": "watercolour",
    "oil painting, oil paint, oil paints, oil on canvas, oil painting on canvas, oil painted, painting, painted": "oil",
    "sketch, pencil sketch, pencil drawing, hand drawn, hand drawn sketch, line drawing, drawing, sketched, line art, "
    "lineart, pencil, pencil art, graphite drawing": "sketch",
    "cartoon, comic, comic book, cartoonish, cartoony, toon": "cartoon",
    "vintage, retro, old fashioned, old timey, 70s, 1970s, seventies, 80s, 1980s, eighties, analog, analogue, "
    "film photo, old school, aged, vintage film": "vintage",
    "hdr, high dynamic range": "hdr",
    "pixel art, pixelart, pixelated, 8 bit, 8bit": "pixel_art",
    "pop art, popart": "pop_art",
}
STYLE_VERBS: Final[Mapping[str, StyleKind]] = {
    "cartoonify, cartoonize, cartoonise": "cartoon",
    "pixelate, pixelize": "pixel_art",
    "sketchify": "sketch",
}
WEATHERS: Final[Mapping[str, WeatherKind]] = {
    "snow falling, snow, snowy, snowing, snowfall, falling snow, snowflakes, snow flakes, snowflake": "snow",
    "rain falling, rain, rainy, raining, rainfall, raindrops, rain drops": "rain",
    "fog, foggy, mist, misty": "fog",
}
SKIES: Final[Mapping[str, SkyKind]] = {
    "sunset": "sunset",
    "starry, stars": "starry",
    "blue, sunny, cloudy, clouds, white clouds, blue with clouds, blue with white clouds, fluffy clouds, "
    "fluffy white clouds, puffy clouds, some clouds, a few clouds, blue and sunny, clear blue": "blue_sky",
    "stormy, dramatic, storm, storm clouds, stormy clouds, dark clouds, thunderstorm": "stormy",
    "night, moonlit": "night",
}
# Named with their sky, and no backdrop that the studio paints: they need no other word.
WHOLE_SKIES: Final[Mapping[str, SkyKind]] = {
    "dramatic clouds, storm clouds, stormy clouds, stormy sky, stormy skies, dramatic sky, thunderstorm sky, "
    "storm sky": "stormy"
}
WEATHER_SCENES: Final[Mapping[WeatherKind, Scene]] = {"snow": "snow", "fog": "fog"}
# Colours that a sky may take on, by their tint.
SKY_TINGES: Final[Mapping[SkyKind, Mapping[str, ToneKind]]] = {
    "sunset": {"orange": "more_orange", "red": "more_red", "pink": "more_pink", "gold": "warmer"},
    "stormy": {"black": "darker"},
    "starry": {"black": "darker", "blue": "more_blue"},
    "night": {"black": "darker", "blue": "more_blue"},
}
PLACES: Final[Mapping[str, Place]] = {
    "top, upper part, upper edge, top edge, top center, top centre": "top",
    "bottom, lower part, lower edge, bottom edge, bottom center, bottom centre": "bottom",
    "centre, center, middle": "centre",
    "top left, top left corner, upper left, upper left corner, left top corner, left upper corner": "top left",
    "top right, top right corner, upper right, upper right corner, right top corner, right upper corner": "top right",
    "bottom left, bottom left corner, lower left, lower left corner, left bottom corner, left lower corner":
        "bottom left",
    "bottom right, bottom right corner, lower right, lower right corner, right bottom corner, right lower corner":
        "bottom right",
}  # fmt: skip
SIZES: Final[Mapping[str, float]] = {
    "big, large, huge, giant, larger, bigger": 1.8,
    "small, tiny, little, smaller": 0.6,
}
# Only what has a hue can be told from the rest by it.
SOURCES: Final[Mapping[str, str]] = {
    "red, reds, crimson": "red", "orange, oranges": "orange", "yellow, yellows": "yellow",
    "green, greens": "green", "turquoise, cyan, teal": "turquoise", "blue, blues": "blue",
    "purple, purples, violet": "purple", "magenta": "magenta", "pink, pinks": "pink",
}  # fmt: skip
ASPECTS: Final[Mapping[str, str]] = {
    "square, squared": "1:1",
    "widescreen, wide screen": "16:9",
    "portrait format, portrait orientation, portrait aspect, vertical, vertical format, vertical orientation, "
    "instagram portrait": "4:5",
    "landscape format, landscape orientation, landscape aspect, landscape, horizontal, horizontal format, "
    "horizontal orientation": "3:2",
}
SIDES: Final[Mapping[str, str]] = {
    "left, left side, left hand side": "left",
    "right, right side, right hand side": "right",
    "top, upward, upwards, top side": "top",
    "bottom, downward, downwards, bottom side": "bottom",
    "both sides, sides, left and right, wider, sideways": "left right",
    "taller, top and bottom": "top bottom",
    "all sides, every side, all around, all directions, every direction, each side": "left right top bottom",
}
CLOCK: Final[Mapping[str, float]] = {
    "clockwise, right, right side, right hand side, cw": 1.0,
    "counterclockwise, counter clockwise, anticlockwise, anti clockwise, left, left side, left hand side, ccw": -1.0,
}
TURNS: Final[Mapping[str, float]] = {"quarter turn": 90.0, "half turn": 180.0, "sideways, on its side": 90.0}
AXES: Final[Mapping[str, str]] = {
    "horizontally, horizontal, left to right, right to left": "horizontal",
    "vertically, vertical, top to bottom, upside down as in water": "vertical",
}
TIMES: Final[Mapping[str, float]] = {
    "twice, two times, double, twofold": 2.0,
    "three times, triple, thrice, threefold": 3.0,
    "four times, quadruple, fourfold": 4.0,
}
WIDTHS: Final[Mapping[str, float]] = {
    "thin, narrow, fine, slim, small": 0.02,
    "wide, thick, broad, big, large, chunky": 0.1,
}

ROLES: Final[Mapping[str, str]] = {
    "SKY": "sky, skies, heaven",
    "PAINTING": "painting, character, art, artwork, drawing, illustration, picture, photo, photograph, image, canvas",
    "SHARPEN": "sharpen, sharpen up, unblur, deblur, de blur, un blur",
    "SHARPER": "sharper, crisper, crisp, sharp",
    "SHARPNESS": "sharpness, crispness",
    "DENOISE": "denoise, de noise, noise reduction, noise removal",
    "NOISE": "noise, grain, graininess, image noise",
    "GRAIN": "grain, film grain",
    "SHADOWS": "shadows, dark areas, dark parts, darks, shadow areas",
    "HIGHLIGHTS": "highlights, whites, bright areas, bright parts",
    "BLACKS": "blacks",
    "CAST": "cast, tint, cast, colour cast, color cast, tinge, hue, tone, tones",
    "CASTWORD": "colour cast, color cast, colour tint, color tint, tint",
    "BALANCE": "white balance, colour balance, color balance, colour cast, color cast, lighting, light, exposure, "
    "colours, colors, levels, colour, color",
    "AUTO": "auto enhance, auto fix, auto correct, auto levels, auto tone, auto adjust, auto colour, auto color, "
    "autocorrect, auto white balance, automatic enhancement, auto enhancement, auto contrast, auto, autofix, auto "
    "correction, automatic correction",
    "ENHANCE": "enhance, auto enhance, auto correct, auto fix, auto adjust",
    "WASHED": "faded, washed out, flat, bland, lifeless, pale",
    "OLDSKY": "grey sky, gray sky, cloudy sky, overcast sky, cloudy skies, white sky, dull sky, blue sky, sunny sky",
    "OLDPHOTO": "old photo, old photograph, old picture, old vintage photo, old film photo, old timey photo, old film, "
    "old postcard",
    "GRAINY": "grainy, grainier",
    "BALANCING": "balance, auto balance, adjust, optimise, optimize, even out, neutralise, neutralize",
    "SPLASH": "colour splash, color splash, selective colour, selective color",
    "GRADIENT": "gradient, color gradient, colour gradient, fade, ombre",
    "INVERT": "invert, reverse, negate",
    "SWAP": "swap, exchange, switch, interchange, swap around",
    "LIFT": "lift, raise, brighten, lighten, lighten up, brighten up, boost, open up, bring up, fill in, fill, "
    "increase, bring out, pull up",
    "LOWER": "darken, deepen, crush",
    "TAME": "reduce, lower, tone down, recover, darken, bring down, tame, pull down, decrease, turn down, dim",
    "NOISY": "noisy, grainy",
    "SOFTEN": "soften, soften up",
    "SOFTER": "softer",
    "VIGNETTE": "dark vignette, vignette around the edges, dark vignette around the edges, vignette effect, "
    "vignette on the edges, vignette in the corners, vignette, vignetting, dark corners, darkened corners, dark "
    "edges, darker corners, darken corners, darken the corners, darken edges, darken the edges",
    "THINGS": "parts, areas, things, tones, objects, colour, color, colours, colors, bits, elements, pixels",
    "WHICHIS": "what's, whats, what is, what is, that is, that's, which is, that are, which are",
    "WRITE": "write, type, print, caption, label, title",
    "RECOVER": "recover, rescue",
    "BLURNESS": "blur, blurriness, fuzziness, softness",
    "FOCUS": "focus, concentrate",
    "REST": "rest, the rest, everything else, all else, everything around, surroundings, the surroundings",
    "TEXT": "date, name, quote, price, number, hashtag, signature, phrase, sentence, copyright, text, caption, "
    "title, words, word, label, lettering, heading, headline, slogan, message, letters",
    "SAYS": "saying, that says, says, reading, that reads, which says, with the words, with the text, with text, "
    "with the word",
    "WATERMARK": "watermark, water mark",
    "AT": "at, in, on, to, into, onto, over, across, near",
    "GREY": "grey, gray, black and white, b&w, bw, monochrome, grayscale, greyscale, colourless, colorless, mono",
    "ROTATE": "rotate, turn, spin, tilt, rotated, rotating",
    "ROUND": "right way up, right side up, right way round, other way up, other way round, upside down, "
    "upsidedown, on its head",
    "STRAIGHTEN": "straighten, straighten out, straighten up, level, level out, deskew, unskew",
    "STRAIGHT": "straight, level, straighter",
    "HORIZON": "horizon, horizon line, tilt, tilted horizon, crooked horizon",
    "CROOKED": "leaning, askew, at an angle, wonky, tilted, crooked, slanted, skewed, wonky, not straight, not "
    "level, sloping",
    "REPAIR": "fix, correct, repair, improve",
    "FLIP": "flip, mirror, flip over",
    "MIRRORED": "mirrored, flipped, mirror image, mirror",
    "CROP": "resize, reformat, crop, trim, crop in",
    "CLOSER": "closer, tighter, close, tight, in",
    "ZOOM": "zoom in, zoom",
    "CENTRAL": "subject, main subject",
    "RATIO": "aspect ratio, aspect, ratio, format, shape, crop",
    "EXTEND": "extend, expand, outpaint, uncrop, widen",
    "WIDER": "wider, taller",
    "BORDER": "border, frame, borders, edging",
    "SCALE": "scale, size, blow",
    "AROUND": "around, round, about",
    "ENLARGE": "enlarge, upscale, magnify, scale up, upsize, blow up, up scale",
    "LARGER": "larger, bigger, as large, as big, large, size, resolution",
    "RESOLUTION": "resolution, size, pixel count",
    "BYFACTOR": "by a factor of, by factor, by, factor of, factor",
    "DULL": "dull, boring, ugly, grey, gray, flat, bland, bad, plain, empty, white, overcast, too boring",
    "SOFTENED": "blurry, blurred, soft, unsharp, not sharp, out of focus, fuzzy",
    "SELF": "me, myself, us",
    "SPACE": "more room, space, room, canvas, margin",
    "CANVAS": "canvas, background, bg",
}

MENDED: Final = (
    "STYLE", "SHARPEN", "DENOISE", "VIGNETTE", "ROTATE", "STRAIGHTEN", "BORDER", "EXTEND", "ENLARGE", "HORIZON",
    "WATERMARK", "CLOCK", "AXIS", "SIDE",
)  # fmt: skip
