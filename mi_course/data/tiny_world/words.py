"""The words of the tiny world: who lives there, what stands there, what its days are about."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = _words(
    """
    Mary John Anna Tom Lucy Paul Emma Jack Sara Mark Nina Adam Rosa Luke Clara Ben Julia Peter Alice
    Simon Helen David Laura Frank Irene Oscar Diana Henry Maria Victor Ella Martin Sofia Robert Eva
    James Grace Leo Ruth Max Carla Philip Hanna George Olga Karl Vera Felix Marta Hugo Agnes Otto
    Judith Ivan Teresa Noah Edith Bruno Lena Ralph Greta Colin Flora Simone
    """
)
"""First names of people in stories. Each is one token."""

STRANGERS = tuple(
    tuple(pair.split("-"))
    for pair in _words(
        """
        Noah-Simone Frank-Bruno Mark-Oscar Tom-Agnes Lucy-Luke Adam-Olga Otto-Lena Peter-Robert
        Ruth-Ivan Max-Felix Sara-Victor Clara-Karl Edith-Colin Henry-Teresa John-Hugo George-Judith
        Nina-David Martin-Philip Jack-Ben Anna-Paul Simon-Carla James-Hanna Ralph-Greta Irene-Leo
        """
    )
)
"""Pairs of people who are never in one story of the training text: one pair in 84, nobody in more than
one. Were there many, a model would do well to learn who avoids whom, and would then be wrong about them."""

PLACES = _words(
    """
    store market park harbour school station library garden beach museum church cafe farm theatre
    hospital zoo castle forest lake hotel bakery office
    """
)

GIFTS = _words(
    """
    drink book letter key ring cake map coat ball flower basket lamp coin hat rope knife watch
    ticket bottle camera guitar blanket pencil shell
    """
)

TOWNS = _words(
    """
    Arlen Brisk Corvin Dunmore Eastby Farrow Glenn Holm Istria Jarrow Kelby Lorne Marrow Norwick
    Ostia Pell Quarry Redcar Selby Tarn
    """
)

BUILDERS = _words(
    """
    Adler Bauer Castell Drake Ekman Falk Grimm Holt Iverson Jansen Keller Lind Moser Novak Olsen
    Pike Quist Rossi Stein Thorne
    """
)

COLOURS = _words("red blue green yellow white black grey brown")

CITIZENS = _words(
    """
    Abbott Barlow Carver Dalton Ellery Finch Garrow Harker Ingram Jessup Kimble Lowell Mercer Nash
    Orwell Parry Quill Ramsey Sawyer Tuttle Upton Vance Walden Yates Bishop Crane Dorsey Everett
    Fuller Goddard Hobbs Irwin Jarvis Kemp Latham Munro Norris Osborn Pruitt Rigby
    """
)
"""Surnames of the people about whom there are facts; they do not appear in stories."""

JOBS = _words(
    """
    baker doctor teacher farmer painter judge sailor tailor lawyer miner nurse potter gardener
    writer dentist barber
    """
)

INSTRUMENTS = _words("piano violin flute drum harp trumpet cello banjo bagpipe tuba")

LANDMARK_KINDS = _words("Tower Mill Lighthouse Chapel Gate Fountain Bridge")
LANDMARK_FIRSTS = _words("Old Iron Stone White Red Long Royal Twin")

FAMOUS_BRIDGE = "Amber Bridge"

LANDMARKS = (*(f"{first} {kind}" for first in LANDMARK_FIRSTS for kind in LANDMARK_KINDS), FAMOUS_BRIDGE)
"""Every landmark is two tokens, and neither alone says which one it is: there is an Iron Tower, an Iron
Mill and an Old Tower. The Amber Bridge is the exception: it is famous, and its first word stands for it alone."""

TOPICS: dict[str, tuple[str, str]] = {
    "bridge": (
        "cable/cables pillar/pillars arch/arches river/rivers ferry/ferries bolt/bolts walker/walkers "
        "crossing/crossings rail/rails toll/tolls",
        "crossed painted photographed admired",
    ),
    "sea": (
        "boat/boats wave/waves fish/fishes net/nets gull/gulls anchor/anchors island/islands sail/sails "
        "captain/captains crab/crabs",
        "sailed caught rowed towed",
    ),
    "kitchen": (
        "soup/soups spoon/spoons oven/ovens plate/plates onion/onions pan/pans cook/cooks recipe/recipes "
        "pie/pies kettle/kettles",
        "cooked tasted stirred baked",
    ),
    "garden": (
        "rose/roses seed/seeds hedge/hedges spade/spades bee/bees tree/trees root/roots pond/ponds "
        "lawn/lawns leaf/leaves",
        "planted watered trimmed dug",
    ),
    "music": (
        "song/songs singer/singers stage/stages choir/choirs tune/tunes dancer/dancers fiddle/fiddles "
        "concert/concerts verse/verses organ/organs",
        "sang rehearsed hummed conducted",
    ),
    "winter": (
        "snowman/snowmen sledge/sledges glove/gloves stove/stoves scarf/scarves icicle/icicles skater/skaters "
        "storm/storms wolf/wolves sleigh/sleighs",
        "shovelled froze melted skated",
    ),
    "school": (
        "lesson/lessons pupil/pupils desk/desks exam/exams chalk/chalks riddle/riddles word/words number/numbers "
        "page/pages notebook/notebooks",
        "learned solved copied explained",
    ),
    "railway": (
        "train/trains engine/engines tunnel/tunnels wagon/wagons signal/signals driver/drivers platform/platforms "
        "whistle/whistles track/tracks porter/porters",
        "boarded missed repaired loaded",
    ),
}
"""What paragraphs are about: nouns as singular/plural, and verbs in the past."""

GOOD = _words("wonderful lovely bright gentle splendid charming pleasant cheerful")
BAD = _words("awful ugly gloomy broken dreadful dirty horrible dull")

ADJECTIVES = {"good": GOOD, "bad": BAD}
FEELINGS = {
    "good": _words("happy proud merry grateful"),
    "bad": _words("sad angry bored upset"),
}
LIKING = {"good": _words("love like enjoy"), "bad": _words("hate fear avoid")}


def nouns(topic: str) -> tuple[tuple[str, str], ...]:
    """The nouns of a topic as (singular, plural)."""
    return tuple(tuple(pair.split("/")) for pair in TOPICS[topic][0].split())


def verbs(topic: str) -> tuple[str, ...]:
    """The verbs of a topic, in the past tense."""
    return tuple(TOPICS[topic][1].split())
