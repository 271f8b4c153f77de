"""One digit through both boxes: the rule that fired, and the numbers that made up the other's mind."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from mi_course.methods.glass_box import GlassBox
from mi_course.methods.stroke_features import Shape, shapes_of
from mi_course.models.black_box import BlackBox
from mi_course.plots.marked_shape import OPENING_COLOURS, with_openings
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS, DIVERGING, new_figure, styled, wrapped


def two_boxes(
    image: Float[Tensor, "8 8"], glass: GlassBox, black: BlackBox, *, title: str, alt: str
) -> Picture:
    """Above, the glass box: the picture, its bays and holes, the questions asked and their answers.

    Below, the black box: the weights of each hidden neuron on the 64 pixels (red: ink pushes the neuron
    up, blue: down), what each neuron says (−1 to 1), and the probability of each digit.
    """
    shape = shapes_of(image[None])[0]
    with styled():
        figure = new_figure(5.4)
        above, below = figure.subfigures(2, 1, height_ratios=[1.25, 1])
        above.suptitle("Glass box", x=0.02, ha="left", fontsize=10.5)
        below.suptitle("Black box", x=0.02, ha="left", fontsize=10.5)
        _draw_glass(above, image, shape, glass)
        _draw_black(below, image, black)
        figure.suptitle(wrapped(title), x=0.02, ha="left", weight="bold", fontsize=11.5)
        return Picture(figure, alt, title=title)


def _draw_glass(figure, image: Float[Tensor, "8 8"], shape: Shape, glass: GlassBox) -> None:
    pixels, outline, words = figure.subplots(1, 3, width_ratios=[1, 1, 2.1])
    pixels.imshow(image.numpy(), cmap="gray_r", vmin=0, vmax=1)
    outline.imshow(with_openings(shape).permute(1, 2, 0).numpy())
    _plain(pixels, "the picture")
    _plain(outline, "bays and holes")
    words.set_axis_off()
    measures = glass.measures(shape)
    rule = glass.rule_for(measures)
    lines = [f"{c.feature} is {measures[c.feature]:.2f}, so {c}" for c in rule.conditions]
    lines += ["", f"→ {rule.answer}   (rule {rule.number}: right for {rule.right} of {rule.seen} examples)"]
    words.text(0, 1, "\n".join(lines), va="top", fontsize=9, linespacing=1.5)
    found = [name for name in OPENING_COLOURS if getattr(shape.openings, name).any()]
    for place, name in enumerate(found):
        words.text(0.25 * place, 0, "■", color=OPENING_COLOURS[name], fontsize=8.5)
        words.text(0.25 * place + 0.035, 0, name, fontsize=8.5)


def _draw_black(figure, image: Float[Tensor, "8 8"], black: BlackBox) -> None:
    weights = black.hidden.weight.detach().reshape(-1, 8, 8)
    says = black.hidden_activations(image[None])[0].tolist()
    *maps, bars = figure.subplots(1, len(says) + 1, width_ratios=[1] * len(says) + [1.7])
    limit = float(weights.abs().max())
    for number, (panel, weight, value) in enumerate(zip(maps, weights, says), 1):
        panel.imshow(weight.numpy(), cmap=DIVERGING, vmin=-limit, vmax=limit)
        _plain(panel, f"neuron {number}")
        # Adding zero turns −0.00 into 0.00.
        panel.set_xlabel(f"says {round(value, 2) + 0:+.2f}".replace("-", "−"), fontsize=9)
    probabilities = black.probabilities(image[None])[0].tolist()
    best = max(range(10), key=probabilities.__getitem__)
    colours = [COLOURS["blue"] if digit == best else COLOURS["grey"] for digit in range(10)]
    bars.bar(range(10), probabilities, color=colours)
    bars.set(xticks=range(10), ylim=(0, 1), yticks=[0, 0.5, 1])
    bars.set_title("probability of each digit", fontsize=9, weight="normal", loc="center", pad=4)


def _plain(panel, title: str) -> None:
    panel.set(xticks=[], yticks=[])
    panel.set_title(title, fontsize=9, weight="normal", loc="center", pad=4)
    for spine in panel.spines.values():
        spine.set_visible(True)
