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
    "PERSON": "grandson, granddaughter, grandchild, little angel, angel, little one, little man, little girl, "
    "little boy, little guy, old man, old lady, young man, young woman, young lady, birthday boy, birthday girl, "
    "mister, missus, hero, poor guy, guy in the photo, person in the photo, person in the picture, woman in the "
    "picture, man in the picture, person, man, woman, girl, boy, guy, lady, me, him, her, his, he, she, myself, "
    "gentleman, dude, kid, child, model, subject, main subject, character, figure, astronaut, grandma, grandpa, "
    "mom, mum, dad, mother, father, friend, wife, husband, son, daughter, baby, brother, sister, bride, groom, "
    "lad, themselves, king, queen, boss, uncle, aunt, auntie, teacher, toddler, teenager, teen, granny, "
    "grandmother, grandfather, nan, nana, nephew, niece, cousin, buddy, mate, colleague, coworker, neighbour, "
    "neighbor, singer, dancer, player, student, worker, employee, ceo, doctor, nurse, chef, actor, actress, "
    "musician, girlfriend, boyfriend, gf, bf, bro, sis, hubby, fiance, kiddo, guys, youngster, infant, princess, "
    "prince, dad's, bloke, chap, gal, roommate, babe, fella, speaker, rider, runner, skater, surfer, driver, "
    "pilot, soldier, policeman, fireman, clown, santa, herself, himself",
    "THING": "cat, dog, animal, pet, product, object, item, puppy, kitten, horse, bird, foreground, people, them, "
    "us, family, couple, main object, car, bottle, shoe, shoes, handbag, bag, backpack, purse, watch, ring, "
    "necklace, earrings, bracelet, jewelry, jewellery, mug, cup, bowl, plate, book, phone, laptop, camera, guitar, "
    "table, desk, stool, couch, dress, shirt, t shirt, tshirt, jacket, hoodie, jeans, boot, boots, trainers, heels, "
    "jar, candle, perfume, pot, flower, flowers, bouquet, tree, fruit, apple, pizza, burger, food, dish, rabbit, "
    "bunny, hamster, parrot, duck, chicken, cow, sheep, goat, pig, fox, bear, lion, tiger, elephant, fish, turtle, "
    "lizard, snake, frog, insect, butterfly, bee, doggo, kitty, pup, pooch, motorcycle, motorbike, scooter, truck, "
    "van, boat, ship, plane, airplane, train, doll, teddy, figurine, sculpture, instrument, violin, piano, ball, "
    "helmet, rucksack, item of clothing, product photo, team, band, group, kids, children, twins, girls, boys, men, "
    "women, ladies, friends, the two of us, both of us, both, sneaker, sneakers, vase, chair, sofa, toy, box, cake, "
    "plant, statue, bike, bicycle, lamp",
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

POLITE: Final = (
    "i need that you, how do i, how can i, how do you, how could i, how to, how would i, i don't know how to, i "
    "dont know how to, please can someone, can someone, can somebody, could someone, could anyone, can anyone, "
    "anyone able to, someone please, somebody please, i need help to, help to, kindly please, dear friend, my "
    "friend, sir please, sir kindly, dear editor, dear team, dear all, would you be so kind as to, be so kind as "
    "to, i should like, i should like to, be a dear and, be a darling and, do me a solid and, any chance you "
    "can, any chance you could, any chance of, is there any chance you could, think you can, think you could, "
    "might you, may you, may i have, may i get, may i ask you to, i kindly ask you to, i kindly request you to, "
    "kindly request, i beg you, would love, would be great, would be nice, it would be great if you could, it "
    "would be nice if you could, it would be nice to have, it would be great to have, need, need to, we'd love, "
    "we'd love to, i'd love to, love, dude please, man please, guys please, please, please to, pls, plz, kindly, "
    "can you please, can you, pretty please, asap, as soon as possible, much appreciated, appreciate it, i "
    "appreciate it, best regards, kind regards, regards, sorry, lol, haha, bro please, thanx, tnx, thankyou, "
    "thank u, many thx, thanks in advance, thanks so much, thank you so much, thx in advance, greetings, good "
    "morning, good evening, good day, dear sir, sir, madam, u, ya, yo, uh, um, hmm, well, actually, basically, "
    "quickly, quick, real quick, pls and thank you, if that is possible, if that's possible, if its possible, if "
    "it is possible, when you can, if you don't mind, i was wondering if you could, i was wondering if you can, "
    "i wonder if you can, could you maybe, is there a way to, are you able to, would you be able to, would you "
    "be so kind to, be so kind and, be so kind to, do me a favor and, do me a favour and, gimme, give me, gonna "
    "need, gotta, wanna, i wish to, i wish, i require, we need to, we want to, i would want, i am wanting, i'm "
    "looking to, i am looking to, i'm trying to, i am trying to, i have to, must, make sure to, make sure you, "
    "you should, you must, your task is to, your job is to, task, request, edit, instruction, kinda, sorta, like "
    "to,  could you please, could you, would you, will you, can u, could u, can i have, can i get, could i have, "
    "could i get, i want you to, i want to, i want it to, i want, i wanna, i need you to, i need to, i need, "
    "needs, i'd like you to, i'd like to, i'd like, id like, i would like you to, i would like to, i would like, "
    "i'd love, let's, lets, just, hey, hi, now, help me, for me, thanks, thank you, thx, ty, cheers, many "
    "thanks, try to, hello, hi there, hello there, hey there, dear, if possible, if you can, if you could, if u "
    "can, would you mind, do you mind, is it possible to, would it be possible to, i think, something like, kind "
    "of, sort of, could, would, can, we need, we want, we would like, we'd like, i would love, i would like to "
    "have, i want to have, go ahead and, simply, ok, okay, how about, what about, maybe, thank you very much, "
    "thanks a lot, inventing no detail"
)
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
    "wite": "white", "whit": "white", "whte": "white", "withe": "white", "blak": "black", "blck": "black",
    "balck": "black", "bule": "blue", "bleu": "blue", "gren": "green", "grean": "green", "yelow": "yellow",
    "pnk": "pink", "mak": "make", "maek": "make", "amke": "make", "mke": "make", "litle": "little", "littel": "little",
    "litl": "little", "trun": "turn", "tunr": "turn", "ad": "add", "addd": "add", "pleae": "please", "pleas": "please",
    "plese": "please", "plase": "please", "pleaze": "please", "pleease": "please", "teh": "the", "thw": "the",
    "tha": "the", "adn": "and", "nad": "and", "wiht": "with", "wth": "with", "taht": "that", "hte": "the",
    "moer": "more", "mroe": "more", "lss": "less", "crwon": "crown", "skay": "sky", "bakc": "back", "foto": "photo",
    "phto": "photo", "poto": "photo", "pciture": "picture", "imge": "image", "iamge": "image",
    "colur": "colour", "collor": "color", "cntrast": "contrast", "sno": "snow", "rian": "rain", "nigth": "night",
    "lite": "light", "ligth": "light", "lihgt": "light", "bakground": "background", "bacground": "background",
}  # fmt: skip
