"""Prompts in ten voices, written by people who had not seen the studio's language: the second
and the fourth list that was tried.

Each maps to the plans in short that are right, as the test of the plan writes them; none must be refused.
"""

from __future__ import annotations

from typing import Final

LIST_B1: Final[dict[str, tuple[str, ...]]] = {
    # photographer
    "knock out the backdrop": ("cut out",),
    # AI agent
    "Return the subject only, on an alpha channel.": ("cut out",),
    # creator
    "need this as a png with no bg for a sticker": ("cut out",),
    # teen
    "bg gone pls": ("cut out",),
    # parent
    "could you put my baby on plain white": ("background white",),
    # designer
    "isolate on #1e1e1e": ("background #1e1e1e",),
    # seller
    "pure white behind the sneakers, it's for an Amazon listing": ("background white",),
    # student
    "I need a light blue backdrop for my student card": ("background light blue",),
    # traveller
    "pretend we were at the seaside, sandy beach behind us": ("background beach",),
    # teen
    "make it look like im standing in front of mountains lol": ("background mountains",),
    # photographer
    "soften what's behind her, f/1.4 look": ("blur background",),
    # creator
    "portrait mode this": ("blur background",),
    # photographer
    "Bokeh balls as the backdrop": ("background bokeh",),
    # designer
    "pink gradient behind the product": ("background pink gradient",),
    # AI agent
    "bg_color=#ffcc00": ("background #ffcc00",),
    # parent
    "swap the messy living room for a snowy landscape": ("background snow",),
    # couple
    "replace whatever is behind us with a sunset": ("background sunset",),
    # teen
    "starry night bg": ("background starry",),
    # party
    "spooky fog scene as background please": ("background fog",),
    # photographer
    "grey seamless studio backdrop": ("background grey studio",),
    # parent
    "get rid of everything behind the cat": ("cut out",),
    # creator
    "thumbnail bg should be bright red": ("background bright red",),
    # traveller
    "this sky is so dull, give me a nice blue one": ("sky blue_sky",),
    # photographer
    "sky replacement, sunset": ("sky sunset",),
    "push the exposure up a stop": ("tone brighter",),
    "highlights are a bit hot, pull them back": ("tone darker_highlights",),
    # creator
    "moody vibes": ("tone moody",),
    # photographer
    "open up the shadows": ("tone lighter_shadows",),
    "Monochrome": ("tone black_and_white",),
    # teen
    "make the colors pop way more": ("tone more_saturation",),
    # traveller
    "White balance is too cold here, warm it up a touch": ("tone warmer",),
    # parent
    "just sort the lighting out automatically": ("tone balanced",),
    # filmmaker
    "give this a movie look": ("tone cinematic",),
    # photographer
    "some 35mm grain on top": ("tone grainy",),
    # designer
    "selective colour: everything grey except the reds": ("keepcolour red",),
    # creator
    "9:16 for stories": ("crop 9:16",),
    # photographer
    "turn 90° CW": ("rotate 90",),
    # traveller
    "the horizon is crooked": ("straighten",),
    # AI agent
    "Upscale by a factor of 2.": ("enlarge 2",),
    # parent
    "get in tighter on my little one": ("crop",),
    # designer
    "flop it left to right": ("flip horizontal",),
    # meme maker
    'caption "WHEN MONDAY HITS" along the bottom': ('write "WHEN MONDAY HITS" bottom',),
    # parent
    'put "Happy 3rd birthday Leo" at the top in blue': ('write "Happy 3rd birthday Leo" top blue',),
    # photographer
    'stamp "© Jonas Weber" as a watermark': ('watermark "© Jonas Weber"',),
    # party
    "santa hat on grandpa": ("wear santa_hat",),
    # teen
    "gimme some shades": ("wear sunglasses",),
    # party
    "he's a pirate tonight so he needs an eyepatch": ("wear eye_patch",),
    # student
    "grad cap on me": ("wear graduation_cap",),
    # artist
    "render as an aquarelle": ("style watercolour",),
    # gamer
    "8-bit version": ("style pixel_art",),
    # grandma
    "I'd love it to look like an old photograph from the seventies": ("style vintage",),
    # traveller
    "it should be snowing": ("weather snow",),
    # photographer
    "slight noise reduction": ("denoise",),
    # seller
    "Cut the mug out and crop it square": ("cut out; crop 1:1",),
    # photographer
    "Blur backdrop, then 4:5 crop for the feed": ("blur background; crop 4:5",),
    # teen
    "cat ears n a pink background": ("wear cat_ears; background pink",),
    # creator
    "black and white + thin white border": ("tone black_and_white; border white thin",),
    # AI agent
    "1. Remove background 2. Enlarge 4x": ("cut out; enlarge 4",),
    # traveller
    "straighten the horizon and bring out more colour": ("straighten; tone more_saturation",),
    # party
    'put a party hat on her and write "40 and fabulous" at the bottom': (
        'wear party_hat; write "40 and fabulous" bottom',
    ),
    # photographer
    "Lift exposure, drop contrast, sharpen.": ("tone brighter; tone less_contrast; sharpen",),
    # meme maker
    '"ME:" at the top, "ALSO ME:" at the bottom': ('write "ME:" top; write "ALSO ME:" bottom',),
    # parent
    "can you turn my daughter into a cartoon with a yellow background": ("style cartoon; background yellow",),
    # traveller
    "dramatic stormy sky and rain, please": ("sky stormy; weather rain",),
    # seller
    "white background, a bit brighter": ("background white; tone brighter",),
    # photographer
    "Sepia then vignette": ("tone sepia; vignette",),
    # creator
    "faded film aesthetic, some grain, cropped to 3:2": ("tone faded; tone grainy; crop 3:2",),
    # student
    "flip it upside down and invert the colors": ("flip vertical; tone negative", "rotate 180; tone negative"),
    # party
    "witch hat and a moonlit night behind me": ("wear witch_hat; background night",),
    # AI agent
    "Set background to navy blue. Rotate 180 degrees.": ("background navy blue; rotate 180",),
    # traveller
    "get rid of the tourists behind us": (),
    # teen
    "make me look skinnier": (),
    # parent
    "everyone's eyes should be open": (),
    # teen
    "put a baseball cap on him": ("wear baseball_cap",),
    # creator
    "Times Square behind me": (),
    # student
    "isn't the background a bit too busy?": (),
    # photographer
    "what aperture was this shot at?": (),
    # driver
    "blur the number plate": (),
    # wedding
    "whiten their teeth a bit": (),
    # seller
    "transparent background and take the price tag off": (),
    # parent
    "square crop and make her smile": (),
    # photographer
    "do not touch the background": (),
    # student
    "keep the background as it is but change it to a beach": (),
    # designer
    "lengthen her dress": (),
    # traveller
    "a rainbow across the sky": (),
    # designer
    "white backdrop with our company logo in the corner": (),
    # meme maker
    "animate it into a gif": (),
    # archivist
    "erase the caption printed on the photo": (),
    # photographer
    "remove the glare from her glasses": (),
    # party
    "take his hat off": (),
    # teen
    "swap our faces": (),
    # traveller
    "aurora over the lake": (),
    # photographer
    "brighten only his face": (),
    # grandma
    "colourise this old black and white picture": (),
    # AI agent
    "Rotate the car so that it faces the camera.": (),
    # teen
    "add angel wings and a halo": (),
    # creator
    "sunglasses on and a latte in my hand": (),
    # designer
    "crop to 16:9 and 1:1 in the same image": (),
    # traveller
    "make the rain stop": (),
    # photographer
    "blur the background but not the trees in it": (),
}
LIST_B2: Final[dict[str, tuple[str, ...]]] = {
    # designer
    "deep-etch the bottle": ("cut out",),
    # creator
    "sticker cutout of my dog": ("cut out",),
    # AI agent
    "background: none": ("cut out",),
    # student
    "Transparent": ("cut out",),
    # photographer
    "extract the model from the scene": ("cut out",),
    # seller
    "The background must be #FFFFFF as the marketplace requires": ("background #ffffff", "background white"),
    # job seeker
    "corporate headshot look, dark grey studio behind me": ("background dark grey studio",),
    # teen
    "can the back be purple": ("background purple",),
    # parent
    "Our school wants a plain light grey background for the portrait": ("background light grey",),
    # designer
    "drop it on solid black and sharpen": ("background black; sharpen",),
    # video editor
    "make the backdrop green so i can key it later": ("background green",),
    # creator
    "mint green behind me, that's my brand color": ("background mint green",),
    # designer
    "fill the bg with a purple gradient": ("background purple gradient",),
    # traveller
    "I want the alps, well, any mountains, in the background": ("background mountains",),
    # couple
    "we should be at the beach instead of the car park": ("background beach",),
    # photographer
    "Background out of focus, please.": ("blur background",),
    # teen
    "blurry bg": ("blur background",),
    # hobbyist
    "replace the wall with twinkly bokeh lights": ("background bokeh",),
    # parent
    "put teddy under a starry sky backdrop": ("background starry",),
    # traveller
    "set a cloudy sky as the background": ("background clouds",),
    # party
    "night scene w/ a big moon as the backdrop": ("background night",),
    # photographer
    "backdrop a bit darker so she stands out": ("tone darker background",),
    # creator
    "bg in b&w but leave me in color": ("tone black_and_white background",),
    # teen
    "sunset backround": ("background sunset",),
    # real estate agent
    "Overcast sky over the house, make it a clear blue day": ("sky blue_sky",),
    # traveller
    "fill the sky above the desert with stars": ("sky starry",),
    # photographer
    "looks underexposed to me, brighten": ("tone brighter",),
    "recover the blown highlights": ("tone darker_highlights",),
    "Cooler white balance": ("tone cooler",),
    # designer
    "mute the colours": ("tone less_saturation",),
    # photographer
    "punchier contrast": ("tone more_contrast",),
    # creator
    "dreamy": ("tone dreamy",),
    # parent
    "can you auto enhance this one": ("tone balanced",),
    # goth
    "darker, much darker": ("tone darker",),
    # photographer
    "colour splash in yellow, rest monochrome": ("keepcolour yellow",),
    # designer
    "shift all the greens to orange": ("recolour green orange",),
    # student
    "make a photo negative out of this": ("tone negative",),
    # youtuber
    "widescreen 16:9 thumbnail crop, and pump up the contrast": ("crop 16:9; tone more_contrast",),
    # parent
    "it came out sideways, turn it a quarter to the left": ("rotate -90",),
    # creator
    "Instagram square": ("crop 1:1",),
    # designer
    "uncrop to 16:9": ("extend 16:9",),
    # AI agent
    "Image is too small; triple its resolution.": ("enlarge 3",),
    # photographer
    "too soft, needs crisper detail": ("sharpen",),
    # teen
    "its a selfie so the letters are backwards, mirror it n brighten it": ("flip horizontal; tone brighter",),
    # shop owner
    "write CLOSED in big red letters in the middle": ('write "CLOSED" centre red large',),
    # bride
    '"Lena & Paul" in gold at the bottom': ('write "Lena & Paul" bottom gold',),
    # agency
    'watermark this with "PROOF"': ('watermark "PROOF"',),
    # party
    "stick a curly mustache on my boss": ("wear moustache",),
    # teen
    "flower crown like coachella": ("wear flower_crown",),
    # parent
    "my kid wants to be a king, crown please": ("wear crown",),
    # professor
    "he'd look cleverer with spectacles": ("wear glasses",),
    # artist
    "as if drawn with a pencil": ("style sketch",),
    "Warhol-ish pop art": ("style pop_art",),
    # traveller
    "mist rolling over the fields would be great": ("weather fog",),
    # seller
    "Remove backdrop, place on beige": ("background beige", "cut out; background beige"),
    # AI agent
    "Crop 4:3. Rotate 90 clockwise. Convert to grayscale.": ("crop 4:3; rotate 90; tone black_and_white",),
    # photographer
    "denoise then sharpen": ("denoise; sharpen",),
    # creator
    "retro look with a chunky white frame": ("style vintage; border white wide",),
    # party
    'clown nose on dad and "HONK" at the top': ('wear clown_nose; write "HONK" top',),
    # traveller
    "Make the sky a sunset and warm up the whole thing": ("sky sunset; tone warmer",),
    # teen
    "devil horns, red background, done": ("wear devil_horns; background red",),
    # parent
    "zoom in on her a bit and blur what's behind": ("crop; blur background",),
    # photographer
    "Raise the shadows plus a subtle vignette": ("tone lighter_shadows; vignette",),
    # creator
    "turn it into an oil painting and crop to 4:5": ("style oil; crop 4:5",),
    # seller
    'pastel blue background and write "NEW IN" at the top in white': (
        'background pastel blue; write "NEW IN" top white',
    ),
    # party
    "a cowboy hat and a bow tie for the groom": ("wear cowboy_hat; wear bow_tie",),
    # designer
    "hdr and more saturated": ("style hdr; tone more_saturation",),
    # parent
    "let it snow and give the baby a santa hat": ("weather snow; wear santa_hat",),
    # student
    "level the picture, then double its size": ("straighten; enlarge 2",),
    # creator
    "cinematic, 9:16": ("tone cinematic; crop 9:16",),
    # traveller
    "delete the lamppost on the left": (),
    # parent
    "make my son look at the camera": (),
    # teen
    "give me abs": (),
    "put me in a hoodie": (),
    # designer
    "underwater background": (),
    # creator
    "Tokyo at night with neon signs behind me": (),
    # photographer
    "is the horizon level?": (),
    # AI agent
    "Describe the image in one sentence.": (),
    # photographer
    "retouch the skin and remove blemishes": (),
    # seller
    "white background, and steam the creases out of the shirt": (),
    # photographer
    "leave the sky alone": (),
    # designer
    "rotate it 90 degrees yet leave it unrotated": (),
    # teen
    "make my hair blonde": (),
    # party
    "a chef's hat": (),
    "add balloons behind the birthday girl": (),
    # wedding
    "put grandma, who wasn't there, next to the bride": (),
    # driver
    "park the car somewhere else in the picture": (),
    # creator
    "turn this into claymation": (),
    # student
    "translate the sign into English": (),
    # photographer
    "get the shadow of the photographer out of the frame": (),
    # teen
    "remove his beard": (),
    # seller
    "add a realistic reflection under the bottle": (),
    # AI agent
    "Export as PDF and upload to the server.": (),
    # traveller
    "add lightning bolts": (),
    # parent
    "close his mouth and blur the background": (),
    # meme maker
    'speech bubble saying "nope" coming out of the cat': (),
    # archivist
    "repair the torn corner": (),
    # photographer
    "brighter but also darker": (),
    # designer
    "change the font on the poster behind her": (),
    # traveller
    "sunset sky, and drop a sailing boat on the horizon": (),
}
