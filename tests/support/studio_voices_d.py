"""Prompts as the log of an app may hold them, written by somebody who had not seen the studio's language: the seventh
list that was tried.

Each maps to the plans in short that are right, as the test of the plan writes them; none must be refused.
"""

from __future__ import annotations

from typing import Final

LIST_D: Final[dict[str, tuple[str, ...]]] = {
    # seller
    "white background for my listing please": ("background white",),
    "cut out the product so its transparent behind": ("cut out",),
    # student
    "get rid of the bg": ("cut out",),
    # office worker
    "make the background transparent": ("cut out",),
    # creator
    "blurry background like portrait mode": ("blur background",),
    # parent
    "blur out whats behind us": ("blur background",),
    # traveller
    "put me on a beach": ("background beach",),
    "can you replace the background with mountains?": ("background mountains",),
    # seller
    "plain light grey background": ("background light grey",),
    # creator
    "pastel pink backdrop": ("background pastel pink",),
    # non-native
    "please to make background black": ("background black",),
    "i need blue background for passport photo": ("background blue",),
    # traveller
    "put a sunset behind us": (
        "background sunset",
        "sky sunset",
    ),
    # student
    "background with stars": (
        "background starry",
        "sky starry",
    ),
    # seller
    "studio background pls": ("background studio",),
    # AI agent
    "Set the background colour to #f0f0f0.": ("background #f0f0f0",),
    # creator
    "blue gradient background": ("background blue gradient",),
    # parent
    "snowy background for our christmas card": ("background snow",),
    # creator
    "background black and white but keep me in colour": ("tone black_and_white background",),
    "darken the background a bit": ("tone darker background",),
    "bokeh lights in the background": ("background bokeh",),
    # office worker
    "navy blue background for linkedin": ("background navy blue",),
    # student
    "its too dark, can you brighten it": ("tone brighter",),
    # non-native
    "photo is too bright, make more dark": (
        "tone darker",
        "tone darker_highlights",
    ),
    # creator
    "b&w please": ("tone black_and_white",),
    # traveller
    "make the colors pop": ("tone more_saturation",),
    # creator
    "more vibrant colours": ("tone more_saturation",),
    # parent
    "warmer tones please": ("tone warmer",),
    # creator
    "give it a cooler look": ("tone cooler",),
    # AI agent
    "Increase the contrast.": ("tone more_contrast",),
    # creator
    "cinematic look": ("tone cinematic",),
    # office worker
    "auto enhance": ("tone balanced",),
    # traveller
    "brighten the shadows": ("tone lighter_shadows",),
    # student
    "sepia effect": ("tone sepia",),
    # creator
    "i want a moody vibe for insta": ("tone moody",),
    # parent
    "its a bit blurry can you sharpen the picture": ("sharpen",),
    # traveller
    "reduce noise in this night shot": ("denoise",),
    # creator
    "crop to square for instagram": ("crop 1:1",),
    "crop 9:16 for my story": ("crop 9:16",),
    # AI agent
    "Rotate the image 90 degrees clockwise.": ("rotate 90",),
    # non-native
    "photo is upside down, turn it around": ("rotate 180",),
    # office worker
    "the photo is crooked, fix it": ("straighten",),
    # creator
    "flip horizontally": ("flip horizontal",),
    # seller
    "upscale 2x": ("enlarge 2",),
    'add text "50% OFF" at the bottom in red': ('write "50% OFF" bottom red',),
    # parent
    'put "Happy Birthday Mia" on top': ('write "Happy Birthday Mia" top',),
    # traveller
    'add a caption at the bottom saying "Lisbon 2025"': ('write "Lisbon 2025" bottom',),
    # creator
    'put my watermark "@joes_photos" on it': ('watermark "@joes_photos"',),
    # student
    "put sunglasses on him": ("wear sunglasses",),
    # parent
    "can you put a santa hat on my dog": ("wear santa_hat",),
    "give her a flower crown": ("wear flower_crown",),
    # student
    "cartoonize me": ("style cartoon",),
    "make it look like a pencil drawing": ("style sketch",),
    # creator
    "oil painting style": ("style oil",),
    # parent
    "make it look like its snowing": ("weather snow",),
    # traveller
    "replace the grey sky with a blue one": ("sky blue_sky",),
    # seller
    "remove background and make it white": (
        "background white",
        "cut out; background white",
    ),
    "white background and crop to square": ("background white; crop 1:1",),
    "make it brighter and sharper": ("tone brighter; sharpen",),
    # creator
    "blur the bg and make it warmer": ("blur background; tone warmer",),
    # parent
    'add a party hat and write "Happy Birthday Leo" at the bottom': (
        'wear party_hat; write "Happy Birthday Leo" bottom',
    ),
    # office worker
    "straighten and crop to 4:3": ("straighten; crop 4:3",),
    # AI agent
    "Convert to black and white, then increase contrast.": ("tone black_and_white; tone more_contrast",),
    # creator
    "add film grain and a vignette": ("tone grainy; vignette",),
    # traveller
    "change sky to sunset and make the colors more vivid": ("sky sunset; tone more_saturation",),
    # student
    "beach background and sunglasses": ("background beach; wear sunglasses",),
    # non-native
    "turn photo to right and make it more bright": ("rotate 90; tone brighter",),
    # creator
    "crop 4:5 with a thin white border": ("crop 4:5; border white thin",),
    # student
    "pixel art with a crown": (
        "style pixel_art; wear crown",
        "wear crown; style pixel_art",
    ),
    # seller
    'cut it out and write "SALE" at the top in red': ('cut out; write "SALE" top red',),
    # traveller
    "remove the people in the background": (),
    "remove the man on the left": (),
    # parent
    "remove the toys from the floor": (),
    # seller
    "get rid of the price tag": (),
    # student
    "remove my pimples": (),
    # creator
    "smooth my skin": (),
    # non-native
    "make me more slim please": (),
    # parent
    "make everyone smile": (),
    "open her eyes": (),
    # office worker
    "put me in a suit": (),
    # creator
    "change my hair to blonde": (),
    # student
    "give me abs": (),
    # office worker
    "whiten my teeth": (),
    # seller
    "remove the wrinkles from the shirt": (),
    # traveller
    "put the eiffel tower behind me": (),
    # creator
    "change the background to a forest": (),
    # office worker
    "office background please": (),
    # student
    "background of a new york street": (),
    # parent
    "add a puppy next to my son": (),
    # traveller
    "add a rainbow in the sky": (),
    # seller
    "remove the watermark": (),
    # parent
    "colorize this old black and white photo": (),
    # creator
    "add my logo in the corner": (),
    # parent
    "swap my face with my brother's": (),
    # student
    "make him look at the camera": (),
    # seller
    "white background and remove the hanger": (),
    # creator
    "make it brighter and make my eyes bigger": (),
    # AI agent
    "Do not change the background.": (),
    # creator
    "dont crop it": (),
    # student
    "take off his glasses": (),
}
