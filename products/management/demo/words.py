"""The demo's categories, and the words for names and descriptions."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Leaf:
    """A category with products."""

    path: tuple[str, ...]  # its ancestors' names and its own
    nouns: tuple[str, ...]
    prices: tuple[int, int]  # the lowest and the highest, in whole units of the shop's currency
    shape: str  # the name of a line of shapes.txt
    features: tuple[str, ...]  # for descriptions


def listed(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


def leaf(path: str, nouns: str, low: int, high: int, shape: str, features: str) -> Leaf:
    return Leaf(tuple(path.split("/")), listed(nouns), (low, high), shape, listed(features))


WEAR = "Machine washable at 30 °C|Cut for easy movement|Finished with flat seams|Keeps its colour for years"
FOOT = "A cushioned sole|A rubber sole with grip|A lining that breathes|A reinforced heel"
AUDIO = "Up to 30 hours on one charge|Pairs in a second|Charges by USB-C|Software updates for five years"
DESK = "Runs quietly|A matt finish without reflections|A housing of recycled aluminium|Wakes at once"
COOK = "Dishwasher safe|For every hob, induction too|A handle that stays cool|Made to last for decades"
ROOM = "Set up in ten minutes|Felt pads against scratches|Made of certified wood|Fits small rooms too"
OUT = "Waterproof to 3,000 mm|Light enough for long days|Packs small into its own bag|Taped seams"
RIDE = "Tested to the European norm|Adjusts without tools|Light and robust|Spare parts for ten years"
PLAY = "Stitched seams|Approved for matches|For grass, hall and street|Made for daily training"
READ = "With colour plates|A ribbon marks the page|Printed on recycled paper|Now in a revised edition"
KIDS = "For children from three years|Free of plasticisers|Packed without plastic|For two to five players"
GROW = "Needs little water|For balcony and window sill|Hardy to -10 °C|Comes with a guide for its care"

LEAVES = [
    leaf("Clothing/Women/Dresses", "Dress|Wrap Dress|Summer Dress|Shirt Dress", 35, 180, "dress", WEAR),
    leaf("Clothing/Women/Blouses", "Blouse|Linen Blouse|Tunic", 25, 110, "top", WEAR),
    leaf("Clothing/Women/Coats", "Coat|Wool Coat|Trench Coat|Parka", 90, 420, "coat", WEAR),
    leaf("Clothing/Men/Shirts", "Shirt|Oxford Shirt|Flannel Shirt", 25, 120, "top", WEAR),
    leaf("Clothing/Men/Jackets", "Jacket|Bomber Jacket|Field Jacket", 60, 340, "coat", WEAR),
    leaf("Clothing/Men/Trousers", "Chinos|Jeans|Cargo Trousers", 35, 140, "trousers", WEAR),
    leaf("Clothing/Accessories/Handbags", "Handbag|Tote Bag|Shoulder Bag", 40, 380, "bag", WEAR),
    leaf("Clothing/Accessories/Watches", "Watch|Diver's Watch|Chronograph", 49, 690, "watch", RIDE),
    leaf("Clothing/Accessories/Sunglasses", "Sunglasses|Aviator Sunglasses", 19, 190, "glasses", RIDE),
    leaf("Shoes/Running/Road Running Shoes", "Running Shoe|Road Runner|Racing Flat", 70, 220, "shoe", FOOT),
    leaf("Shoes/Running/Trail Running Shoes", "Trail Shoe|Trail Runner|Fell Shoe", 80, 210, "shoe", FOOT),
    leaf("Shoes/Everyday/Sneakers", "Sneaker|Canvas Sneaker|Low Top", 45, 160, "shoe", FOOT),
    leaf("Shoes/Everyday/Boots", "Boot|Chelsea Boot|Ankle Boot|Winter Boot", 80, 290, "boot", FOOT),
    leaf(
        "Electronics/Audio/Headphones", "Headphones|Wireless Headphones|Studio Headphones", 29, 399, "headphones", AUDIO
    ),
    leaf("Electronics/Audio/Speakers", "Speaker|Bluetooth Speaker|Bookshelf Speaker", 25, 549, "speaker", AUDIO),
    leaf("Electronics/Computers/Laptops", "Laptop|Notebook|Ultrabook", 449, 2499, "laptop", DESK),
    leaf("Electronics/Computers/Monitors", "Monitor|Curved Monitor|4K Monitor", 119, 899, "monitor", DESK),
    leaf("Electronics/Computers/Keyboards", "Keyboard|Mechanical Keyboard|Compact Keyboard", 25, 219, "keyboard", DESK),
    leaf("Electronics/Phones and Cameras/Smartphones", "Smartphone|Phone", 149, 1299, "phone", AUDIO),
    leaf("Electronics/Phones and Cameras/Cameras", "Camera|System Camera|Compact Camera", 199, 2299, "camera", AUDIO),
    leaf("Home/Kitchen/Pans", "Frying Pan|Sauté Pan|Cast-iron Pan", 19, 189, "pan", COOK),
    leaf("Home/Kitchen/Kettles", "Kettle|Gooseneck Kettle|Tea Kettle", 25, 149, "kettle", COOK),
    leaf("Home/Kitchen/Mugs", "Mug|Espresso Cup|Stoneware Mug", 6, 34, "mug", COOK),
    leaf("Home/Kitchen/Knives", "Chef's Knife|Bread Knife|Paring Knife", 12, 240, "knife", COOK),
    leaf("Home/Living Room/Lamps", "Table Lamp|Desk Lamp|Reading Lamp", 25, 290, "lamp", ROOM),
    leaf("Home/Living Room/Armchairs", "Armchair|Lounge Chair|Reading Chair", 120, 990, "chair", ROOM),
    leaf("Home/Living Room/Cushions", "Cushion|Velvet Cushion|Floor Cushion", 12, 69, "cushion", ROOM),
    leaf("Sports/Camping/Tents", "Tent|Dome Tent|Trekking Tent", 89, 790, "tent", OUT),
    leaf("Sports/Camping/Rucksacks", "Rucksack|Daypack|Trekking Pack", 39, 290, "rucksack", OUT),
    leaf("Sports/Camping/Flasks", "Flask|Vacuum Bottle|Drinking Bottle", 14, 59, "bottle", OUT),
    leaf("Sports/Cycling/Bicycles", "City Bike|Gravel Bike|Trekking Bike", 390, 2990, "bicycle", RIDE),
    leaf("Sports/Cycling/Helmets", "Helmet|Road Helmet|Commuter Helmet", 35, 240, "helmet", RIDE),
    leaf("Sports/Ball Games/Footballs", "Football|Match Ball|Training Ball", 15, 139, "ball", PLAY),
    leaf("Sports/Ball Games/Rackets", "Tennis Racket|Badminton Racket|Squash Racket", 25, 249, "racket", PLAY),
    leaf("Books and Toys/Books/Novels", "A Novel|Collected Stories|The Illustrated Edition", 8, 32, "book", READ),
    leaf("Books and Toys/Books/Cookbooks", "The Cookbook|Recipes for Every Day|The Baking Book", 14, 48, "book", READ),
    leaf("Books and Toys/Books/Travel Guides", "Travel Guide|Walking Guide|City Guide", 12, 29, "book", READ),
    leaf("Books and Toys/Toys/Board Games", "Board Game|Strategy Game|Card Game", 9, 69, "box", KIDS),
    leaf("Books and Toys/Toys/Building Sets", "Building Set|Wooden Blocks|Marble Run", 15, 149, "blocks", KIDS),
    leaf("Garden/Growing/Plants", "Fern|Olive Tree|Lavender|Monstera", 7, 89, "plant", GROW),
    leaf("Garden/Growing/Planters", "Planter|Terracotta Pot|Window Box", 9, 119, "plant", GROW),
]

BRANDS = listed(
    "Aldermoor|Birkwald|Bräuer & Sohn|Calder|Corvane|Dunlin|Eastmarch|Eldra|Fennick|Fjordlys|"
    "Garrow|Halden|Harbour & Pine|Iverna|Jasper Lane|Juniper|Kestrel|Kintaro|Larkfield|Linnea|"
    "Lumière|Marlow|Merrow|Montara|Nordhavn|Northgate|Oakhurst|Orsini|Pellworm|Petrel|Quillon|"
    "Redfern|Rosenthaler|Sablé|Salvora|Sora|Stonebridge|Sundqvist|Tallis|Tamarack|Thistle & Co|"
    "Umbra Nova|Vantage|Veldhoen|Verano|Wexford|Whitlock|Winterbourne|Yarrow|Zephyr"
)
LINES = listed(
    "Alba|Arden|Aster|Atlas|Aura|Beacon|Bergen|Breeze|Cairn|Cedar|Cirrus|Clover|Comet|Coral|"
    "Crest|Dawn|Delta|Drift|Echo|Elm|Ember|Fable|Fern|Flint|Gale|Glade|Harvest|Haze|Heron|"
    "Indigo|Iris|Isla|Jade|Juno|Kite|Lagoon|Lark|Linden|Lotus|Lumen|Maple|Meadow|Mira|"
    "Mistral|Moss|Nimbus|Nova|Oasis|Onyx|Opal|Orbit|Orchard|Pebble|Pioneer|Polar|Prairie|"
    "Quartz|Raven|Reef|Ridge|River|Rowan|Sable|Saga|Sierra|Solstice|Sparrow|Summit|Tern|"
    "Tide|Timber|Trove|Tundra|Vale|Vega|Vesper|Willow|Zenith"
)
QUALITIES = listed(
    "Classic|Compact|Comfort|Essential|Heritage|Light|Lite|Original|Plus|Premium|Pro|Select|Signature|Slim|Sport|Studio"
)
# The name of a colour -> its RGB value in pictures.
COLOURS: dict[str, tuple[int, int, int]] = {
    "Black": (44, 44, 50),
    "Ivory": (228, 219, 200),
    "Navy": (38, 58, 104),
    "Sky Blue": (112, 168, 212),
    "Forest Green": (46, 98, 70),
    "Sage": (150, 172, 142),
    "Brick Red": (172, 62, 50),
    "Coral": (232, 122, 102),
    "Mustard": (216, 164, 52),
    "Sand": (202, 176, 136),
    "Plum": (112, 62, 102),
    "Slate Grey": (104, 116, 128),
    "Copper": (178, 108, 72),
    "Teal": (40, 128, 130),
}
OPENINGS = (
    "The {line} from {brand}, a favourite of our customers.",
    "{brand} designed the {line} for every day.",
    "{noun} in {colour}, from the {line} series by {brand}.",
    "New in the {line} series: simple, well made, and in {colour}.",
    "An old friend, thought through once more: the {line} by {brand}.",
)
CLOSINGS = (
    "Ships within two working days.",
    "Delivered in a box of recycled cardboard.",
    "Thirty days to try it at home.",
    "Every piece is checked by hand before it leaves the workshop.",
    "With a guarantee of {years} years.",
)
