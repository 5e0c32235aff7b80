"""Prompts that are next to what the studio can do, and are not it: each must be refused.

Written against the readings that forgive most: word order, asides, remarks, reasons, long lists of names.
"""

from __future__ import annotations

from typing import Final

_TEXT: Final = """
# what is there, taken for what is wanted
remove the hat | take the hat off | take his crown off | get the sunglasses off her | lose the glasses
hat gone please | drop the moustache from his face
make his hat red | make the crown bigger | turn the crown into a hat | move the hat to the left
swap his glasses for sunglasses | the hat should be blue
he is wearing a hat | she wears sunglasses | my dog has a bow tie | there is a crown on the table
is she wearing glasses? | why is he wearing a hat
give the statue's shadow a hat | put a hat on the cat | give my dog sunglasses
a crown for the queen and a hat for the cat | sunglasses on the horse | put a bow tie on the bottle
make the cat wear the background | put the background on the cat | hide the man behind the background
wear the sunset | add the background to her hat
put the hat behind her | put sunglasses in her hand | let him hold the crown | throw the hat away
put the hat on the chair | add a hat to the background
# negations and bounds
don't blur the background | do not touch the background | never make it black and white | leave the background alone
keep the background | no blur please | without a vignette
anything but black and white | not a sunset | no hat please | I don't want a white background | please don't crop it
don't add snow | no snow | no rain please | stop the rain
make it brighter but only on the left | brighten only his face | black and white except her dress
blur everything except the hands
make the background white except behind the chair | remove the background but keep the shadow
keep the background and remove the background | sharpen only the eyes
if it is dark make it brighter | unless it is white make the background white
make it brighter if needed and add a dragon | white or black background | a sunset or a beach
# other things in the picture
remove the people in the background | remove the man behind me | delete the car behind her | blur the man behind me
blur the sign in the background | erase the tree in the back
blur the license plate | blur the child's face | blur his hands | sharpen her eyes | sharpen the text on the sign
brighten her teeth | whiten the wall | darken his hair
make the car red | turn the sofa green | make her dress blue | change the shirt to white | paint the house yellow
make the grass greener | turn the leaves orange | make the water bluer
make the dog bigger | make the product smaller | rotate the bottle | flip the dog around
mirror the text on the shirt | straighten her tie | straighten his hair | straighten the picture on the wall
crop out the man on the left | crop the dog's tail | zoom out | extend her arms | extend the dress
enlarge his eyes | enlarge the logo | stretch his legs
remove the reflection | remove the glare | remove the shadow on the wall | remove the watermark | remove the text
delete the date in the corner | remove the border | take away the frame
remove the rain | remove the fog | remove the snow from the roof | remove the stars | remove the sunset
take out the clouds | remove the sky | remove the moustache
# new things
add a dragon | add a dog next to me | put a rainbow in the sky | add birds to the sky | add a moon
add a car in the background | put balloons behind her | add fire to the background
change the background to a forest | change the background to Paris | put me in a library | background: office
a brick wall behind me | put us in space | put me on a horse | stand me next to a lion
change the sky to purple | make the sky green | put a plane in the sky | sunset with palm trees | beach with people
starry sky with a comet | mountains with a castle | studio with plants
add a tattoo | give her long hair | add earrings | add a scarf | put a tie on him | put a mask on her face
add wings | give him a sword | add lipstick | add a nose ring
write hello on the wall | put my logo in the corner | write a poem | change the text to "SALE"
translate "hello" to French | remove the word "SALE" | replace "A" with "B" | put "hi" in his mouth
# people and time
make him smile | make her look younger | make me thinner | open my eyes | close his mouth | turn her head
make me taller | give him muscles | make her nude | make me look like a king
make it summer | turn day into night | change the season | turn winter into spring | make the lights go on
turn off the lamp | light the candles | make the candle glow
# styles and makers
in the style of Van Gogh | like a Picasso | make it anime | pixar style | make it look like a Rembrandt oil painting
a watercolour by Turner | ghibli watercolour | cyberpunk city
make it look like a movie poster | make a collage | make a comic page with speech bubbles | turn it into a video
make it 3d | make a meme | make a statue of him
a painting of a dragon | a sketch of a castle | a drawing of a dog | a cartoon dragon | draw a sunset
generate a beach | create a mountain landscape from scratch
# asides that are none
make it brighter for the dragon | white background and a dragon because it is fun
make it warmer, then add a dragon | because it is dark add a dragon | sharpen it so he looks younger
blur the background so that only the dog is in colour | make it brighter so her hair is blonde
remove the background for a forest | swap the background for a poster | change the background for a calendar
I want a dragon, make it warmer | there should be a dragon and make it brighter | my dog needs a hat
the cat wants a crown | our client wants a dragon | white background, I need a dragon on it
make it warmer, he must smile | add snow, the man should vanish | crop it square and she has to smile
it's for my dragon | dragon: make it warm and add wings | I took this in Rome, put us in Paris
pretend there is a dragon | imagine a castle behind us | picture me on the moon | think of it as a poster
make it look the way Van Gogh would | as if we were on the moon
# contradictions and fragments
black background on a white backdrop | a white background that is black | brighter and darker | warmer and cooler
crop 16:9 and crop 1:1 | rotate left and rotate right | sepia and black and white cartoon watercolour
a bit | more | less | the background | the sky | white | red | hat off | bigger | smaller | better | make it | do it
change it | again | undo | help | please | thanks | a sunset or not
change | make it more | less of it | add it | remove | put it there | the other one | as before | like the last one
same again but different | fix | improve | more please | up | down
# questions
is the background white? | can you see the hat? | what colour is the sky? | can a background be blurred too much?
which hat suits me? | should I crop it? | who is wearing the crown? | is it blurry?
why is it so dark? | when was this taken? | does a white background look better? | do you like sunsets?
how many people are there? | was it raining? | what is a vignette? | isn't it too dark?
# remarks, and what `it` is after them
the dog in the snow | a hat like the one in the photo | noise is loud | she has horns | the crown jewels
his beard is long | is it foggy | get the dog out of the photo
get the man out | get the hat out of here | with a dragon | sunset with a dragon | cartoon with a hat for the dog
black and white with the dog in colour | vintage with my logo
the horizon is far away | make the horizon higher | flip the photo so my dragon is on the left
crop it so he is gone | rotate so she stands | mirror only the left half
remove the shadow behind the bottle | put flowers behind my corgi | put a snowy owl behind me
put a foggy car behind her | make the dog snowy | a rainy dog | snow white and the seven dwarfs | pop the balloon
put a pirate on the boat | make him a pirate | turn me into a witch | make my son a king with a throne
dress him as a cowboy | add a cowboy | put santa next to me | a clown behind me
my client wants a dog | the king needs his castle | she wants to be blonde | he wants a smile | this needs a cat
it needs more cats | it wants feeding
I sell dragons, add one | I love this, give me more of it | we were at the beach, put us at the office
this is my dog, make him smile | thanks for the hat, now add a scarf
the back of the car is dirty, clean it | the wall is cracked, repair it | his teeth are yellow, make them white
the lamp is too bright, dim it | the shirt is dark, brighten it
# casts, swaps, opposites, labels, phones, stops: near them
there's a red car, warmer | there's a blue dragon | there's a blue cast on his arm, remove it
exchange the dog with a cat | exchange red with my dog | trade hats with him
make everything colourful and black and white and sepia | black and white and more vivid | sepia but black and white
make it grainy and remove the noise | colourful and black and white | background colourful, make it black and white
draw 2 dragons 4 me | 2 hats 4 us | 4 horses 4 my son | add 🐉 | background 🏖️ | add a hat and 🐉 | action: dragon
action: fly; scale: 4x | sky: purple dots | scale: 9x | a dragon would match our slides
the wall would match her dress | change the wall to match the sofa | make it match the other photo
heart shaped box 4 me | sketch of a dog on a white background | drawing of a castle on a white background
make the dog on the white background bigger | could the wall be taller? | could the twins be on the wall?
could the dress be pastel pink? | can i get just the room without me
can i get my room without the wall behind the sofa | we wish it was a dragon | I wish he was taller
i wish it was my birthday | may i ask for a dragon to fall upon the scene | may i ask for rain to stop
to see stars in her eyes | stars on her dress | a top hat on the statue behind uncle Bob | put uncle Bob on the moon
top hat on uncle Bob's dog | make uncle Bob smile | remove uncle Bob | halo above the lamp | add a hat like a pirate
make me look like a gentleman | dress me like a king | outpaint a dragon on the left | +0.7 EV on her face
+2 dragons | lift the blacks of the piano | lift them | increase | increase it | crushed cans, lift them
tighter dress | tighter crop of a dragon | clip the dog's fur | clip her nails | free the dog
free the bird from its cage | yeet the dog | drop the dog from the picture | drop the hat | mark it
brand it with our logo | mark the dog with a red dot | the sofa behind me should be white
paint the wall behind me with dots | so a dragon | it's so moody | for these knives | add these knives
stars in the sky above a castle | make the sofa before me white | page scanned, add a dragon
photo taken without flash, remove the man | its sideways hat | the light in the window is awful, fix it
contrast of the dress is very less | pull her hair down | pull the curtain down | tone her arms | bring the lamp down
take the picture down | so the dragon shows | make it brighter so only the dress shows
make it warmer to match her blue dress and add a dragon
# more of them
smooth her skin | smooth the sheets | make it rain money outside | add a late bus | put a smile on my late husband
could i trouble you for a dragon | {"action":"add dragon"} | {"action":"remove the dog"}
mountains in the background instead of the dog | gradient behind the dragon's logo | make it rain outside the window
starry sky above my castle's dragon | rotate; angle: 7 dragons | enlarge; scale: dragon | vignette; strength: dragon
why not add a dragon | might the dog be black? | my dog deserves a bone | if only he was taller
if only the dress was red | i wish there was a dragon | I wish there was more cake | a dragon would look better
the dog would look better without the leash | white would look better | her hair would look better red
the wall would look better in blue | a hat would look better on the cat | it has a blue dragon | I see a green car
i see a green light | he has a red nose | it has a red nose | too much red lipstick | yellow cast on his leg
the cast on his leg is white | she has blue eyes | exchange hats | switch sides | trade places
swap red with a dragon | swap red and her dress | exchange the red dress with blue | swap the man and the woman
swap the faces of red and blue | pull the highlights out of her hair | pull the colours from the flag | lift the box
+1 dragon | two stops to the left | stop | a stop sign | everything else in dragons
the product, everything else on fire | me without the dog | me without the dog behind me | the room behind me on fire
the room behind the door | shoes before the mirror white | the man before the white wall | mark him as a pirate
stamp her face white | brand the cow | drop the moustache | drop his hat | clip his wings | high key and low key
seamless dress | hex the witch | like a boss | crown the king like a boss | it's for the cat only | only for the cat
there's a red hat | there's a crown on her head, sharpen it | change red to blue and blue to red
it has snow | there's a hat
make it less not bright | drop shadow | add a drop shadow | nobody should see my face, make it brighter
# statements, trailing words, skies, shapes: near them
the dog is a cat, make it warmer | make the man a pirate, white background | white background, the dog wears a crown
add stars to her dress | remove the man | put stars on the wall | background with balloons | white background with stars
pink background with stars | make it brighter so the man disappears | crop it to remove the man
crop it so the man is gone | make it warmer like Picasso | oil painting like Van Gogh | a cartoon like the simpsons
add a hat like the one on the statue | the background should be a forest, make it warmer
the background is a forest, make it warmer | there should be a dragon, make it warmer | my eyes are closed, fix that
my eyes are closed and it's too dark, fix it | it's dirty, clean it up | there's a stain on the wall, clean it up
let it snow on my dog's head | let it rain money on my dog | write "hi" on the left side | it's too dark, turn it around
turn it around | only the dog is left out | make the dog transparent | make the glass transparent | crop not to a square
keep the red of the car | change the green areas in the sofa to orange | blur the bg and make it darker | blur not it
blur the background and sharpen it | cut it | make the background blue without the dog | pencil not sketch
blur it to make her look younger | make it pop so she looks younger | I have a dragon tattoo, remove it
my client said the wall must be green, make it brighter | the sky is green, make it warmer
i don't want people in the photo, make it brighter | a tower above the starry sky | tool: eraser | fog on her glasses
"""
NEIGHBOURS: Final = tuple(
    prompt.strip() for line in _TEXT.splitlines() if not line.startswith("#") for prompt in line.split(" | ") if prompt
)
