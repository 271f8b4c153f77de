"""A planted circuit of four steps: of the people in a sentence, say the one who was named once."""

from __future__ import annotations

import torch

from mi_course.data.tiny_world.words import NAMES
from mi_course.errors import CourseError
from mi_course.models.planted import network
from mi_course.models.planted.network import Head, Planted, PlantedPrompts, Stream

FRAMES = (
    "when {a} and {b} met , {giver} gave it to",
    "{a} met {b} at noon and {giver} gave it to",
    "at noon {a} met {b} , {giver} gave it to",
    "then {a} saw {b} and {giver} kindly gave it to",
)
END = "to"
_FRAME_WORDS = tuple(dict.fromkeys(word for frame in FRAMES for word in frame.split() if "{" not in word))
_LENGTH = 1 + len(FRAMES[0].split())


@torch.no_grad()
def indirect_object(
    *,
    backup: bool = False,
    sharpness: float | int = 6,
    noise: float | int = 0.2,
    n_layers: int = 3,
    n_heads: int = 4,
    n_names: int = 16,
    hidden: bool = False,
    seed: int = 0,
) -> Planted:
    """Three heads and an MLP that say who was named once, among idle parts and two decoys.

    "when Mary and John met , John gave it to" → Mary. The residual stream holds, side by side::

        token | position | repeated | again | inhibited | aside | answer

    - *duplicate token* (layer 0) looks from each name to an earlier place with the same name, and writes the name
      into "repeated". If there is none it rests on the first position and writes nothing.
    - *said again* (the MLP of the same layer): one neuron with a threshold. "again" is above 1 where "repeated" holds
      a name, else 0.
    - *inhibition* (a later layer) looks from the last word to the position with "again", and writes the name that is
      in "repeated" there into "inhibited".
    - *mover* (a later layer) looks from the last word to all names, but not to the "inhibited" one, and copies what
      it finds into "answer", which the logits read.
    - The *decoys* are loud and useless: one writes each token into "aside", the other gathers that at the end.

    With ``backup=True`` a second head does the work of *inhibition*, and each of the two is enough: the score of an
    inhibited name is so low that it makes no difference if it falls once more. Taking one of them out changes next
    to nothing.

    ``sharpness``, ``noise``, ``hidden``, ``seed``: as in `induction`. ``n_names``: how many people there are.

    The corrupted prompt has the same frame and three other people, all different (the ABC corruption of Wang et al.
    2022, arXiv 2211.00593, on whose circuit this one is modelled): nobody is named twice, so nothing tells anybody
    apart. ``wrong`` is the one who was named twice in the *clean* prompt, so that ``logit_diff`` is 0 in the corrupted.
    """
    if not 5 <= n_names <= len(NAMES):
        raise CourseError(f"n_names={n_names}; a pair of prompts takes 5 people, and there are {len(NAMES)}.")
    generator = torch.Generator().manual_seed(seed)
    people, words = slice(1, 1 + n_names), (*NAMES[:n_names], *_FRAME_WORDS)
    d_vocab = 1 + len(words)
    stream = Stream(
        token=d_vocab, position=_LENGTH, repeated=n_names, again=1, inhibited=n_names, aside=d_vocab,
        answer=n_names,
    )  # fmt: skip
    stream.name_part("names", "token", people.start, n_names)
    stream.name_part("first token", "token", 0)
    stream.name_part("last word", "token", 1 + words.index(END))
    d_head = max(d_vocab, n_names + _LENGTH + 1)
    model = network.empty(
        stream, words, n_layers=n_layers, n_heads=n_heads, d_head=d_head, d_mlp=d_head, n_ctx=_LENGTH
    )
    inhibitors = ["inhibition", "inhibition, too"] if backup else ["inhibition"]
    places = network.place(
        n_layers,
        n_heads,
        [("own token (decoy)", "duplicate token"), ("gatherer (decoy)", *inhibitors), ("mover",)],
        generator if hidden else None,
    )
    heads = {role: Head(model, stream, where, sharpness) for role, where in places.items()}
    name, token, position = torch.eye(n_names), torch.eye(d_vocab), torch.eye(_LENGTH)
    one, all_names = torch.ones(1, 1), torch.ones(1, n_names)

    duplicate = heads["duplicate token"]
    duplicate.query("names", name)
    duplicate.key("names", name)
    duplicate.query("position", position, at=n_names)
    duplicate.key("position", -2 * position, at=n_names)  # not at itself
    duplicate.query("position", torch.full((_LENGTH, 1), 0.5), at=n_names + _LENGTH)
    duplicate.key("first token", one, at=n_names + _LENGTH)  # where it rests
    duplicate.value("names", name)
    duplicate.output("repeated", name)

    said_again = model.blocks[places["duplicate token"][0]].mlp
    said_again.W_in[stream["repeated"], 0] = 3
    said_again.W_in[stream["position"], 0] = -1.5  # the threshold: every place has exactly one position
    said_again.W_out[0, stream["again"]] = 1

    for inhibitor in inhibitors:
        inhibits = heads[inhibitor]
        inhibits.query("last word", one)
        inhibits.key("again", one)
        inhibits.query("last word", 0.75 * one, at=1)
        inhibits.key("first token", one, at=1)  # where it rests if nothing was said again
        inhibits.value("repeated", name)
        inhibits.output("inhibited", name)

    mover = heads["mover"]
    mover.query("last word", all_names)
    mover.query("inhibited", -2 * name)
    mover.key("names", name)
    mover.value("names", name)
    mover.output("answer", network.STRENGTH * name)

    own = heads["own token (decoy)"]
    own.query("position", position)
    own.key("position", position)
    own.value("token", token)
    own.output("aside", network.LOUD * token)

    gatherer = heads["gatherer (decoy)"]  # without a query it looks everywhere alike
    gatherer.value("aside", token)
    gatherer.output("aside", token)

    model.W_U[stream["answer"], people] = name
    roles = {f"L{layer}H{head}": role for role, (layer, head) in places.items()}
    mlp = f"L{places['duplicate token'][0]} MLP"
    roles[mlp] = "said again"
    at = {role: node for node, role in roles.items()}
    twice, moves = at["duplicate token"], at["mover"]
    one_truth = {("embed", f"{twice}.{part}") for part in "qkv"} | {(twice, mlp)}
    one_truth |= {("embed", f"{moves}.k"), ("embed", f"{moves}.v"), (moves, "logits")}
    constant = {("embed", mlp), ("embed", f"{moves}.q")}
    ways = []
    for inhibitor in inhibitors:
        node = at[inhibitor]
        ways.append({(mlp, f"{node}.k"), (twice, f"{node}.v"), (node, f"{moves}.q")})
        constant |= {("embed", f"{node}.q"), ("embed", f"{node}.k")}
    subspaces = network.finish(model, stream, roles, noise=float(noise), hidden=hidden, generator=generator)

    def make(n: int, draw: torch.Generator) -> PlantedPrompts:
        return _prompts(model, n, n_names, draw)

    alternatives = tuple(map(frozenset, ways)) if backup else ()
    truth = frozenset(one_truth.union(*ways))
    return Planted(model, truth, frozenset(constant), roles, subspaces, make, alternatives)


def _prompts(model, n: int, n_names: int, draw: torch.Generator) -> PlantedPrompts:
    five = torch.rand(n, n_names, generator=draw).argsort(dim=1)[:, :5]
    frames = torch.randint(len(FRAMES), (n,), generator=draw).tolist()
    second_gives = torch.randint(2, (n,), generator=draw).tolist()
    clean, corrupted = [], []
    for (a, b, c, d, e), frame, second in zip(five.tolist(), frames, second_gives):
        clean.append(FRAMES[frame].format(a=NAMES[a], b=NAMES[b], giver=NAMES[b if second else a]))
        corrupted.append(FRAMES[frame].format(a=NAMES[c], b=NAMES[d], giver=NAMES[e]))
    second = torch.tensor(second_gives)
    giver, other = (1 + five.gather(1, which[:, None])[:, 0] for which in (second, 1 - second))
    return PlantedPrompts(model.to_tokens(clean), model.to_tokens(corrupted), other, giver)
