"""What the invented shop sells indoors. Synthetic; `demo.assortment` explains the format."""

TABLE = """
Home > Kitchen > Knives
  Chef Knife | 35-140 | Damascus steel, carbon steel, stainless steel | | 16 cm, 20 cm | Knife Sharpener, Cutting Board
    chopping herbs, vegetables and meat; the full tang balances the blade in the hand
  Bread Knife | 25-80 | stainless steel, carbon steel | | 22 cm, 25 cm | Cutting Board, Knife Sharpener
    cutting crusty loaves and soft tomatoes alike; wide serrations do not tear the crumb
  Knife Sharpener | 15-60 | ceramic, diamond steel | black, red | | Chef Knife
    bringing dull kitchen blades back to a clean edge; two stages, coarse and fine
Home > Kitchen > Cookware
  Cast Iron Skillet | 30-110 | cast iron, enamelled cast iron | | 24 cm, 28 cm | Spatula Set, Chef Knife
    searing, frying and baking on any hob; ready seasoned and better with every use
  Saucepan | 28-95 | stainless steel, copper, aluminium | | 16 cm, 20 cm | Spatula Set, Cast Iron Skillet
    sauces, porridge and small portions; the lid drains pasta without a sieve
  Cutting Board | 18-70 | oak, walnut, bamboo | | medium, large | Chef Knife
    preparing vegetables, meat and bread; a groove around the edge catches the juice
  Spatula Set | 12-40 | silicone, beech | grey, red, teal | | Cast Iron Skillet
    turning, scraping and folding in any pan; heat proof and gentle to coatings
Home > Kitchen > Coffee
  Espresso Maker | 30-180 | stainless steel, aluminium | | 3 cups, 6 cups | Coffee Grinder, Espresso Cups
    strong coffee on the stove in five minutes; works on gas, ceramic and induction hobs
  Coffee Grinder | 35-160 | steel, ceramic | black, white | | Espresso Maker, Pour Over Dripper
    fresh grounds from coarse to espresso fine; the burrs keep aroma and stay cool
  Pour Over Dripper | 15-55 | ceramic, glass | white, black, sand | | Paper Coffee Filters, Coffee Grinder
    clear filter coffee by hand; spiral ribs let the water flow evenly
  Paper Coffee Filters | 4-12 | unbleached paper | | 40 pieces, 100 pieces | Pour Over Dripper
    filter coffee without sediment; folds stay shut and taste of nothing
  Espresso Cups | 18-60 | porcelain, stoneware | white, ocean blue, sand | | Espresso Maker
    espresso and ristretto that stay hot; thick walls and a round handle
Home > Bedroom > Bedding
  Duvet Cover | 39-150 | cotton percale, linen, organic cotton | white, sage, terracotta | | Fitted Sheet, Pillow
    cool, smooth sleep the whole year; hidden buttons and inside ties keep the duvet in place
  Fitted Sheet | 19-70 | cotton percale, linen, jersey | white, sand, grey | | Duvet Cover
    mattresses up to thirty centimetres; the elastic runs all the way round
  Pillow | 25-95 | down, memory foam, wool | | soft, firm | Duvet Cover, Fitted Sheet
    side, back and stomach sleepers; the cover zips off and can be washed
Home > Bedroom > Lighting
  Bedside Lamp | 29-120 | brass, oak, ceramic | | small, tall | Light Bulb
    reading in bed without waking anyone; the dimmer remembers its last setting
  Light Bulb | 5-19 | glass | | warm white, neutral white | Bedside Lamp
    lamps with an E27 socket; dimmable and flicker free
Electronics > Audio > Headphones
  Wireless Headphones | 59-290 | recycled plastic, aluminium | black, white, navy | | Headphone Case, USB-C Cable
    music and calls on trains and in open offices; noise cancelling and thirty hours of battery
  Wireless Earbuds | 39-190 | recycled plastic | black, white, mint | | Headphone Case, USB-C Charger
    running, commuting and quick calls; the case charges them four times
  Headphone Case | 12-35 | felt, vegan leather | grey, black | | Wireless Headphones
    headphones in a full backpack; a stiff shell and a pocket for the cable
Electronics > Audio > Speakers
  Portable Speaker | 35-180 | recycled plastic, aluminium | black, coral, forest green | | USB-C Cable
    picnics, bathrooms and balconies; waterproof and loud for its size
  Bookshelf Speakers | 120-420 | walnut, oak | | compact, full size | Speaker Cable
    stereo sound in living rooms; wooden cabinets with a silk dome tweeter
  Speaker Cable | 9-35 | oxygen-free copper | | 3 m, 5 m | Bookshelf Speakers
    connecting amplifier and speakers; plugs are already mounted
Electronics > Phones > Charging
  USB-C Charger | 15-60 | recycled plastic | black, white | 30 W, 65 W | USB-C Cable
    phones, tablets and most laptops; small enough for every pocket
  USB-C Cable | 8-25 | braided nylon | black, red, white | | USB-C Charger
    fast charging and data; the braid survives years of bending
  Power Bank | 25-90 | aluminium, recycled plastic | black, silver | | USB-C Cable, Phone Case
    two to five phone charges on the way; shows what is left in percent
  Phone Case | 12-45 | silicone, vegan leather, cork | black, sage, navy | | Power Bank, Screen Protector
    phones that fall now and then; raised edges guard the camera
  Screen Protector | 8-22 | tempered glass | | standard, privacy | Phone Case
    displays without scratches; the frame aligns it without bubbles
Office > Desk > Furniture
  Standing Desk | 249-690 | oak, bamboo, laminate | | 120 cm, 160 cm | Desk Chair, Monitor Arm
    working seated and standing; the motor is quiet and remembers four heights
  Desk Chair | 129-480 | mesh, wool felt | black, grey, teal | | Standing Desk
    long days at the desk; back, arms and seat adjust without tools
  Monitor Arm | 45-160 | aluminium | black, silver | | Standing Desk, Laptop Stand
    screens up to thirty-two inches; frees the desk and moves with one finger
  Desk Lamp | 25-110 | aluminium, steel | black, white, mustard | | Standing Desk
    even light on paper and keyboard; three tones of white and a dimmer
Office > Desk > Computing
  Mechanical Keyboard | 69-190 | aluminium, recycled plastic | | compact, full size | Wireless Mouse, Desk Mat
    typing all day; tactile switches that can be changed without soldering
  Wireless Mouse | 19-90 | recycled plastic | black, white, sage | | Mechanical Keyboard, Desk Mat
    precise work on any surface; one charge lasts for months
  Laptop Stand | 25-80 | aluminium, bamboo | | foldable, fixed | Mechanical Keyboard
    laptops at eye height; air flows underneath
  Desk Mat | 15-55 | wool felt, cork, vegan leather | grey, black | | Mechanical Keyboard
    a calm surface for mouse and keyboard; does not slip and wipes clean
Office > Paper > Stationery
  Notebook | 8-28 | recycled paper, stone paper | | dotted, ruled | Fountain Pen, Pencil Case
    notes, sketches and lists; lies flat and takes fountain pen ink
  Fountain Pen | 18-120 | steel, brass, resin | black, navy, burgundy | | Ink Bottle, Notebook
    writing that feels like writing; an iridium nib in three widths
  Ink Bottle | 7-22 | glass | blue black, emerald, violet | | Fountain Pen
    fountain pens of every make; dries fast and does not bleed
  Pencil Case | 9-30 | canvas, vegan leather | navy, sand | | Notebook
    pens, ruler and eraser in one place; stands open on the desk
"""
