"""Prompts in ten voices, written by people who had not seen the studio's language: the fifth and the sixth list that
was tried.

Each maps to the plans in short that are right, as the test of the plan writes them; none must be refused.
"""

from __future__ import annotations

from typing import Final

LIST_C1: Final[dict[str, tuple[str, ...]]] = {
    # ecom
    "just the product, everything else see-through": ("cut out",),
    "swap my carpet background for solid white": ("background white",),
    "#222222 behind the headphones": ("background #222222",),
    "ivory backdrop and a square format for the shop grid": ("background ivory; crop 1:1",),
    "open up the dark areas so the leather texture shows": ("tone lighter_shadows",),
    'brand it with a watermark, "© Oakline"': ('watermark "© Oakline"',),
    "enlarge three times, it's for a banner": ("enlarge 3",),
    'caption at the bottom: "Handmade in Porto"': ('write "Handmade in Porto" bottom',),
    "turn the blue into green, I want to show the other variant": ("recolour blue green",),
    "dark grey studio backdrop for these knives": ("background dark grey studio",),
    "too saturated, tone the colors down": ("tone less_saturation",),
    "crop to 4:5 and get rid of the noise": ("crop 4:5; denoise",),
    "wipe out the garage behind my bike so I get a png cutout": ("cut out",),
    "wide white border": ("border white wide",),
    'orange background, punchier contrast, "NEW" at the top right in white': (
        'background orange; tone more_contrast; write "NEW" top right white',
    ),
    # office
    "For the badge: drop the background and crop in on me": ("cut out; crop",),
    "Make what's behind me fuzzy, I don't want people to see my flat": ("blur background",),
    "professional photo studio backdrop please": ("background studio",),
    "Portrait needs a burgundy background to match our template": ("background burgundy",),
    "Flip it horizontally so I'm facing the text on the slide": ("flip horizontal",),
    "One-click fix for light and colour": ("tone balanced",),
    'overlay "Agenda" in the centre, large, white': ('write "Agenda" centre white large',),
    "Add more room on the right of the picture": ("extend right",),
    'mark it "SAMPLE" with a watermark and take the saturation down': ('watermark "SAMPLE"; tone less_saturation',),
    "Rotate 90° to the right": ("rotate 90",),
    "Monochrome, with the crop set to 16:9": ("tone black_and_white; crop 16:9",),
    "darken only what's behind us": ("tone darker background",),
    "Invert all colours for the dark-mode deck": ("tone negative",),
    "cooler tones would match our corporate slides better": ("tone cooler",),
    # messenger
    "cut me out n put me on a beach": ("background beach", "cut out; background beach"),
    "delet bg pls": ("cut out",),
    "starz behind me": ("background starry",),
    "cat ears n whit bg": ("wear cat_ears; background white",),
    "80s retro pic look": ("style vintage",),
    "top hat on me like a gentleman": ("wear top_hat",),
    "its sideways turn left 90": ("rotate -90",),
    "let it snowww on this pic": ("weather snow",),
    "cartoon style + pink bckground": ("style cartoon; background pink",),
    "all b/w but keep the red": ("keepcolour red",),
    "hdr it": ("style hdr",),
    "lil brightr": ("tone brighter",),
    "foggy n spooky, witch hat too": ("weather fog; wear witch_hat",),
    "zoom in closer 2 my dog": ("crop",),
    'put "good morning" on top in yelow': ('write "good morning" top yellow',),
    "mustache pls 🥸": ("wear moustache",),
    "mountians in the bg": ("background mountains",),
    "blur the whole thing": ("blur",),
    "halo 4 my bro n a dreamy look": ("wear halo; tone dreamy",),
    # nonnative_de
    "The background please in dark green": ("background dark green",),
    "Can you me set a cowboy hat on": ("wear cowboy_hat",),
    "Free the product from the background and turn it around by 180 degrees": ("cut out; rotate 180",),
    # nonnative_it
    "substitute the background with a sunset": ("background sunset",),
    "do it in the style of watercolor": ("style watercolour",),
    "sky more beautiful, without clouds, blue": ("sky blue_sky",),
    # nonnative_in
    "please give plain white background, it is for PAN card only": ("background white",),
    "sharpness is very less, kindly increase": ("sharpen",),
    'remove background and write "Rahul Traders" at bottom in blue': ('cut out; write "Rahul Traders" bottom blue',),
    # nonnative_br
    "let the background disfocused": ("blur background",),
    "I would like the photo with more contrast and less yellow": (
        "tone more_contrast; tone less_yellow",
        "tone more_contrast; tone more_blue",
        "tone more_contrast; tone cooler",
    ),
    "put a santa claus hat and snow falling": ("wear santa_hat; weather snow",),
    # nonnative_pl
    "set background on color turquoise": ("background turquoise",),
    "horizon is not straight, please repair": ("straighten",),
    "I want photo like drawn with pencil and white frame": ("style sketch; border white",),
    # elderly
    "Would it trouble you greatly to have our dog sit before a snowy landscape?": ("background snow",),
    "I'm told one can have the background taken away entirely; please do so with this one of my roses": ("cut out",),
    "Kindly give this portrait of mother a brownish sepia tone and darken the corners with a vignette.": (
        "tone sepia; vignette",
    ),
    "Please be so good as to make the picture a shade darker, the flash was far too strong": (
        "tone darker",
        "tone darker_highlights",
    ),
    "May I ask for gentle rain to fall upon the scene, it would suit the poem so well": ("weather rain",),
    "I would dearly love to see stars in the sky above our old farmhouse.": ("sky starry",),
    "Please place us in front of cloudy skies and make everything somewhat warmer, "
    "with my sincere thanks in advance.": ("background clouds; tone warmer",),
    # ecom
    "erase the watermark from the supplier's photo": (),
    "add three more chairs round the table": (),
    "open the lid of the box": (),
    "cut it out and take away the reflection in the glass": (),
    "make the cotton tee look like silk": (),
    "which of these two shots sells better?": (),
    "show it in a cosy living room with a fireplace": (),
    'leave the background exactly as is, I only want the label to read "Organic"': (),
    "unfold the blanket": (),
    # office
    "Make my boss look less warm and more serious": (),
    "blurred background yet perfectly sharp background": (),
    "Put a lanyard round my neck": (),
    "Move me to the centre of the group": (),
    "White background, and swap my glasses for contact lenses": (),
    "Set this as my desktop background": (),
    "Don't crop. Don't straighten.": (),
    "can you explain what a vignette is?": (),
    "Put our meeting room in Tokyo at night": (),
    # messenger
    "remove the bunny ears": (),
    "bigger lips plz": (),
    "make him jump": (),
    "bg of volcano erupting": (),
    "crown for me n a sword in my hand": (),
    "send rain emoji": (),
    # nonnative_de
    "Please take the cap from the head of my son away": (),
    # nonnative_it
    "change the face of my cousin with the mine": (),
    # nonnative_in
    "my eyes got closed, kindly open and increase brightness": (),
    # nonnative_br
    "I want the hair more curly and long": (),
    # nonnative_pl
    "make photo more bright and also more dark": (),
    # elderly
    "Would you be so kind as to take the walking stick out of my hand and let me stand upright?": (),
}
LIST_C2: Final[dict[str, tuple[str, ...]]] = {
    # designer
    "clip the vase from its surroundings": ("cut out",),
    # creator
    "can i get just me without the room behind me": ("cut out",),
    # AI agent
    "Deliver with alpha; discard the backdrop.": ("cut out",),
    # teen
    "yeet the background": ("cut out",),
    # seller
    "no background": ("cut out",),
    # photographer
    "high-key: white seamless behind the watch": ("background white", "background white studio"),
    # HR
    "Staff portrait needs a studio backdrop": ("background studio",),
    # parent
    "could the wall behind the twins be pastel pink?": ("background pastel pink",),
    # designer
    "backdrop hex #f4e1d2": ("background #f4e1d2",),
    # teen
    "all black behind me": ("background black",),
    # seller
    'yellow backround for the headphones ad and "-20%" top right in black': (
        'background yellow; write "-20%" top right black',
    ),
    # AI agent
    "Substitute the existing background with solid dark green.": ("background dark green",),
    # designer
    "blue gradient instead of the current backdrop": ("background blue gradient",),
    # passport
    "grey background for my visa picture": ("background grey",),
    # couple
    "beach vacay background plz": ("background beach",),
    # climber
    "mountain backdrop": ("background mountains",),
    # family
    "let's have a winter backdrop, snowy landscape for our Christmas card": ("background snow",),
    # photographer
    "defocus the surroundings, keep the subject crisp": ("blur background",),
    # student
    "hide my messy dorm with a blur behind me": ("blur background",),
    # creator
    "fairy-light bokeh for a background": ("background bokeh",),
    # astronomy fan
    "the backdrop ought to be a starry sky": ("background starry",),
    # traveller
    "a fog-covered landscape as the backdrop": ("background fog",),
    # romantic
    "let her stand against a sunset": ("background sunset",),
    # photographer
    "desaturate the backdrop": ("tone less_saturation background",),
    # realtor
    "swap that grey sky for a sunny blue one": ("sky blue_sky",),
    # biker
    "angry storm clouds for the sky": ("sky stormy",),
    # photographer
    "+0.7 EV": ("tone brighter",),
    "crushed blacks, lift them": ("tone lighter_shadows",),
    "there's a blue cast, warmer please": ("tone warmer",),
    # creator
    "washed-out faded aesthetic": ("tone faded",),
    # teen
    "grayscale": ("tone black_and_white",),
    # photographer
    "less punch, contrast is too harsh": ("tone less_contrast",),
    # designer
    "tone down the saturation, it's neon": ("tone less_saturation",),
    # grandpa
    "brown old-timey sepia tint like my father's album": ("tone sepia",),
    # parent
    "the light in this picture is awful, fix it for me": ("tone balanced",),
    # creator
    "cold tones": ("tone cooler",),
    # photographer
    "spot color, blue only": ("keepcolour blue",),
    # designer
    "exchange red with blue": ("swap red blue",),
    # creator
    "reels format, 9:16": ("crop 9:16",),
    # printer
    "trim to a 3:2 ratio with a wide white border": ("crop 3:2; border white wide",),
    # scanner
    "page scanned upside down, rotate 180°": ("rotate 180",),
    # photographer
    "ninety degrees anticlockwise": ("rotate -90",),
    # traveller
    "the tower is tilted, level the shot": ("straighten",),
    # designer
    "outpaint both the left and right sides": ("extend left right",),
    # AI agent
    "action: enlarge; scale: 4x": ("enlarge 4",),
    # restorer
    "clean up the high ISO noise, then crop to 4:3": ("denoise; crop 4:3",),
    # teen
    "its kinda blurry can u make it sharper": ("sharpen",),
    # meme maker
    "big white NOT TODAY across the centre": ('write "NOT TODAY" centre white large',),
    # school
    'top left corner: "Room 12"': ('write "Room 12" top left',),
    # studio
    'Overlay "SAMPLE" as a watermark.': ('watermark "SAMPLE"',),
    # party
    "pop a top hat on uncle Bob": ("wear top_hat",),
    # teen
    "heart shaped glasses 4 me": ("wear heart_glasses",),
    # parent
    "the baby is an angel, so a halo above the head": ("wear halo",),
    # artist
    "impasto oil painting": ("style oil",),
    # comic fan
    "cartoonify": ("style cartoon",),
    # traveller
    "I wish it was raining in this shot": ("weather rain",),
    # seller
    "delete the background and scale up x2": ("cut out; enlarge 2",),
    # photographer
    "Tighter crop, then pull the highlights down": ("crop; tone darker_highlights",),
    # creator
    "white border plus a slightly brighter picture": ("border white; tone brighter",),
    # party
    'bunny ears and "Happy Easter" at the bottom in pink': ('wear bunny_ears; write "Happy Easter" bottom pink',),
    # AI agent
    "Set aspect ratio to 1:1 by cropping; set background to #0a84ff.": ("crop 1:1; background #0a84ff",),
    # teen
    "pixel art me with a purple bg": ("style pixel_art; background purple",),
    # traveller
    "Starry sky please, and darken the photo overall": ("sky starry; tone darker", "background starry; tone darker"),
    # photographer
    "Sharpen, bump contrast and vignette the corners": ("sharpen; tone more_contrast; vignette",),
    # creator
    "film grain, moody, 4:5": ("tone grainy; tone moody; crop 4:5",),
    # gamer
    "tilt it 15 degrees clockwise and add a thin black frame": ("rotate 15; border black thin",),
    # party
    "wearing sunglasses and a gold crown like a boss": ("wear sunglasses; wear crown gold",),
    # parent
    "sketch of my dog on a white background": ("style sketch; background white",),
    # student
    'Flip horizontally, write "Chapter 1" at the top': ('flip horizontal; write "Chapter 1" top',),
    # photographer
    "misty and dreamy": ("weather fog; tone dreamy",),
    # traveller
    "paint out the power lines": (),
    # teen
    "smaller nose": (),
    # parent
    "wipe the chocolate off her face": (),
    # teen
    "change my jeans to shorts": (),
    # creator
    "place me inside a cosy coffee shop": (),
    # designer
    "jungle background": (),
    # photographer
    "which of the two horizons would you level?": (),
    # student
    "who is the man in the middle?": (),
    # party
    "viking helmet": (),
    "add a second moustache to the dog next to him and take its leash away": (),
    # photographer
    "dodge the left cheek and burn the right one": (),
    # seller
    "remove the background but keep the background shadows and the table": (),
    # AI agent
    "Leave image unmodified.": (),
    # designer
    "no crown, please": (),
    # teen
    "make everything colourful and black and white": (),
    # family
    "uncross grandma's arms": (),
    # traveller
    "put a hot air balloon in the blue sky": (),
    # wedding
    "straighten her veil": (),
    # creator
    "make it a 10 second reel with music": (),
    # student
    "solve the equation on the whiteboard": (),
    # AI agent
    "Remove background; then replace the face with an emoji.": (),
    # photographer
    "shoot it from a lower angle": (),
    # restorer
    "fill in the scratches and make it sepia": (),
    # designer
    "turn the logo on the cup around": (),
    # teen
    "age me to 80": (),
    # seller
    "show the shoe in three colors side by side": (),
    # parent
    "sit the baby upright": (),
    # traveller
    "melt the snow off the roof": (),
    # meme maker
    "laser eyes": (),
    # creator
    "snowy mountains behind me and swap my t-shirt for a ski jacket": (),
}
