"""Prompts in ten voices, written by people who had not seen the studio's language: the first and
the third list that was tried.

Each maps to the plans in short that are right, as the test of the plan writes them; none must be refused.
"""

from __future__ import annotations

from typing import Final

LIST_A1: Final[dict[str, tuple[str, ...]]] = {
    # ecom
    "need this on pure white for my amazon listing": ("background white",),
    "isolate the mug, transparent png please": ("cut out",),
    "knock out the backdrop and square it up 1:1 for etsy": ("cut out; crop 1:1",),
    "light gray backdrop instead of my messy kitchen table": ("background light grey",),
    "bump up the sharpness, the stitching looks soft": ("sharpen",),
    'overlay a watermark reading "LunaCrafts"': ('watermark "LunaCrafts"',),
    "the colors came out dull, make them more vivid": ("tone more_saturation",),
    'put "SOLD OUT" across the middle in big red letters': ('write "SOLD OUT" centre red large',),
    "white background, then a thin black frame round the picture": ("background white; border black thin",),
    "Double the resolution for print": ("enlarge 2",),
    "tighter framing around the shoe": ("crop",),
    "jet black behind the ring and sharpen it up": ("background black; sharpen",),
    "4:5 for insta shop, and lighten it a bit": ("crop 4:5; tone brighter",),
    "navy blue backdrop for the watch": ("background navy blue",),
    "clean up the grain, then crisp it up": ("denoise; sharpen",),
    # office
    "Headshot for my access badge: plain light blue behind me": ("background light blue",),
    "This scan is crooked, please level it": ("straighten",),
    "Make it widescreen 16:9 for the title slide": ("crop 16:9", "extend 16:9"),
    'Add a watermark saying "INTERNAL USE ONLY"': ('watermark "INTERNAL USE ONLY"',),
    "Blur whatever is behind me, it's for my Teams profile": ("blur background",),
    "transparent background so I can drop it on a slide": ("cut out",),
    "Grayscale version for the annual report": ("tone black_and_white",),
    'Put "Team Kickoff" in white at the top and darken the photo a little': (
        'write "Team Kickoff" top white; tone darker',
    ),
    "less noise pls, shot under office lights": ("denoise",),
    "Studio look behind me for LinkedIn": ("background studio",),
    "auto-correct the exposure and colors": ("tone balanced",),
    "quarter turn clockwise": ("rotate 90",),
    "Company photo: beige backdrop, 3:2 crop": ("background beige; crop 3:2",),
    "level the horizon, crop in closer and brighten": ("straighten; crop; tone brighter",),
    # messenger
    "bg beach pls": ("background beach",),
    "gimme bunny ears lol": ("wear bunny_ears",),
    "rm bg": ("cut out",),
    "mk it b&w": ("tone black_and_white",),
    "cartoonify me": ("style cartoon",),
    "sunset behnd us plssss": ("background sunset",),
    "flip it my selfie is mirrored the wrong way": ("flip horizontal",),
    "wanna be a pirate, gimme an eyepatch n a moustache": ("wear eye_patch; wear moustache",),
    "snowflakes falling over everything": ("weather snow",),
    "contrast up!!": ("tone more_contrast",),
    "put me in the mountains w a cowboy hat": ("background mountains; wear cowboy_hat",),
    "pixelart": ("style pixel_art",),
    "shades on me 😎": ("wear sunglasses",),
    "way too dark cant see anything": ("tone brighter", "tone lighter_shadows", "tone balanced"),
    "yellow bg n heart shaped glasses": ("background yellow; wear heart_glasses",),
    "make backgrnd purpel": ("background purple",),
    "grainy film vibe": ("tone grainy",),
    "moonlit nite behind me + witch hat": ("background night; wear witch_hat",),
    # nonnative_de
    "Please make the background away": ("cut out",),
    "I need the picture in the quadratic format": ("crop 1:1",),
    "The background should become unsharp": ("blur background",),
    "Give me please a starry sky in the background and make all a bit darker": ("background starry; tone darker",),
    # nonnative_it
    "put behind of me the beach with the sea": ("background beach",),
    "the photo is too much cold, make more warm the colours": ("tone warmer",),
    "I would like a effect like painted with oil": ("style oil",),
    # nonnative_in
    "Kindly change backdrop to white colour for visa form": ("background white",),
    "do one thing, increase brightness and crop to 4:3": ("tone brighter; crop 4:3",),
    "please put santa cap on my head and one bow tie also": ("wear santa_hat; wear bow_tie",),
    # nonnative_br
    "take off the background of the product and put white in the place": (
        "background white",
        "cut out; background white",
    ),
    "leave the photo with look of vintage": ("style vintage",),
    "rotate the photo for the left side 90 degree": ("rotate -90",),
    # nonnative_pl
    "make background in colour dark blue": ("background dark blue",),
    "only red stays in color, rest make grey": ("keepcolour red",),
    # elderly
    "Would you be so kind as to place a pale pink background behind my granddaughter?": (
        "background pale pink",
        "background light pink",
        "background pastel pink",
    ),
    "Dear sir or madam, I should like this old photograph in sepia, if it is not too much trouble.": ("tone sepia",),
    "Could I please have a clear blue sky in place of that dreary grey one?": ("sky blue_sky",),
    'I wonder whether you might write "Happy Easter" along the bottom in yellow for my sister\'s card': (
        'write "Happy Easter" bottom yellow',
    ),
    "Please make a gentle watercolour of it, and put a white border round the edge, thank you ever so much": (
        "style watercolour; border white",
    ),
    "Might it be possible to darken the corners the way old portraits had it? A vignette, I believe.": ("vignette",),
    "Kindly bring up the shadows, one can hardly make out the faces beneath the brims.": ("tone lighter_shadows",),
    "Please let there be a foggy landscape behind the two of us, and make the whole thing a touch cooler in tone.": (
        "background fog; tone cooler",
    ),
    # ecom
    "get rid of the price tag on the lamp": (),
    "make the model in the jacket taller": (),
    "swap the zipper for buttons": (),
    "white background and take out the mannequin's hand": (),
    "how many pixels does ebay want for the main picture?": (),
    "fill the bowl with strawberries": (),
    "put it on a marble countertop": (),
    "transparent background but leave the white background in": (),
    "write a product description for this": (),
    # office
    "Change the background check form to blue": (),
    "Replace the logo on my shirt with our new one": (),
    "Make me look ten years younger and blur the background": (),
    "Remove Kevin from the group photo": (),
    "crop out the guy on the left but keep everyone": (),
    "put us in a conference room with a skyline view": (),
    "Brighten it, but leave my face alone": (),
    "Turn this into a PDF with two pages": (),
    # messenger
    "take off my glasses": (),
    "make my smile bigger n eyes open": (),
    "add a puppy next 2 me": (),
    "bg music pls": (),
    "whiter teeth pls": (),
    "is my bg too dark??": (),
    # nonnative_de
    "Please not change the background, only make the hair blond": (),
    # nonnative_it
    "put me a motorcycle helmet": (),
    # nonnative_in
    "kindly make my moustache disappear": (),
    # nonnative_br
    "let me more thin in the belly": (),
    # nonnative_pl
    "make sky to smile": (),
    # elderly
    "Could you kindly turn my head so that I am facing the camera, dear?": (),
    "Please do not rotate the picture, it is perfectly fine as it stands.": (),
}
LIST_A2: Final[dict[str, tuple[str, ...]]] = {
    # ecom
    "clipping path style, object only, nothing around it": ("cut out",),
    "Background to #f2f2f2": ("background #f2f2f2",),
    "set the candle against cream": ("background cream",),
    "catalog look: white behind the sneaker and tight crop": ("background white; crop",),
    "whites are blown out, recover the highlights": ("tone darker_highlights",),
    'stamp "@vintage.rosie" on it as watermark': ('watermark "@vintage.rosie"',),
    "upscale x4": ("enlarge 4",),
    '"30% OFF" bottom right in red': ('write "30% OFF" bottom right red',),
    "soft pink gradient behind my perfume bottle": (
        "background soft pink gradient",
        "background pink gradient",
        "background light pink gradient",
        "background pastel pink gradient",
    ),
    "the fabric looks yellowish under my lamp, take some yellow out": (
        "tone less_yellow",
        "tone more_blue",
        "tone cooler",
    ),
    "throw the room out of focus so the chair stands out": ("blur background",),
    "strip the backdrop and turn it 90 degrees clockwise": ("cut out; rotate 90",),
    "vertical 9:16 for stories": ("crop 9:16", "extend 9:16"),
    "swap the greens for purple": ("recolour green purple",),
    'blue gradient bg, sharpen the details, watermark "NordHome"': (
        'background blue gradient; sharpen; watermark "NordHome"',
    ),
    # office
    "I need my portrait with no background for the org chart": ("cut out",),
    "Neutral grey behind me, it's for the ID card": ("background grey",),
    'Lay "Q3 Results" over it at the top left': ('write "Q3 Results" top left',),
    "desaturate the backdrop only": ("tone less_saturation background",),
    "Tilt it 15 degrees counterclockwise": ("rotate -15",),
    "Extend the canvas to the left so there's room for bullet points": ("extend left",),
    "Widen to 16:9 by filling in the sides": ("extend 16:9",),
    "Give the slide photo a faded, washed-out look": ("tone faded",),
    "Square crop with a white background for the staff directory": ("crop 1:1; background white",),
    "Balance the lighting automatically, then cut down the noise": ("tone balanced; denoise",),
    "out-of-focus backdrop and slightly warmer light please": ("blur background; tone warmer",),
    "teal background for the speaker card": ("background teal",),
    "Thin gold border, please": ("border gold thin",),
    # messenger
    "no bg thx": ("cut out",),
    "snowy bg": ("background snow",),
    "stick a crown on my head queen vibes": ("wear crown",),
    "upside down its wrong way up": ("rotate 180", "flip vertical"),
    "can u do it like a pencil drawing": ("style sketch",),
    "rainy day effect": ("weather rain",),
    "moody af": ("tone moody",),
    "bokeh lites behind n make it dreamy": ("background bokeh; tone dreamy",),
    "turn bg grn": ("background green",),
    "devil horns + sm fog": ("wear devil_horns; weather fog",),
    "clown nose on him hahaha": ("wear clown_nose",),
    "popart like warhol": ("style pop_art",),
    "mor sat": ("tone more_saturation",),
    "pic is blury sharpen plz": ("sharpen",),
    'birthday hat for grandma n write "70!!" on top': ('wear party_hat; write "70!!" top',),
    "white bg": ("background white",),
    "sky all stars": ("sky starry",),
    # nonnative_de
    "I would like to have a mountain landscape behind me and the light more warm": (
        "background mountains; tone warmer",
    ),
    "Cut the person free, please": ("cut out",),
    "Please turn the photo to black-white and give it a black frame": ("tone black_and_white; border black",),
    "The picture hangs crooked, make it straight": ("straighten",),
    # nonnative_it
    "I want the background all of white colour": ("background white",),
    "make me an halo like the angels": ("wear halo",),
    "the light is few, can you make more clear the photo": ("tone brighter", "tone balanced", "tone lighter_shadows"),
    # nonnative_in
    "please do the needful and make background sky blue colour": ("background sky blue", "background light blue"),
    "reduce contrast little bit": ("tone less_contrast",),
    "kindly blur backside of the person": ("blur background",),
    # nonnative_br
    "I want to stay in the beach at the background with sunglasses": ("background beach; wear sunglasses",),
    "put the sky of a storm and let it dramatic": ("sky stormy; tone dramatic",),
    "mirror the image on horizontal": ("flip horizontal",),
    # nonnative_pl
    "please delete background from photo of my necklace": ("cut out",),
    "do effect of cinema": ("tone cinematic",),
    "background must be red and size three times bigger": ("background red; enlarge 3",),
    # elderly
    "I'd be most grateful if the background were changed to a sunset, as in our honeymoon pictures": (
        "background sunset",
    ),
    "Would you please put a pair of reading glasses on me, I forgot mine when the picture was taken": ("wear glasses",),
    "Please cut the picture to four by three, it must fit the frame on my mantelpiece": ("crop 4:3",),
    "Good afternoon. Could this be made to look like an oil painting, with a wreath of flowers upon her head? Many thanks.": (  # noqa: E501
        "style oil; wear flower_crown",
    ),
    "If you would, kindly make it a little cosier, as though we were sitting by the fire": (
        "tone cosy",
        "tone cozy",
        "tone warmer",
    ),
    "My eyes are not what they were, so please make the picture rather brighter and with stronger contrast.": (
        "tone brighter; tone more_contrast",
    ),
    "I should be glad of a plain lavender background behind the dear cat.": ("background lavender",),
    "Do please remove that cluttered background for me, my dear": ("cut out",),
    'Could the sky be a pretty sunset, and might you write "Golden Years" at the bottom in white?': (
        'sky sunset; write "Golden Years" bottom white',
    ),
    # ecom
    "delete the scratch on the left armrest": (),
    "show the bag from behind": (),
    "have a woman wear this necklace": (),
    "brighter, also add our barcode sticker to the box": (),
    "what's the best background colour for selling shoes": (),
    "iron the wrinkles out of this shirt": (),
    "shorten the sleeves a bit": (),
    "black background on a completely white backdrop": (),
    "place the tent in a pine forest": (),
    # office
    "Put a tie on me, the long kind": (),
    "Make Sandra stand next to the director": (),
    "Transparent background and close his mouth": (),
    "replace my hoodie by a suit jacket": (),
    "Translate the text in the photo into English": (),
    "Read me the name written on the badge": (),
    "crop it square, just don't cut anything off the sides or top": (),
    "Make a bar chart out of this": (),
    # messenger
    "lose the beard lol": (),
    "give me abs": (),
    "send bg 2 mum": (),
    "paris eiffel tower behind us plz": (),
    "sunglasses off, crown on": (),
    "is this a hat or a crown": (),
    "no filter no changes just leave it": (),
    # nonnative_de
    "Please make the cloudy mood of my husband better": (),
    # nonnative_it
    "make that I am sitting and not standing": (),
    # nonnative_in
    "kindly remove the dark circles below my eyes": (),
    # nonnative_br
    "take the ex of the photo, he is in the right": (),
    # nonnative_pl
    "give to the cat a second tail": (),
    # elderly
    "I should like the wind to blow the other way, so that my hair lies flat, if you please.": (),
}
