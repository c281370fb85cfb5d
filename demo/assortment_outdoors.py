"""What the invented shop sells for outdoors, wear and play. Synthetic; `demo.assortment` explains the format."""

TABLE = """
Garden > Growing > Tools
  Hand Trowel | 9-35 | stainless steel, carbon steel | | narrow, wide | Garden Gloves, Seed Starter Tray
    planting and potting; the ash handle fits small and large hands
  Pruning Shears | 15-75 | carbon steel, stainless steel | | small, large | Garden Gloves
    clean cuts through green and dry wood; blades come apart for sharpening
  Garden Gloves | 7-25 | goat leather, bamboo fibre | | S, M, L | Pruning Shears
    roses, nettles and wet soil; close fitting, so fingers can still feel
Garden > Growing > Seeds
  Herb Seed Set | 8-24 | organic seed | | 6 herbs, 12 herbs | Seed Starter Tray, Hand Trowel
    basil, thyme and dill on a window sill; open pollinated and tested for sprouting
  Seed Starter Tray | 9-30 | recycled plastic, coconut fibre | | 12 cells, 24 cells | Herb Seed Set
    strong seedlings in early spring; the lid keeps warmth and moisture
  Plant Pot | 8-60 | terracotta, glazed stoneware | sand, white, moss | | Watering Can
    house plants and balcony herbs; comes with its saucer
  Watering Can | 14-60 | galvanised steel, recycled plastic | green, grey, mustard | | Plant Pot
    gentle watering of seedlings and pots; the rose comes off for a clear jet
Garden > Terrace > Grilling
  Charcoal Grill | 69-320 | enamelled steel, cast iron | | 47 cm, 57 cm | Grill Tongs, Charcoal Starter
    summer evenings with friends; the lid turns it into an oven
  Grill Tongs | 12-35 | stainless steel, acacia | | 35 cm, 45 cm | Charcoal Grill
    turning meat and vegetables far from the heat; locks shut with one hand
  Charcoal Starter | 15-40 | galvanised steel | | standard, large | Charcoal Grill
    glowing coals in fifteen minutes without lighter fluid; wooden handle and heat shield
Outdoor > Camping > Shelter
  Trekking Tent | 119-520 | ripstop nylon, polyester | | 1 person, 2 persons | Sleeping Bag, Sleeping Mat
    long walks in any weather; up in five minutes and dry at the seams
  Sleeping Bag | 59-340 | down, recycled fibre | | regular, long | Sleeping Mat, Trekking Tent
    nights from early spring to late autumn; packs to the size of a loaf
  Sleeping Mat | 35-160 | recycled polyester, closed-cell foam | | regular, wide | Sleeping Bag
    warm and level sleep on stony ground; blows up in a minute
Outdoor > Camping > Cooking
  Camping Stove | 29-140 | aluminium, titanium | | solo, duo | Gas Cartridge, Camping Pot
    hot meals far from any kitchen; boils half a litre in two minutes
  Gas Cartridge | 5-14 | steel | | 230 g, 450 g | Camping Stove
    camping stoves with a screw valve; burns well in the cold
  Camping Pot | 19-75 | aluminium, titanium | | 0.9 l, 1.6 l | Camping Stove
    cooking and eating from one pot; the handle folds and the lid strains
  Headlamp | 19-90 | recycled plastic, aluminium | black, orange | | Trekking Tent
    hands-free light for camp and trail; red light spares the eyes of others
Outdoor > Hiking > Packs
  Hiking Backpack | 59-240 | ripstop nylon, polyester | moss, navy | 30 l, 50 l | Water Bottle, Trekking Poles
    day trips and hut tours; the back frame keeps air between pack and shirt
  Trekking Poles | 35-150 | aluminium, carbon fibre | | foldable, telescopic | Hiking Backpack
    steep paths and heavy packs; cork grips stay dry
  Water Bottle | 12-40 | stainless steel, recycled plastic | steel, orange, ocean blue | | Hiking Backpack
    cold water all day and hot tea in winter; does not leak and fits every side pocket
Sports > Running > Shoes
  Running Shoes | 69-190 | recycled mesh, knit | black, coral, lime | 40, 42, 44 | Running Socks, Sports Watch
    roads and park paths; a soft heel and a lively forefoot
  Trail Running Shoes | 85-210 | recycled mesh, ripstop nylon | | 40, 42, 44 | Running Socks, Running Vest
    mud, roots and rock; deep lugs and a plate against sharp stones
  Running Socks | 8-25 | merino wool, recycled polyester | | S, M, L | Running Shoes
    long runs without blisters; seamless toes and padded heels
Sports > Running > Gear
  Running Vest | 39-140 | recycled mesh, ripstop nylon | | S, M | Trail Running Shoes
    water and layers on long runs; nothing bounces, two soft flasks included
  Sports Watch | 89-380 | recycled plastic, titanium | black, white | | Running Shoes
    pace, distance and heart rate; two weeks on one charge
Sports > Fitness > Training
  Yoga Mat | 19-110 | natural rubber, cork | sage, plum, grey | | Yoga Block
    yoga and stretching at home; grips when wet and rolls out flat
  Yoga Block | 8-28 | cork, recycled foam | | single, pair | Yoga Mat
    reaching the floor with a straight back; firm with rounded edges
  Kettlebell | 25-95 | cast iron | | 8 kg, 12 kg, 16 kg | Yoga Mat, Resistance Bands
    strength training in two square metres; a smooth handle for two hands
  Resistance Bands | 9-35 | natural rubber | | light to medium, medium to strong | Kettlebell
    warming up, rehab and travel workouts; five strengths in a bag
Fashion > Women > Outerwear
  Rain Jacket | 69-260 | recycled polyester, waxed cotton | mustard, navy, moss | S, M, L | Merino Beanie
    city rain and wet hikes; taped seams and a hood that turns with the head
  Wool Coat | 119-390 | wool, recycled wool | camel, charcoal | S, M, L | Knitted Scarf, Leather Gloves
    cold mornings and evening walks; lined, with an inside pocket
Fashion > Men > Shirts
  Linen Shirt | 39-120 | linen, linen and cotton | white, sky blue, sage | M, L | Chino Trousers
    warm days in town and by the sea; softens with every wash
  Chino Trousers | 45-130 | organic cotton | sand, navy, olive | M, L | Linen Shirt, Leather Belt
    office and weekend; a little stretch and deep pockets
Fashion > Accessories > Winter
  Knitted Scarf | 25-95 | merino wool, recycled wool | charcoal, mustard, burgundy | | Merino Beanie, Wool Coat
    windy days; wide enough to be a blanket on the train
  Merino Beanie | 18-50 | merino wool | black, moss, rust | | Knitted Scarf
    cold ears on bike and trail; does not itch
  Leather Gloves | 29-110 | goat leather, vegan leather | black, brown | | Wool Coat
    cold hands that still use a phone; lined with wool
Fashion > Accessories > Belts
  Leather Belt | 25-80 | full-grain leather, vegan leather | black, brown | | Chino Trousers
    jeans and chinos; the buckle is solid brass
Toys > Building > Bricks
  Wooden Building Blocks | 19-80 | beech, maple | | 50 pieces, 100 pieces | Wooden Train Set
    towers, bridges and first letters; edges are rounded and colours are food safe
  Wooden Train Set | 29-120 | beech | | starter, large | Train Track Extension, Wooden Building Blocks
    journeys across the living room floor; fits tracks of other makes
  Train Track Extension | 12-45 | beech | | curves, switches | Wooden Train Set
    longer lines and new stations; fits tracks of other makes
Toys > Games > Board Games
  Strategy Board Game | 25-75 | cardboard, wood | | 2 to 4 players, 3 to 6 players | Card Sleeves, Party Card Game
    long evenings for people who like to plan; no two rounds are the same
  Party Card Game | 9-28 | recycled cardboard | | classic, travel edition | Card Sleeves
    laughing with friends and family; explained in two minutes
  Card Sleeves | 5-14 | clear film | | standard, large | Strategy Board Game
    cards that should last; shuffle well and do not shine
  Jigsaw Puzzle | 12-40 | recycled cardboard | | 500 pieces, 1000 pieces | Strategy Board Game
    rainy weekends; pieces are thick and fit only where they belong
"""
