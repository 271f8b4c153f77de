"""Four meanings of "mechanistic interpretability", and what this course has done, to be sorted into them.

The meanings are those that Saphra and Wiegreffe (2024, "Mechanistic?", arXiv 2410.09087) find in use. They overlap:
everything in the narrow technical sense is also in the broad technical one. A card belongs to the *narrowest technical*
meaning that fits it; to a cultural one if no technical meaning does.

Which card belongs where is this course's opinion, with its reason. One can see it differently.
"""

from __future__ import annotations

from dataclasses import dataclass

MEANINGS: dict[str, str] = {
    "narrow technical": "causal: a mechanism inside is named, and tested by changing it",
    "broad technical": "any serious look at what is inside",
    "narrow cultural": "what one community does, which has a goal: safety",
    "broad cultural": "an umbrella: everything that explains models",
}
"""Each meaning in a few words."""


@dataclass(frozen=True)
class Card:
    """Something that was done in the course, or in its name.

    ``meaning``: where the course would put it; ``why``: the reason, as a sentence.
    """

    name: str
    chapter: str
    what: str
    meaning: str
    why: str


CARDS: tuple[Card, ...] = (
    Card(
        "a key of twelve rules", "00", "A decision key for digits, written out so that a child can follow it.",
        "broad cultural",
        "It explains a model by replacing it with one that needs no explanation. No network was opened.",
    ),
    Card(
        "filters as pictures", "01",
        "The 64 filters of a first layer, shown as small images and sorted by their spectrum.",
        "broad technical",
        "It looks at weights, and says what they respond to. What the network does with it stays open.",
    ),
    Card(
        "saliency map", "02", "The pixels at which a decision would change most, drawn as a map.",
        "broad cultural",
        "It relates input to output. The inside only served to compute a gradient.",
    ),
    Card(
        "what a unit wants to see", "02", "An image grown by gradient ascent until one channel is as active as can be.",
        "broad technical",
        "It shows what a part responds to, and nothing about what it causes.",
    ),
    Card(
        "weights turned into a prediction", "03",
        "A unit's tuning predicted from its weights, and changed by cutting some.",
        "narrow technical",
        "A mechanism is written down from weights, and the cut tests it.",
    ),
    Card(
        "linear probe", "05", "A small classifier on activations: is the topic in there?",
        "broad technical",
        "It shows that something can be read off. Whether the network reads it is another question.",
    ),
    Card(
        "logit lens", "05", "What the model would say if it stopped after each layer.",
        "broad technical",
        "A look at every layer, without touching any.",
    ),
    Card(
        "induction heads", "06", "Two heads that continue a repeated string; without the first, the second fails.",
        "narrow technical",
        "Two parts, what passes between them, and a knock-out with a control.",
    ),
    Card(
        "activation patching", "07", "A state from one run put into another run: does the answer follow?",
        "narrow technical",
        "This is the causal test itself.",
    ),
    Card(
        "a discovered circuit", "09", "Edges cut one by one, as long as the answer stays.",
        "narrow technical",
        "Every edge that is kept was tested by cutting it.",
    ),
    Card(
        "a rewritten fact", "10", "A rank-one change of one matrix gives a fact another answer.",
        "narrow technical",
        "An intervention that does what was predicted. That the fact was stored there is another claim.",
    ),
    Card(
        "features as directions in a plane", "12",
        "Five features as a pentagon in two dimensions, in a network made for it.",
        "broad technical",
        "It describes how a model lays out what it knows. Nothing is switched off to see what follows.",
    ),
    Card(
        "a dictionary's best examples", "13", "The texts that excite one latent of a sparse autoencoder most.",
        "broad technical",
        "Examples suggest a meaning. Clamping the latent, in the chapter after, tests it.",
    ),
    Card(
        "the clamped bridge", "14", "One feature held high: the model comes back to the bridge.",
        "narrow technical",
        "A predicted change of behaviour, against random directions as a control.",
    ),
    Card(
        "“I work in mech interp”", "15",
        "Somebody says where they belong: with those who ask whether AI can be trusted.",
        "narrow cultural",
        "It names people and what they are worried about. It says nothing about how they work.",
    ),
    Card(
        "a call for papers on “anything that sheds light”", "15",
        "A workshop uses the name for user studies and surveys as well.",
        "broad cultural",
        "The name has become one for the whole field.",
    ),
)  # fmt: skip
"""In the order of the chapters."""
