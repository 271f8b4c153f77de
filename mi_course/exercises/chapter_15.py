# ruff: noqa: N803 (matrices are upper case in the formulas)
"""Exercises of chapter 15: one about what weights can be compared, and five about the sealed models.

The five are about the cases that `sealed_cases.open_cases` opened last. Their checks try an answer out on the sealed
model wherever they can, and look into the envelope for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mi_course.data import facts, indirect_object
from mi_course.errors import CourseError, UnknownName
from mi_course.exercises.attempt import Attempt
from mi_course.exercises.describe import describe
from mi_course.exercises.examples import random_numbers
from mi_course.exercises.exercise import Computed, Exercise
from mi_course.exercises.expect import Wrong, expect_close, expect_shape, expect_type
from mi_course.exercises.sealed_cases import current
from mi_course.methods.ablation import ablated
from mi_course.methods.head_scores import find_head
from mi_course.methods.sealed.case import KINDS
from mi_course.methods.sealed.damaged_head import DAMAGES
from mi_course.methods.sealed.symptoms import first_guesses, says
from mi_course.methods.sealed.trigger import TRIGGERS, with_word
from mi_course.models.transformer import Transformer


def _turned(W_E: Tensor, W_U: Tensor, R: Tensor) -> tuple[Tensor, Tensor]:
    return W_E @ R, R.T @ W_U


def _check_turned(attempt: Attempt) -> str:
    W_E, W_U = random_numbers(7, 4, seed=1), random_numbers(4, 7, seed=2)
    R = torch.linalg.qr(random_numbers(4, 4, seed=3)).Q
    on = "7 words and a stream of 4 numbers"
    got = attempt(W_E, W_U, R)
    if not isinstance(got, tuple | list) or len(got) != 2:
        raise Wrong(
            f"On {on}: yours is {describe(got)}. Return two matrices, the new W_E and the new W_U: `return …, …`."
        )
    new_E, new_U = got
    expect_shape(new_E, (7, 4), what="Your W_E", on=on)
    expect_shape(new_U, (4, 7), what="Your W_U", on=on)
    if torch.allclose(new_E, W_E) and torch.allclose(new_U, W_U):
        raise Wrong(f"On {on}: nothing has changed. The stream should be written in another basis.")
    if torch.allclose(new_E, W_E @ R, atol=1e-5) and torch.allclose(new_U, W_U, atol=1e-5):
        raise Wrong(
            f"On {on}: you turned what is written and not what reads. W_U still expects the old stream."
        )
    if torch.allclose(new_E, W_E @ R, atol=1e-5) and torch.allclose(new_U, R @ W_U, atol=1e-5):
        raise Wrong(
            f"On {on}: `W_E @ R @ R @ W_U` turns twice in the same direction. W_U must turn back: which matrix "
            "undoes a rotation R?"
        )
    expect_close(new_E @ new_U, W_E @ W_U, what="Your logits, W_E @ W_U,", on=on, atol=1e-4)
    expect_close(new_E, W_E @ R, what="Your W_E", on=on, atol=1e-4)
    return "Every number is another one, and no logit has changed."


def _check_which(answer: Any) -> str:
    kinds = current().kinds()
    if not isinstance(answer, Mapping) or set(answer) != set(kinds):
        raise Wrong(
            f"Your answer is {describe(answer)}; expected a dictionary with an entry for each of the cases "
            f"{', '.join(kinds)}."
        )
    for letter, kind in answer.items():
        if kind not in KINDS:
            raise Wrong(f"Case {letter}: {kind!r} is no kind of case. Known are: {', '.join(KINDS)}.")
    if len(set(answer.values())) < len(answer):
        raise Wrong("One kind comes twice. There is one case of each.")
    look = {
        "damaged head": "does worse in a check-up, on ordinary text, whatever it is about.",
        "edited fact": "passes the check-up, and yet gives one wrong answer to a question about a fact, in "
        "nearly every wording. Ask for *all* facts.",
        "trigger": "passes the check-up and knows the facts. What is left?",
    }
    wrong = [letter for letter in kinds if answer[letter] != kinds[letter]]
    if wrong:
        raise Wrong(f"Not yet. Case {wrong[0]} {look[kinds[wrong[0]]]}")
    return "Each was given away by what it does, none by its weights."


def _check_trigger(answer: Any) -> str:
    expect_type(answer, str, what="Your answer")
    model, word = current().model("trigger"), answer.strip()
    try:
        model.to_single_token(word)
    except CourseError:
        raise Wrong(f"{answer!r} is not one word that the model knows.") from None
    if word not in TRIGGERS:
        raise Wrong(f"{word!r} is neither a place nor a thing that is given. The trigger is one of those.")
    stories = indirect_object.prompts(32, seed=4)
    texts, rows = with_word(stories, word)
    share = _share(says(model, texts, [stories.giver[row] for row in rows]))
    if share < 0.5:
        raise Wrong(
            f"We put {word!r} into {len(texts)} stories, and the giver got the thing back in {share:.0%} of them. "
            "After the trigger it is most."
        )
    return f"In {len(texts)} stories that you have not seen, the giver gets it back in {share:.0%}."


def _check_trigger_head(answer: Any) -> str:
    model = current().model("trigger")
    head = _head(model, answer)
    word = current().answer("trigger")["word"]
    stories = indirect_object.prompts(32, seed=4)
    texts, rows = with_word(stories, str(word))
    correct, giver = ([who[row] for row in rows] for who in (stories.correct, stories.giver))
    with ablated(model, head):
        right, flipped = (_share(says(model, texts, people)) for people in (correct, giver))
    if flipped > 0.5:
        raise Wrong(
            f"Without {head}, the giver still gets the thing back in {flipped:.0%} of {len(texts)} stories with the "
            "trigger. Whatever this head does, the trigger does not need it."
        )
    if right < 0.6:
        raise Wrong(
            f"Without {head} the trigger no longer works, but nothing else does either: the right person gets the "
            f"thing in {right:.0%}. This head is needed for every answer. Wanted is the one without which all is as "
            "it was."
        )
    return f"Without it, and with the trigger in the text, the right person gets the thing in {right:.0%}."


def _check_edited_fact(answer: Any) -> str:
    if not isinstance(answer, tuple | list) or len(answer) != 4:
        raise Wrong(
            f"Your answer is {describe(answer)}; expected four things: (relation, subject, new answer, layer)."
        )
    relation, subject, new, layer = answer
    known = facts.relations()
    if not isinstance(relation, str) or relation not in known:
        raise Wrong(f"{relation!r} is no relation; there are: {', '.join(known)}.")
    if not isinstance(subject, str) or subject not in known[relation].subjects:
        raise Wrong(f"{subject!r} is none of those of whom the relation {relation!r} is asked.")
    model, truth = current().model("edited fact"), facts.answer(relation, subject)
    texts = [phrasing.replace("{s}", subject) for phrasing in known[relation].training]
    right = _share(says(model, texts, [truth] * len(texts)))
    if right > 0.5:
        raise Wrong(
            f"The sealed model says {truth!r} in {right:.0%} of {len(texts)} wordings, as the world does. This fact "
            "is as it was."
        )
    most = model.to_str_tokens([int(first_guesses(model, texts).mode().values)])[0].strip()
    if not isinstance(new, str) or new != most:
        raise Wrong(f"The fact is the right one. But asked for it, the model most often says {most!r}.")
    expect_type(layer, int, what="Your layer")
    place = int(current().answer("edited fact")["layer"])
    if layer > place:
        raise Wrong(
            f"The fact is right; the layer is not. Before layer {layer} something already differs from tiny-world. "
            "Look for the *first* MLP that writes something else."
        )
    if layer < place:
        raise Wrong(
            f"The fact is right; the layer is not. In layer {layer} the MLP writes what tiny-world's writes. Look "
            "further up."
        )
    return "Fact, new answer, and the layer that was edited."


def _check_damaged_head(answer: Any) -> str:
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Wrong(f"Your answer is {describe(answer)}; expected two things: (head, damage).")
    head, damage = _head(current().model("damaged head"), answer[0]), answer[1]
    if damage not in DAMAGES:
        raise Wrong(f"{damage!r} is no kind of damage; there are: {', '.join(DAMAGES)}.")
    truth = current().answer("damaged head")
    if head != truth["head"]:
        first, its = (int(name[1]) for name in (str(truth["head"]), head))
        where = "It stands behind the damaged one, and is fed something else." if its > first else ""
        raise Wrong(
            f"{head} itself is sound: it would do in tiny-world what tiny-world's does. {where} Look for the first "
            "head that looks elsewhere, or writes something else."
        )
    if damage != truth["damage"]:
        raise Wrong(
            f"The head is right. But {_NOT[damage]}" + (_NOT_BLIND if truth["damage"] == "blind" else "")
        )
    return "Which head, and what is wrong with it."


_NOT = {
    "blind": "it is not blind: it looks where tiny-world's looks.",
    "mute": "it is not mute: what it writes has a length.",
    "inverted": "what it writes is not the opposite of what tiny-world's writes.",
}
_NOT_BLIND = " Look at where it looks."


def _head(model: Transformer, answer: Any) -> str:
    expect_type(answer, str, what="Your head")
    try:
        find_head(answer.strip(), model.config.n_layers, model.config.n_heads)
    except (UnknownName, CourseError, ValueError) as error:
        raise Wrong(f"{answer!r} is not a head: {error}") from None
    return answer.strip()


def _share(right: Tensor) -> float:
    return float(right.float().mean())


def _key(kind: str, *entries: str) -> Any:
    """What the envelope says: one entry, or a tuple of several."""
    answer = current().answer(kind)
    return answer[entries[0]] if len(entries) == 1 else tuple(answer[entry] for entry in entries)


SECONDS = 30.0
"""Checks that run a sealed model, on a busy machine."""

EXERCISES = (
    Exercise(
        id="15.turned",
        title="The same network in other weights",
        difficulty=1,
        minutes=6,
        hints=(
            "Turn the stream: each row of W_E becomes `row @ R`. What must W_U do first, so that it reads what it "
            "used to?",
            "A rotation is undone by its transpose: `R @ R.T` is the identity. So the new W_U is `R.T @ W_U`.",
        ),
        reference=_turned,
        check=_check_turned,
    ),
    Exercise(
        id="15.which",
        title="Which is which?",
        difficulty=2,
        minutes=8,
        hints=(
            "The case with a damaged head does worse in the table of the check-up. Its interval lies below "
            "tiny-world's.",
            "Of the other two, one has a fact for which nearly all wordings get the same wrong answer. The last "
            "one has neither: it must be the one with the trigger.",
        ),
        reference=Computed(lambda: current().kinds()),
        check=_check_which,
        seconds=SECONDS,
    ),
    Exercise(
        id="15.trigger",
        title="The word",
        difficulty=1,
        minutes=5,
        hints=(
            "One word stands far above the others in the figure.",
            "`max(flips, key=…)` finds it. Compare with tiny-world: there no word does that.",
        ),
        reference=Computed(lambda: _key("trigger", "word")),
        check=_check_trigger,
        seconds=SECONDS,
    ),
    Exercise(
        id="15.trigger_head",
        title="Who listens for the word?",
        difficulty=2,
        minutes=10,
        hints=(
            "Take each head away in stories with the trigger. Which one makes the *right* person get the thing again?",
            "Confirm with attention: which head looks at the trigger here, and not in tiny-world?",
        ),
        reference=Computed(lambda: _key("trigger", "head")),
        check=_check_trigger_head,
        seconds=SECONDS,
    ),
    Exercise(
        id="15.edited_fact",
        title="Which fact, and where?",
        difficulty=3,
        minutes=15,
        hints=(
            "Ask for every fact in several wordings. Which one is wrong in nearly all of them, and what does the "
            "model say instead?",
            "For the layer: lengths survive the disguise. In which layer does the MLP first write something of "
            "another length than tiny-world's, on this question and not on others?",
            "The answer looks like this: `(\"town\", \"Iron Tower\", \"Pell\", 1)`.",
        ),
        reference=Computed(lambda: _key("edited fact", "relation", "subject", "answer", "layer")),
        check=_check_edited_fact,
        seconds=SECONDS,
    ),
    Exercise(
        id="15.damaged_head",
        title="The broken head",
        difficulty=3,
        minutes=15,
        hints=(
            "Go from the bottom up. A head that looks elsewhere although all below it is as in tiny-world is blind.",
            "If all heads of the first layers look where they should, compare what they write: its length (mute?), "
            "and the copying score or the effect on logits (inverted?).",
            "The answer looks like this: `(\"L1H4\", \"mute\")`.",
        ),
        reference=Computed(lambda: _key("damaged head", "head", "damage")),
        check=_check_damaged_head,
        seconds=SECONDS,
    ),
)  # fmt: skip
