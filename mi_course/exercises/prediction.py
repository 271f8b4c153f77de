"""Commit to a prediction before the experiment: only then can the result surprise you."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mi_course.errors import UnknownName
from mi_course.exercises import card, journal

_asked: dict[str, tuple[str, ...]] = {}
"""The options of each question that was asked in this session."""


def predict(id: str, question: str, options: Sequence[str], choice: str | int | None = None) -> None:
    """Ask for a prediction and record it; nothing waits for the answer, so "Run All" runs through.

    In Jupyter the options can be chosen and committed with mouse or keyboard. Everywhere else, and where
    controls do not show, give ``choice``: the text of an option, or its number counted from 0. A prediction
    may be changed until the experiment's result has been revealed.
    """
    options = tuple(options)
    if len(options) < 2 or len(set(options)) < len(options):
        raise ValueError(f"A prediction needs two or more different options; got {list(options)!r}.")
    _asked[id] = options
    if choice is not None:
        card.show(_commit(id, question, options, choice))
        return
    committed = prediction(id)
    if committed in options and _is_final(id):
        card.show(_committed_card(id, question, committed))
        return
    text = _as_text(id, question, options, committed)
    bundle: dict[str, Any] = {"text/plain": text}
    if card.in_jupyter():
        bundle |= _controls(id, question, options, committed)
    card.show_bundle(bundle)


def reveal(id: str, answer: str | int, *, source: str = "The experiment") -> None:
    """Show what the experiment says beside what the learner predicted.

    ``answer`` is one of the options (its text, or its number from 0); ``source`` is who says so. From
    here on a prediction stays as it is; one that is first made later is marked as made after the reveal.
    """
    # A question that was skipped in this session may have had other options when it was last asked.
    if id in _asked:
        answer = _option(answer, _asked[id])
    elif not isinstance(answer, str):
        raise ValueError(f'Option {answer} of which question? Run the cell with mc.predict("{id}", …) first.')
    event = _prediction_event(id)
    journal.record("reveal", id=id, answer=answer)
    if event is None:
        card.show(card.Card("🔬", f"You made no prediction. {source} says: {answer}", tone="info"))
        return
    committed, late = event["choice"], event.get("late") is True
    when = " (after the result had been shown)" if late else ""
    verdict = "As you predicted." if committed == answer else "Not what you predicted: look for the reason."
    lines = (f"You predicted{when}: {committed}", f"{source} says: {answer}")
    card.show(card.Card("🔬", verdict, lines, tone="success" if committed == answer else "info"))


def prediction(id: str) -> str | None:
    """The option that the learner committed to (in this session or an earlier one), or None."""
    event = _prediction_event(id)
    return event["choice"] if event else None


def _commit(id: str, question: str, options: tuple[str, ...], choice: str | int) -> card.Card:
    chosen = _option(choice, options)
    committed = prediction(id)
    if committed is not None and _is_final(id):
        return _committed_card(id, question, committed)
    if chosen != committed:
        late = _was_revealed(id)
        journal.record(
            "prediction", id=id, question=question, options=list(options), choice=chosen, late=late
        )
    return _committed_card(id, question, chosen)


def _option(choice: str | int, options: Sequence[str]) -> str:
    if isinstance(choice, int) and not isinstance(choice, bool):
        if not 0 <= choice < len(options):
            raise ValueError(
                f"There is no option {choice}; the options are numbered 0 to {len(options) - 1}."
            )
        return options[choice]
    if choice not in options:
        raise UnknownName("option", str(choice), options)
    return choice


def _events(id: str, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in journal.events() if entry["event"] == kind and entry.get("id") == id]


def _prediction_event(id: str) -> dict[str, Any] | None:
    events = [entry for entry in _events(id, "prediction") if isinstance(entry.get("choice"), str)]
    return events[-1] if events else None


def _was_revealed(id: str) -> bool:
    return bool(_events(id, "reveal"))


def _is_final(id: str) -> bool:
    return prediction(id) is not None and _was_revealed(id)


def _committed_card(id: str, question: str, committed: str) -> card.Card:
    if _is_final(id):
        state = "The result has been revealed, so the prediction stays as it is."
    else:
        state = f'Until the result is revealed you may change it: `mc.predict("{id}", …, choice=…)`'
    return card.Card("🔒", question, (f"You predicted: {committed}", state), tone="info")


def _as_text(id: str, question: str, options: tuple[str, ...], committed: str | None) -> str:
    lines = [f"🤔 {question}", *(f"  {i}: {option}" for i, option in enumerate(options))]
    if committed in options:
        lines.append(f"You predicted: {committed}")
    lines.append(f'Commit to one before you go on: mc.predict("{id}", …, choice=0) takes the first.')
    return card.clean("\n".join(lines))


def _controls(id: str, question: str, options: tuple[str, ...], committed: str | None) -> dict[str, Any]:
    import ipywidgets

    from mi_course.visible_focus import show_focus

    if committed not in options:
        committed = None
    # Not radio buttons: JupyterLab takes the arrow keys that they need.
    choice = ipywidgets.ToggleButtons(options=options, value=committed, style={"button_width": "auto"})
    button = ipywidgets.Button(description="Commit", button_style="primary")
    message = ipywidgets.HTML()

    def lock(chosen: str) -> None:
        choice.value = chosen
        choice.disabled = True
        final = _is_final(id)
        button.description = "Change"
        button.disabled = final
        why = "The result has been revealed, so it stays as it is." if final else "Now run the experiment."
        message.value = f'<span role="status">{card.as_html(f"🔒 You predicted: {chosen}. {why}")}</span>'

    def press(_: Any) -> None:
        if choice.disabled and not _is_final(id):
            choice.disabled = False
            button.description = "Commit"
            message.value = ""
        elif choice.value is None:
            message.value = '<span role="status">Choose one of the options first.</span>'
        else:
            _commit(id, question, options, choice.value)
            lock(prediction(id) or choice.value)

    button.on_click(press)
    if committed is not None:
        lock(committed)
    heading = ipywidgets.HTML(f"<strong>🤔 {card.as_html(question)}</strong>")
    box = ipywidgets.VBox([heading, choice, ipywidgets.HBox([button, message])])
    show_focus(box)
    return {key: value for key, value in box._repr_mimebundle_().items() if key != "text/plain"}
