"""What can be read off a layer by a straight line? Linear probes, and what they must be compared with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_course.methods.uncertainty import Interval, bootstrap_mean


@dataclass(frozen=True)
class ProbeResult:
    """What a linear classifier on frozen activations guesses for examples that it was not fitted to.

    ``guesses``, ``labels``: one entry a test example, counted from 0.
    """

    guesses: Int[Tensor, " test"]
    labels: Int[Tensor, " test"]

    @property
    def right(self) -> Bool[Tensor, " test"]:
        """Whether each guess is right."""
        return self.guesses == self.labels

    @property
    def chance(self) -> float:
        """The share of the test examples in their commonest class: the accuracy of always guessing it."""
        return float(self.labels.bincount().max() / len(self.labels))

    @property
    def accuracy(self) -> float:
        return float(self.right.float().mean())

    @property
    def f1_by_class(self) -> Float[Tensor, " n_classes"]:
        """How well each class is found: 2 · hits / (guessed + there), from 0 to 1.

        The harmonic mean of precision and recall. Unlike accuracy it does not reward guessing a common class. A
        class that is neither guessed nor there has no score: not-a-number.
        """
        n_classes = 1 + int(torch.cat([self.guesses, self.labels]).max())
        guessed, there = (x.bincount(minlength=n_classes) for x in (self.guesses, self.labels))
        hits = self.labels[self.right].bincount(minlength=n_classes)
        return 2 * hits / (guessed + there)

    @property
    def f1(self) -> float:
        """The mean of `f1_by_class`, every class counting the same ("macro F1")."""
        return float(self.f1_by_class.nanmean())

    def accuracy_by_group(self, groups: Int[Tensor, " test"]) -> Float[Tensor, " group"]:
        """The accuracy inside each group of test examples that hang together (say, one photograph)."""
        return torch.stack([self.right[groups == g].float().mean() for g in groups.unique()])

    def interval(self, groups: Int[Tensor, " test"]) -> Interval:
        """Mean accuracy over groups, bootstrapped over *groups*: examples within one hang together."""
        return bootstrap_mean(self.accuracy_by_group(groups))


@dataclass(frozen=True)
class LinearProbe:
    """``scores = features @ weight.T + bias``; the class with the highest score is the guess.

    Row c of ``weight`` is the direction along which class c is read off the features *as they are* (the fit's
    standardisation is already in it).
    """

    weight: Float[Tensor, "n_classes feature"]
    bias: Float[Tensor, " n_classes"]

    def log_probs(self, features: Float[Tensor, "*examples feature"]) -> Float[Tensor, "*examples n_classes"]:
        """The probe's log-probability of every class, in nats."""
        return (features.double() @ self.weight.T + self.bias).log_softmax(dim=-1)

    def guess(self, features: Float[Tensor, "*examples feature"]) -> Int[Tensor, "*examples"]:
        """The class that the probe finds most probable."""
        return self.log_probs(features).argmax(dim=-1)

    def test(self, features: Float[Tensor, "test feature"], labels: Int[Tensor, " test"]) -> ProbeResult:
        """The probe's guesses for examples that it was not fitted to."""
        _check_pairs("test", features, labels)
        return ProbeResult(self.guess(features), labels)


def linear_probe(
    train: Float[Tensor, "train feature"],
    train_labels: Int[Tensor, " train"],
    test: Float[Tensor, "test feature"],
    test_labels: Int[Tensor, " test"],
    *,
    strength: float = 0.01,
) -> ProbeResult:
    """Fit multinomial logistic regression on standardised activations, and test it on other examples.

    ``strength``: inverse of the L2 penalty (scikit-learn's C); small, because layers have more features
    than a class has examples. A high score says that the information is there *and* lies along straight
    lines, not that the network uses it. Compare with an untrained network, with raw pixels and with
    shuffled labels before you conclude anything (Alain and Bengio 2016); for features of words, with a
    control task (`control_labels`).
    """
    _check_pairs("train", train, train_labels)
    _check_pairs("test", test, test_labels)
    return fit_linear_probe(train, train_labels, strength=strength).test(test, test_labels)


def fit_linear_probe(
    train: Float[Tensor, "train feature"], labels: Int[Tensor, " train"], *, strength: float = 0.01
) -> LinearProbe:
    """The probe of `linear_probe` itself, to read other activations with: guesses token by token, directions.

    ``labels``: whole numbers from 0. A class without an example in ``train`` is never guessed.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    _check_pairs("train", train, labels)
    if len(labels.unique()) < 2:
        raise ValueError(
            f"All {len(labels)} training examples have one label; a probe needs two classes or more."
        )
    scaler, probe = StandardScaler(), LogisticRegression(C=strength, max_iter=500)
    # One thread: the matrices are small, and BLAS threads that wait for each other cost more than they save.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # the penalty decides, not the last digits
        probe.fit(scaler.fit_transform(train.numpy()), labels.numpy())

    coefficients, intercepts = (torch.from_numpy(x).double() for x in (probe.coef_, probe.intercept_))
    if len(coefficients) == 1:  # of two classes, scikit-learn keeps the second one's row alone
        coefficients, intercepts = (torch.cat([torch.zeros_like(x), x]) for x in (coefficients, intercepts))
    n_classes = 1 + int(labels.max())
    weight = coefficients.new_zeros(n_classes, train.shape[1])
    bias = intercepts.new_full((n_classes,), -torch.inf)
    weight[probe.classes_] = coefficients / torch.from_numpy(scaler.scale_)
    bias[probe.classes_] = intercepts
    return LinearProbe(weight, bias - weight @ torch.from_numpy(scaler.mean_))


def control_labels(
    word_types: Int[Tensor, " example"], labels: Int[Tensor, " example"], *, seed: int = 0
) -> Int[Tensor, " example"]:
    """Labels for a control task: one for each *type* of word, drawn at random, the same wherever the word stands.

    ``word_types``: which word (token) each example is about. ``labels``: the real ones, from whose distribution the
    new ones are drawn, so that both tasks have about the same classes. Give the examples of training and test in one
    call (or use the same seed and the same types), so that a word has one label in both.

    Such labels mean nothing; a probe can only learn them by heart, word by word. How well it does is how much it
    could have learned by heart in the real task. Source: Hewitt and Liang 2019, arXiv 1909.03368.
    """
    _check_pairs("control_labels", word_types, labels)
    types, which = word_types.unique(return_inverse=True)
    drawn = torch.randint(len(labels), (len(types),), generator=torch.Generator().manual_seed(seed))
    return labels[drawn][which]


def selectivity(task: ProbeResult, control: ProbeResult) -> float:
    """Accuracy on the real task minus accuracy on the control task (`control_labels`), from −1 to 1.

    Near 0: whatever the probe got right, it may have learned by heart. High: the layer offers more than the identity of
    the word. It says nothing about words that only occur in one context. Source: Hewitt and Liang 2019.
    """
    if len(task.labels) != len(control.labels):
        raise ValueError(
            f"The task was tested on {len(task.labels)} examples, the control on {len(control.labels)}; "
            "test both on the same ones."
        )
    return task.accuracy - control.accuracy


def _check_pairs(name: str, features: Tensor, labels: Tensor) -> None:
    if len(features) != len(labels):
        raise ValueError(f"{name} has {len(features)} examples but {len(labels)} labels.")
