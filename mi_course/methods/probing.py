"""What can be read off a layer by a straight line? Linear probes, and what they must be compared with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_course.methods.uncertainty import Interval, bootstrap_mean


@dataclass(frozen=True)
class ProbeResult:
    """How often a linear classifier on frozen activations is right on examples that it was not fitted to.

    ``right``: one entry a test example. ``chance``: share of the test examples in their commonest class.
    """

    right: Bool[Tensor, " test"]
    chance: float

    @property
    def accuracy(self) -> float:
        return float(self.right.float().mean())

    def accuracy_by_group(self, groups: Int[Tensor, " test"]) -> Float[Tensor, " group"]:
        """The accuracy inside each group of test examples that hang together (say, one photograph)."""
        return torch.stack([self.right[groups == g].float().mean() for g in groups.unique()])

    def interval(self, groups: Int[Tensor, " test"]) -> Interval:
        """Mean accuracy over groups, bootstrapped over *groups*: examples within one hang together."""
        return bootstrap_mean(self.accuracy_by_group(groups))


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
    shuffled labels before you conclude anything (Alain and Bengio 2016; Hewitt and Liang 2019).
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    for name, features, labels in (("train", train, train_labels), ("test", test, test_labels)):
        if len(features) != len(labels):
            raise ValueError(f"{name} has {len(features)} examples but {len(labels)} labels.")
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=500))
    # One thread: the matrices are small, and BLAS threads that wait for each other cost more than they save.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # the penalty decides, not the last digits
        probe.fit(train.numpy(), train_labels.numpy())
    guesses = torch.from_numpy(probe.predict(test.numpy()))
    chance = float(test_labels.bincount().max() / len(test_labels))
    return ProbeResult(right=guesses == test_labels, chance=chance)
