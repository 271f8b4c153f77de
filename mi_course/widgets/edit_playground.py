"""Give a fact another answer, see what else changes, and take it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets
import traitlets

from mi_course.data import counterfacts, facts
from mi_course.data.counterfacts import PARAPHRASE, SAME_SUBJECT, STATEMENT, Question
from mi_course.methods.edit_scores import score
from mi_course.methods.key_covariance import KeyCovariance, key_covariance
from mi_course.methods.key_value import PLACES, key_value
from mi_course.methods.rank_one_edit import EditedTransformer, separate_edits
from mi_course.models.transformer import Transformer
from mi_course.plots.horizontal_bars import horizontal_bars
from mi_course.plots.picture import Picture
from mi_course.plots.token_words import token_html
from mi_course.widgets.explorer import Explorer

Made = tuple[str, str, str, str]
"""An edit that was made: relation, subject, new answer, where."""


class EditPlayground(Explorer):
    """Choose a fact and a new answer, edit, and see the sentence, other phrasings, neighbours and other facts.

    Vermilion, hatched bars are the probability of the *new* answer where it is wanted: in the sentence itself and in
    phrasings that training never had. Blue bars are the probability of the *right* answer where nothing should have
    changed. A line across each bar shows what the unedited model gives. Several edits pile up; *Undo* takes the last
    one back.

    ``model``: one of the tiny world. ``where``: the edit to begin with, layer and place of the key, such as "L1, last
    token". ``dose``: edits write so many times their value. ``covariances``: of keys, by layer; what is missing is read
    off the tiny world when it is needed. ``options``: of the search for the value (`key_value`).
    """

    def __init__(
        self,
        model: Transformer,
        *,
        relation: str = "town",
        subject: str = "Iron Tower",
        answer: str = "Pell",
        where: str = "L1, last token",
        dose: float | int = 1.0,
        covariances: Mapping[int, KeyCovariance] | None = None,
        **options,
    ):
        self.model, self.dose, self.options = model, dose, options
        self._first = counterfacts.counterfact(relation, subject, answer)  # refuses what does not exist
        self._where = where
        self._covariances = dict(covariances or {})
        self._edits: dict[tuple[Made, ...], tuple] = {(): ()}
        self._edited: tuple[tuple[Made, ...], Transformer] = ((), model)

    def controls(self) -> dict[str, ipywidgets.Widget]:
        first = self._first
        relation = ipywidgets.Dropdown(
            options=list(facts.relations()), value=first.relation, description="Relation"
        )
        subject = ipywidgets.Dropdown(
            options=_subjects(first.relation), value=first.subject, description="Subject"
        )
        answer = ipywidgets.Dropdown(
            options=_new_answers(first.relation, first.subject), value=first.new, description="New answer"
        )
        where = ipywidgets.Dropdown(
            options=[f"L{layer}, {place}" for place in PLACES for layer in range(self.model.config.n_layers)],
            value=self._where,
            description="Edit at",
        )

        def follow(_change: dict) -> None:
            if subject.options != tuple(_subjects(relation.value)):
                subject.options = _subjects(relation.value)
            answer.options = _new_answers(relation.value, subject.value)

        relation.observe(follow, names="value")
        subject.observe(follow, names="value")
        edits = Edits(lambda: (relation.value, subject.value, answer.value, where.value))
        return {"relation": relation, "subject": subject, "answer": answer, "where": where, "edits": edits}

    def draw(
        self, relation: str, subject: str, answer: str, where: str = "", edits: tuple[Made, ...] = ()
    ) -> Picture:
        """``edits``: those made so far, each as (relation, subject, new answer, where)."""
        chosen = counterfacts.counterfact(relation, subject, answer)
        asked = counterfacts.questions([chosen], each=2)
        before, after = (score(model, asked) for model in (self.model, self._with(edits)))
        wanted = [question.kind in (STATEMENT, PARAPHRASE) for question in asked]
        labels = [_label(number, question) for number, question in enumerate(asked)]
        was, now = (
            [float(scores.p_new[row] if new else scores.p_true[row]) for row, new in enumerate(wanted)]
            for scores in (before, after)
        )
        kept = [row for row, new in enumerate(wanted) if not new]
        wrong = sum(not bool(after.says_true[row]) for row in kept)
        made = {0: "No edit yet", 1: "After 1 edit"}.get(len(edits), f"After {len(edits)} edits")
        return horizontal_bars(
            list(zip(labels, now)),
            title=f"{made}: “{chosen.prompt}” → {answer} with {now[0]:.0%}; "
            f"{wrong} of {len(kept)} other answers wrong",
            xlabel="probability (hatched: new answer, wanted; plain: right answer, to be kept)",
            alt=f"{made}. "
            + "; ".join(
                f"{_sentence(question)}: {one:.2f} before, {two:.2f} now"
                for question, one, two in zip(asked, was, now)
            )
            + ".",
            before=("unedited model", was),
            marked=[label for label, new in zip(labels, wanted) if new],
            limit=1.0,
            number=".0%",
        )

    def live_html(
        self, relation: str, subject: str, answer: str, where: str = "", edits: tuple[Made, ...] = ()
    ) -> str:
        picture = self.draw(relation, subject, answer, where, edits).html()
        made = "".join(f"<li>{_in_words(*edit)}</li>" for edit in edits)
        asked = counterfacts.questions([counterfacts.counterfact(relation, subject, answer)], each=2)
        sentences = "".join(f"<li>{token_html(_sentence(question))}</li>" for question in asked)
        return (
            f'<div class="mi-edits"><p>Next edit: {_in_words(relation, subject, answer, where)}</p>'
            + (f"<p>Made so far:</p><ol>{made}</ol>" if made else "")
            + f"</div>{picture}<details><summary>The questions</summary><ol>{sentences}</ol></details>"
        )

    def _with(self, edits: tuple[Made, ...]) -> Transformer:
        """The model with these edits, each made on top of those before it."""
        edits = tuple(tuple(edit) for edit in edits)
        for n in range(1, len(edits) + 1):
            if edits[:n] not in self._edits:
                earlier = self._edits[edits[: n - 1]]
                self._edits[edits[:n]] = (*earlier, self._make(earlier, edits[n - 1]))
        if self._edited[0] != edits:
            self._edited = edits, EditedTransformer(self.model, self._edits[edits])
        return self._edited[1]

    def _make(self, earlier: tuple, edit: Made):
        relation, subject, answer, where = edit
        chosen = counterfacts.counterfact(relation, subject, answer)
        layer, place = where.split(", ")
        layer = int(layer[1:])
        if layer not in self._covariances:
            self._covariances[layer] = key_covariance(self.model, layer)
        model = EditedTransformer(self.model, earlier)
        wanted = key_value(
            model, [(chosen.prompt, chosen.subject)], [answer], layer=layer, place=place, **self.options
        )
        return separate_edits(model, wanted, self._covariances[layer], dose=self.dose)[0]


class Edits(ipywidgets.HBox):
    """Three buttons, *Make this edit*, *Undo* and *Undo all*; ``value`` is the tuple of edits made so far."""

    value = traitlets.Tuple()
    description = traitlets.Unicode("Edits")

    def __init__(self, chosen: Callable[[], Made]):
        self.make = ipywidgets.Button(description="Make this edit", icon="pencil")
        self.undo = ipywidgets.Button(description="Undo", icon="undo", disabled=True)
        self.undo_all = ipywidgets.Button(description="Undo all", icon="trash", disabled=True)
        self.make.on_click(lambda _: self.set_trait("value", (*self.value, chosen())))
        self.undo.on_click(lambda _: self.set_trait("value", self.value[:-1]))
        self.undo_all.on_click(lambda _: self.set_trait("value", ()))
        self.observe(self._allow, names="value")
        super().__init__([self.make, self.undo, self.undo_all])
        self.add_class("mi-edit-buttons")

    def _allow(self, change: dict) -> None:
        for button in (self.undo, self.undo_all):
            button.disabled = not change["new"]


def _label(number: int, question: Question) -> str:
    """The question in a few characters, with the answer that its bar is about."""
    return {
        STATEMENT: f"the sentence: {question.new}",
        PARAPHRASE: f"other phrasing {number}: {question.new}",
        SAME_SUBJECT: f"its {question.relation}: {question.true}",
    }.get(question.kind, f"{question.subject}: {question.true}")


def _sentence(question: Question) -> str:
    wanted = question.new if question.kind in (STATEMENT, PARAPHRASE) else question.true
    return f"{question.prompt} → {wanted}"


def _subjects(relation: str) -> list[str]:
    return list(facts.relations()[relation].subjects)


def _new_answers(relation: str, subject: str) -> list[str]:
    true = facts.answer(relation, subject)
    return [answer for answer in facts.relations()[relation].answers if answer != true]


def _in_words(relation: str, subject: str, answer: str, where: str) -> str:
    true = facts.answer(relation, subject)
    return token_html(f"{relation} of {subject}: {answer} instead of {true} ({where})")
