"""Exercises of chapter 08: the IOI circuit."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mi_course.exercises.attempt import Attempt
from mi_course.exercises.exercise import Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, expect_type


def _nobody_twice(words: list[str], people: list[str], others: list[str]) -> list[str]:
    new = iter([name for name in others if name not in people])
    return [next(new) if word in people else word for word in words]


def _check_nobody_twice(attempt: Attempt) -> str:
    words = [
        "when",
        "Mary",
        "and",
        "John",
        "went",
        "to",
        "the",
        "store",
        ",",
        "John",
        "gave",
        "a",
        "drink",
        "to",
    ]
    people, others = ["Mary", "John"], ["John", "Emma", "Mary", "Tom", "Anna", "Paul"]
    on = "the example, with the names " + ", ".join(others)
    got = attempt(words, people, others)
    expect_type(got, list, what="Your answer")
    if len(got) != len(words):
        raise Wrong(
            f"On {on}: yours has {len(got)} words, the prompt has {len(words)}. Corrupted and clean prompts are "
            "compared position by position: replace words, and drop or add none."
        )
    kept = [word for word, before in zip(got, words) if before in people and word in people]
    if kept:
        raise Wrong(
            f"On {on}: {kept[0]} is still there. A corrupted prompt must not name anybody of the clean one: leave "
            "`people` out of the names that you choose from."
        )
    changed = [before for word, before in zip(got, words) if before not in people and word != before]
    if changed:
        raise Wrong(f"On {on}: you changed {changed[0]!r}, which is not a person. Only people are replaced.")
    new = [word for word, before in zip(got, words) if before in people]
    if len(set(new)) < len(new):
        twice = next(name for name in new if new.count(name) > 1)
        raise Wrong(
            f"On {on}: {twice} comes twice, so the prompt still says who gives. That repetition is just what has to "
            "go: every *mention* gets a name of its own, not every person."
        )
    foreign = [name for name in new if name not in others]
    if foreign:
        raise Wrong(f"On {on}: {foreign[0]!r} is not among the names that you were given.")
    return "Three mentions, three strangers: same sentence, and nothing in it says who gets the drink."


def _attention_by_role(pattern: Tensor, query: Tensor, key: Tensor) -> Tensor:
    rows = torch.arange(len(pattern))
    return pattern[rows, :, query, key].mean(dim=0)


def _check_attention_by_role(attempt: Attempt) -> str:
    batch, heads, pos = 4, 3, 6
    scores = torch.randn(batch, heads, pos, pos, generator=torch.Generator().manual_seed(0))
    pattern = scores.masked_fill(torch.ones(pos, pos, dtype=torch.bool).triu(1), -torch.inf).softmax(dim=-1)
    query, key = torch.tensor([5, 4, 5, 3]), torch.tensor([1, 3, 0, 2])
    on = "4 prompts, 3 heads, 6 positions"
    got, want = attempt(pattern, query, key), _attention_by_role(pattern, query, key)
    rows = torch.arange(batch)
    if isinstance(got, Tensor) and tuple(got.shape) in ((batch, heads), (heads, batch)):
        raise Wrong(
            f"On {on}: yours still has one number a prompt. Average over the prompts, keep the heads."
        )
    if isinstance(got, Tensor) and got.ndim == 0:
        raise Wrong(f"On {on}: yours is one number. One a head is asked for: average over the prompts only.")
    expect_shape(got, (heads,), what="Your attention", on=on)
    slips = {
        "you looked up `[key, query]`. The axes of a pattern are `[…, query, key]`: the row is who looks.": pattern[
            rows, :, key, query
        ].mean(dim=0),
        "you averaged over all pairs of a query of one prompt and a key of another. Index the batch axis too, with "
        "`torch.arange(batch)`, so that every prompt is asked for its *own* positions.": pattern[
            :, :, query, key
        ].mean(dim=(0, 2)),
        "you took the positions of the first prompt for all of them. In the other order of names they stand "
        "elsewhere.": pattern[:, :, query[0], key[0]].mean(dim=0),
        "you added up over the prompts. Take the mean.": pattern[rows, :, query, key].sum(dim=0),
    }
    for words, slip in slips.items():
        if torch.allclose(got, slip, atol=1e-5):
            raise Wrong(f"On {on}: {words}")
    expect_close(got, want, what="Your attention", on=on)
    return "One number a head, each prompt asked for its own positions."


_NOT_THE_INFORMANT = {
    "L2H3": "that is the listener itself. Who *speaks* to it? Read the table: which sender's row is lowest?",
    "L1H2": "that head reads at END as well, and its own row hardly moves: the two hardly talk.",
    "L1H0": "close: its message arrives, but by way of somebody else. In this table its own row hardly moves. Which "
    "row does?",
    "L1H4": "close: its message arrives, but by way of somebody else. In this table its own row hardly moves. Which "
    "row does?",
    "L0H2": "that head is two steps away. In this table only *direct* messages count, and its row hardly moves.",
    "L0H4": "that head is two steps away. In this table only *direct* messages count, and its row hardly moves.",
    "embed": "if the words themselves were the message, L2H3 could not tell a second mention from a first.",
    "L0 MLP": "its row hardly moves. Which one does?",
}


def _check_informant(answer: object) -> str:
    if answer is ...:
        raise Wrong('Write the label of one row, such as "L0H1" or "L0 MLP", in place of the dots.')
    expect_type(answer, str, what="Your answer")
    label = answer.strip()
    if label == "L1 MLP":
        return "The MLP of layer 1: at the repeated name it writes “this one was here before”."
    if label.upper().replace(" ", "") in ("MLP", "L1", "L1MLP", "MLP1"):
        raise Wrong(f'You wrote {answer!r}. Spell it as the table does: "L1 MLP" is layer 1\'s MLP.')
    if label in _NOT_THE_INFORMANT:
        raise Wrong(f"You wrote {answer!r}: {_NOT_THE_INFORMANT[label]}")
    raise Wrong(
        f"You wrote {answer!r}. That is not the sender whose message matters most: look for the row with the lowest "
        "number, and spell it as it stands there."
    )


def _faithfulness(circuit: Tensor, model: Tensor, nothing: Tensor) -> float:
    return float((circuit.mean() - nothing.mean()) / (model.mean() - nothing.mean()))


def _check_faithfulness(attempt: Attempt) -> str:
    circuit, model = torch.tensor([6.0, 2.0, 7.0]), torch.tensor([9.0, 3.0, 8.0])
    nothing = torch.tensor([2.0, -1.0, 0.5])
    on = "three prompts: circuit 6, 2, 7; model 9, 3, 8; nothing 2, −1, 0.5"
    got = attempt(circuit, model, nothing)
    if isinstance(got, Tensor) and got.numel() == 1:
        got = float(got)
    if isinstance(got, Tensor):
        raise Wrong(
            f"On {on}: yours has shape {tuple(got.shape)}; one number is asked for. Take the means over the prompts "
            "first, and divide then."
        )
    expect_type(got, (int, float), what="Your faithfulness")
    want = _faithfulness(circuit, model, nothing)
    slips = {
        float(
            circuit.mean() / model.mean()
        ): "you did not subtract what is left when everything is replaced. An "
        "empty circuit would then score above 0.",
        float(
            ((circuit - nothing) / (model - nothing)).mean()
        ): "you divided prompt by prompt and averaged the "
        "ratios. One prompt with a small denominator then outweighs all others: take the means first.",
        1 / want: "upside down: the circuit's part stands above the line, the whole model's below.",
        float(
            (model.mean() - circuit.mean()) / (model.mean() - nothing.mean())
        ): "that is the share that is *lost*. "
        "What is kept is asked for: 1 for the whole model, 0 for nothing.",
        float(
            model.mean() - circuit.mean()
        ): "that is the paper's |F(M) − F(C)|, in logits. Put it on a scale: 0 for "
        "nothing, 1 for the whole model.",
    }
    for slip, words in slips.items():
        if abs(got - slip) < 1e-4 and abs(got - want) > 1e-4:
            raise Wrong(f"On {on}: {words}")
    expect_close(got, want, what="Your faithfulness", on=on, atol=1e-4)
    more = attempt(torch.tensor([4.0, 4.0]), torch.tensor([2.0, 2.0]), torch.tensor([0.0, 0.0]))
    expect_close(
        float(more), 2.0, what="Your faithfulness", on="a circuit that is twice as good as the model",
    )  # fmt: skip
    return (
        "0: as good as nothing. 1: as good as the model. Above 1: what works against the answer was left out."
    )


Score = Callable[[frozenset], float]


def _incompleteness(score: Score, model: frozenset, circuit: frozenset, gone: frozenset) -> float:
    return abs(score(circuit - gone) - score(model - gone))


def _check_incompleteness(attempt: Attempt) -> str:
    worth = {"a": 4.0, "b": 2.0, "c": 1.0, "backup of a": 0.0}

    def score(parts) -> float:
        if not isinstance(parts, (set, frozenset)):
            raise Wrong(
                f"You called `score` with {type(parts).__name__}; it takes a set of parts, such as `circuit - gone`."
            )
        unknown = set(parts) - worth.keys()
        if unknown:
            raise Wrong(f"You called `score` with {unknown}, which is no part of this model.")
        return sum(worth[part] for part in parts) + 2.2 * ("backup of a" in parts and "a" not in parts)

    model, circuit = frozenset(worth), frozenset({"a", "b"})
    on = "a model with the parts a, b, c and a backup of a; circuit {a, b}; gone {a}"
    got, want = attempt(score, model, circuit, frozenset({"a"})), 3.2
    if isinstance(got, Tensor) and got.numel() == 1:
        got = float(got)
    expect_type(got, (int, float), what="Your answer")
    slips = {
        -want: "the sign is the wrong way round or missing its size: take the absolute value, `abs`.",
        abs(
            score(circuit) - score(model)
        ): "you removed nothing. That is the question of faithfulness; here both "
        "lose the parts in `gone` first.",
        abs(
            score(circuit - {"a"}) - score(model)
        ): "you took `gone` away from the circuit only. It is taken from "
        "both: a complete circuit breaks as the model breaks.",
        abs(
            score(circuit) - score(model - {"a"})
        ): "you took `gone` away from the model only. It is taken from both.",
        abs(
            score(circuit - {"a"}) - score(circuit)
        ): "you compared the circuit with itself. The other side is the *model* without the same parts.",
        abs(
            score(circuit & {"a"}) - score(model & {"a"})
        ): "you kept `gone` and removed the rest: `-` takes a set away, `&` keeps what two sets share.",
    }
    for slip, words in slips.items():
        if abs(got - slip) < 1e-6 and abs(got - want) > 1e-6:
            raise Wrong(f"On {on}: yours is {got:g}. {words[0].upper()}{words[1:]}")
    expect_close(got, want, what="Your answer", on=on, reveal=False)
    whole = attempt(score, model, model, frozenset({"a", "b"}))
    expect_close(float(whole), 0.0, what="Your answer", on="a circuit that is the whole model")
    return "Large where the model has a part that steps in, and the circuit has not."


def _named_once(mentions: list[str]) -> list[str]:
    return [name for name in mentions if mentions.count(name) == 1]


def _check_named_once(attempt: Attempt) -> str:
    for mentions, what in (
        (["Mary", "John", "John"], "Mary, John, John"),
        (["John", "Mary", "John"], "John, Mary, John"),
        (["Eva", "Tom", "Anna", "Tom", "Eva"], "Eva, Tom, Anna, Tom, Eva"),
        (["Eva", "Tom", "Anna", "Eva"], "Eva, Tom, Anna, Eva"),
    ):
        got, want = attempt(list(mentions)), _named_once(mentions)
        got = list(got) if isinstance(got, tuple) else got
        expect_type(got, list, what=f"Your answer on {what}")
        everybody = list(dict.fromkeys(mentions))
        if got == want:
            continue
        if got == everybody:
            raise Wrong(
                f"On {what}: you returned everybody, each once. Those who are *mentioned* once are asked for."
            )
        if got == [name for name in everybody if name != mentions[-1]]:
            raise Wrong(
                f"On {what}: you left out the one who gives, and nobody else. That is the short cut! The rule is: "
                "whoever was named exactly once."
            )
        if got and all(name in mentions and mentions.count(name) > 1 for name in got):
            raise Wrong(f"On {what}: that is who comes twice. Those who come once are asked for.")
        raise Wrong(f"On {what}: yours is {got}, expected {want}.")
    return "The rule that the texts follow, in one line. Whether the network follows it, is the question."


EXERCISES = (
    Exercise(
        id="08.nobody_twice",
        title="A prompt without an answer",
        difficulty=1,
        minutes=6,
        hints=(
            "Go through the words. A word that is in `people` is replaced, every other one stays.",
            "Each *mention* needs another name, so walk along the names: `new = iter(…)` and `next(new)`.",
            "Choose from `[name for name in others if name not in people]`.",
        ),
        reference=_nobody_twice,
        check=_check_nobody_twice,
    ),
    Exercise(
        id="08.attention_by_role",
        title="Who looks at whom, when everybody moves about?",
        difficulty=2,
        minutes=8,
        hints=(
            "Prompt i is asked for its own query `query[i]` and its own key `key[i]`. Indexing with three lists of "
            "equal length picks one entry for each i.",
            "`pattern[torch.arange(batch), :, query, key]` has the shape (batch, head).",
            "Then the mean over the prompts: `.mean(dim=0)`.",
        ),
        reference=_attention_by_role,
        check=_check_attention_by_role,
    ),
    Exercise(
        id="08.informant",
        title="Who tells the suppressor?",
        difficulty=1,
        minutes=4,
        hints=(
            "Each row is a sender whose message to L2H3 was replaced by that of a prompt in which nobody repeats. Look "
            "for the row in which the logit difference falls most.",
            "It is not a head.",
        ),
        reference="L1 MLP",
        check=_check_informant,
    ),
    Exercise(
        id="08.faithfulness",
        title="How much of the behaviour is in the circuit?",
        difficulty=1,
        minutes=5,
        hints=(
            "Two ends of a scale: `nothing.mean()` shall become 0 and `model.mean()` 1.",
            "Subtract the lower end from both, then divide.",
        ),
        reference=_faithfulness,
        check=_check_faithfulness,
    ),
    Exercise(
        id="08.incompleteness",
        title="Does the circuit break as the model breaks?",
        difficulty=2,
        minutes=8,
        hints=(
            "Two damaged things are compared: the circuit without `gone`, and the model without `gone`.",
            "Sets are subtracted with `-`; `score` takes a set.",
            "The answer is a distance: `abs(…)`.",
        ),
        reference=_incompleteness,
        check=_check_incompleteness,
    ),
    Exercise(
        id="08.named_once",
        title="The rule, and the short cut",
        difficulty=1,
        minutes=4,
        hints=(
            "`mentions.count(name)` says how often somebody is named.",
            "Keep those whose count is 1, in the order in which they come.",
        ),
        reference=_named_once,
        check=_check_named_once,
    ),
)
