"""A classifier that can be read: named features, then a short key of yes/no questions.

Like the key in a field guide: "Is there a bay on the left? Yes. Is it in the upper half? No. …". The
features are written by hand; which questions are asked, and in which order, is learned from examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_course.methods.stroke_features import FEATURES, Feature, Shape, measure, shapes_of
from mi_course.runtime import one_thread

GRID = 0.05
"""Thresholds are multiples of this, so that a question can be read aloud."""

FEWEST = 5
"""No rule may rest on fewer examples."""


@dataclass(frozen=True)
class Condition:
    """One answered question: the feature is above the threshold (``above``), or not above it."""

    feature: str
    threshold: float
    above: bool

    def __str__(self) -> str:
        return f"{self.feature} {'>' if self.above else '≤'} {self.threshold:.2f}"


@dataclass(frozen=True)
class Rule:
    """What must hold (``conditions``, in the order they are asked), and the digit that follows.

    ``right`` of the ``seen`` examples that it was learned from had that digit.
    """

    number: int
    conditions: tuple[Condition, ...]
    answer: int
    right: int
    seen: int

    def __str__(self) -> str:
        return f"{' and '.join(map(str, self.conditions)) or 'always'} → {self.answer}"


@dataclass(frozen=True)
class Question:
    """A question of the key and what follows from "no" and from "yes": another question, or a rule."""

    feature: str
    threshold: float
    no: Question | Rule
    yes: Question | Rule


@dataclass(frozen=True)
class GlassBox:
    """Features and a key. ``print(box)`` shows the whole of it; there is nothing else inside."""

    features: Mapping[str, Feature]
    key: Question | Rule

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, from the top of the printed key to its end."""
        return tuple(_rules(self.key))

    def rule_for(self, measures: Mapping[str, float]) -> Rule:
        """The one rule that fires for a digit with these measures (feature name → number)."""
        node = self.key
        while isinstance(node, Question):
            node = node.yes if measures[node.feature] > node.threshold else node.no
        return node

    def rule_after_turning(self, measures: Mapping[str, float], feature: str) -> Rule:
        """The rule that would fire if the first question about ``feature`` were answered the other way.

        Raises ``KeyError`` if no question about it is asked on this digit's way.
        """
        node, turned = self.key, False
        while isinstance(node, Question):
            yes = measures[node.feature] > node.threshold
            if node.feature == feature and not turned:
                yes, turned = not yes, True
            node = node.yes if yes else node.no
        if not turned:
            raise KeyError(feature)
        return node

    def measures(self, shape: Shape) -> dict[str, float]:
        """The shape's features by name."""
        return dict(zip(self.features, measure([shape], self.features)[0].tolist()))

    def answer(self, images: Float[Tensor, "image 8 8"]) -> Int[Tensor, " image"]:
        """The digit that the key arrives at, for each picture."""
        return self.answer_measured(measure(shapes_of(images), self.features))

    def answer_measured(self, table: Float[Tensor, "image feature"]) -> Int[Tensor, " image"]:
        """The same for features that are measured already, columns in the order of ``features``."""
        rows = ([self.rule_for(dict(zip(self.features, row))).answer] for row in table.tolist())
        return torch.tensor(list(rows), dtype=torch.int64).reshape(len(table))

    def __str__(self) -> str:
        return "\n".join(_lines(self.key, ""))


def _rules(node: Question | Rule) -> Iterator[Rule]:
    if isinstance(node, Rule):
        yield node
    else:
        yield from _rules(node.no)
        yield from _rules(node.yes)


def _lines(node: Question | Rule, indent: str) -> Iterator[str]:
    if isinstance(node, Rule):
        yield f"{indent}→ {node.answer}   (rule {node.number}: {node.right} of {node.seen} examples)"
        return
    for sign, branch in (("≤", node.no), (">", node.yes)):
        line = f"{indent}{node.feature} {sign} {node.threshold:.2f}"
        if isinstance(branch, Rule):
            yield f"{line}  {next(_lines(branch, ''))}"
        else:
            yield line
            yield from _lines(branch, indent + "    ")


def grow(
    table: Float[Tensor, "image feature"],
    labels: Int[Tensor, " image"],
    features: Mapping[str, Feature] = FEATURES,
    *,
    rules: int = 16,
) -> GlassBox:
    """Learn a key of ``rules`` rules from measured examples.

    It starts with one rule for everything. Again and again it turns that rule into a question which
    tells most about the digits: the question with the largest drop of entropy, times the number of
    examples it is asked of. Ties go to the feature that is named first, so the same examples always
    give the same key. A greedy key is seldom the best of its size. Source: Breiman, Friedman, Olshen
    and Stone 1984 (trees); we grow the best leaf first and use round thresholds.
    """
    if table.shape != (len(labels), len(features)):
        raise ValueError(
            f"table has shape {tuple(table.shape)}; expected one row for each of the {len(labels)} labels "
            f"and one column for each of the {len(features)} features."
        )
    if rules < 1 or len(labels) == 0:
        raise ValueError(f"rules={rules} from {len(labels)} examples: give at least one of each.")
    one_hot = torch.nn.functional.one_hot(labels, 10).double()
    leaves = [_Leaf((), torch.arange(len(labels)))]
    with one_thread():
        splits = [leaves[0].best_split(table, one_hot)]
        while len(leaves) < rules:
            best = max(range(len(leaves)), key=lambda i: splits[i].gain)
            if splits[best].gain <= 0:
                break
            branches = splits[best].branches(leaves[best], table)
            leaves[best : best + 1] = branches
            splits[best : best + 1] = [branch.best_split(table, one_hot) for branch in branches]
    return GlassBox(dict(features), _as_key(leaves, list(features), one_hot))


@dataclass(frozen=True, eq=False)
class _Leaf:
    way: tuple[tuple[int, float, bool], ...]
    examples: Int[Tensor, " example"]

    def best_split(self, table: Float[Tensor, "image feature"], one_hot: Float[Tensor, "image 10"]) -> _Split:
        best = _Split(0, 0.0, 0.0)
        counts = one_hot[self.examples]
        for feature in range(table.shape[1]):
            values = table[self.examples, feature]
            first, last = int(float(values.min()) / GRID), int(float(values.max()) / GRID) + 1
            thresholds = torch.arange(first, last + 1, dtype=torch.float64) / round(1 / GRID)
            above = values > thresholds[:, None]
            sides = torch.stack([above.double() @ counts, (~above).double() @ counts])
            enough = (sides.sum(dim=-1) >= FEWEST).all(dim=0)
            gain = _spread(counts.sum(dim=0)) - _spread(sides).sum(dim=0)
            gain = torch.where(enough, gain, torch.tensor(0.0, dtype=torch.float64))
            # Rounded, so that no machine's last digit decides between two equally good questions.
            gain = (gain * 1e6).round() / 1e6
            if float(gain.max()) > best.gain:
                equally_good = (gain == gain.max()).nonzero().flatten()
                middle = float(thresholds[equally_good[len(equally_good) // 2]])
                best = _Split(feature, middle, float(gain.max()))
        return best


@dataclass(frozen=True)
class _Split:
    feature: int
    threshold: float
    gain: float

    def branches(self, leaf: _Leaf, table: Float[Tensor, "image feature"]) -> list[_Leaf]:
        above = table[leaf.examples, self.feature] > self.threshold
        return [
            _Leaf((*leaf.way, (self.feature, self.threshold, yes)), leaf.examples[above == yes])
            for yes in (False, True)
        ]


def _spread(counts: Float[Tensor, "*sides 10"]) -> Float[Tensor, "*sides"]:
    """Entropy of the digits in nats, times the number of examples."""
    total = counts.sum(dim=-1, keepdim=True)
    return -torch.special.xlogy(counts, counts / total.clamp(min=1)).sum(dim=-1)


def _as_key(leaves: Sequence[_Leaf], names: list[str], one_hot: Float[Tensor, "image 10"]) -> Question | Rule:
    numbered = [(leaf.way, _rule(number, leaf, names, one_hot)) for number, leaf in enumerate(leaves, 1)]
    return _nested(numbered, names)


def _rule(number: int, leaf: _Leaf, names: list[str], one_hot: Float[Tensor, "image 10"]) -> Rule:
    counts = one_hot[leaf.examples].sum(dim=0)
    answer = int(counts.argmax())
    conditions = tuple(Condition(names[feature], threshold, above) for feature, threshold, above in leaf.way)
    return Rule(number, conditions, answer, right=int(counts[answer]), seen=len(leaf.examples))


def _nested(numbered: Sequence[tuple], names: list[str], depth: int = 0) -> Question | Rule:
    way, rule = numbered[0]
    if len(way) == depth:
        return rule
    feature, threshold, _ = way[depth]
    no = [entry for entry in numbered if not entry[0][depth][2]]
    yes = [entry for entry in numbered if entry[0][depth][2]]
    return Question(names[feature], threshold, _nested(no, names, depth + 1), _nested(yes, names, depth + 1))
