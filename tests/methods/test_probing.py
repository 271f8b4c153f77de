"""A probe finds what is there, and nothing where there is nothing."""

import pytest
import torch

from mi_course.methods.probing import (
    ProbeResult,
    control_labels,
    fit_linear_probe,
    linear_probe,
    selectivity,
)


def noise(n, features, seed):
    return torch.randn(n, features, generator=torch.Generator().manual_seed(seed))


def labels(n, classes=4):
    return torch.arange(n) % classes


def separable(n, seed, classes=4, features=12):
    directions = 6 * torch.eye(features)[:classes]
    return directions[labels(n, classes)] + noise(n, features, seed)


def test_what_lies_along_straight_lines_is_read_off_without_error():
    result = linear_probe(separable(200, 0), labels(200), separable(100, 1), labels(100))
    assert result.accuracy == 1
    assert result.chance == 0.25
    assert result.right.shape == (100,)


def test_in_noise_there_is_nothing_to_read():
    result = linear_probe(noise(400, 20, 0), labels(400), noise(1000, 20, 1), labels(1000))
    assert result.accuracy == pytest.approx(0.25, abs=0.05)


def test_shuffled_labels_bring_a_good_probe_down_to_chance():
    order = torch.randperm(400, generator=torch.Generator().manual_seed(2))
    result = linear_probe(separable(400, 0), labels(400)[order], separable(1000, 1), labels(1000))
    assert result.accuracy < 0.4


def test_what_lies_on_no_straight_line_is_not_found():
    """Whether two coordinates have the same sign: there, but not for a linear probe."""
    train, test = noise(600, 2, 0), noise(600, 2, 1)

    def same_sign(x):
        return (x.prod(dim=1) > 0).long()

    result = linear_probe(train, same_sign(train), test, same_sign(test))
    assert result.accuracy < 0.65


def test_the_scale_and_offset_of_a_feature_do_not_matter():
    scale = torch.logspace(-3, 3, 12)
    train, test = separable(200, 0) + noise(200, 12, 5) * 4, separable(200, 1) + noise(200, 12, 6) * 4
    plain = linear_probe(train, labels(200), test, labels(200))
    moved = linear_probe(train * scale + 100, labels(200), test * scale + 100, labels(200))
    assert 0.4 < plain.accuracy < 1
    assert moved.accuracy == pytest.approx(plain.accuracy, abs=0.02)


def test_chance_is_the_commonest_class_of_the_test_examples():
    uneven = torch.tensor([0] * 70 + [1] * 30)
    result = linear_probe(noise(100, 3, 0), uneven, noise(100, 3, 1), uneven)
    assert result.chance == pytest.approx(0.7)


def test_a_probe_repeats_itself_and_leaves_its_inputs_alone():
    train, test = noise(60, 5, 0), noise(60, 5, 1)
    before = train.clone(), test.clone()
    first, second = (linear_probe(train, labels(60), test, labels(60)) for _ in range(2))
    assert torch.equal(first.right, second.right)
    assert torch.equal(train, before[0])
    assert torch.equal(test, before[1])


def test_as_many_labels_as_examples_are_asked_for(without_type_checks):
    with pytest.raises(ValueError, match="train has 10 examples but 9 labels"):
        linear_probe(noise(10, 2, 0), labels(9), noise(5, 2, 1), labels(5))
    with pytest.raises(ValueError, match="test has 5 examples but 6 labels"):
        linear_probe(noise(10, 2, 0), labels(10), noise(5, 2, 1), labels(6))


def result_of(right):
    """A result in which just these guesses of one class are right."""
    return ProbeResult(guesses=right.logical_not().long(), labels=torch.zeros(len(right), dtype=torch.long))


RIGHT = torch.tensor([True, True, True, True, False, False, True, False])
GROUPS = torch.tensor([0, 0, 0, 0, 5, 5, 9, 9])


def test_accuracy_by_group_stands_in_the_order_of_the_groups():
    assert result_of(RIGHT).accuracy_by_group(GROUPS).tolist() == [1.0, 0.0, 0.5]


def test_the_interval_is_about_groups_not_about_examples():
    """Two hundred examples from two photographs are two samples: the interval is as wide as they differ."""
    result = result_of(torch.tensor([True] * 100 + [False] * 100))
    by_photograph = result.interval(torch.arange(200) // 100)
    assert (by_photograph.low, by_photograph.estimate, by_photograph.high) == (0, 0.5, 1)
    by_example = result.interval(torch.arange(200))
    assert by_example.high - by_example.low < 0.2


def test_one_group_is_too_few_for_an_interval():
    with pytest.raises(ValueError, match="at least two"):
        result_of(RIGHT).interval(torch.zeros(8, dtype=torch.long))


def test_f1_of_each_class_by_hand_and_by_scikit_learn():
    """Class 0: 2 hits, 3 guessed, 4 there. Class 1: 1 hit, 3 guessed, 2 there. Class 3: neither guessed nor there."""
    from sklearn.metrics import f1_score

    true, guessed = torch.tensor([0, 0, 0, 0, 1, 1, 2, 4]), torch.tensor([0, 0, 1, 1, 0, 1, 2, 2])
    result = ProbeResult(guessed, true)
    assert result.f1_by_class.nan_to_num(-1).tolist() == pytest.approx([4 / 7, 2 / 5, 2 / 3, -1, 0])
    assert result.f1 == pytest.approx(f1_score(true, guessed, average="macro"))
    assert result.accuracy == pytest.approx(4 / 8)


def test_always_guessing_the_common_class_has_accuracy_but_no_f1():
    true = torch.tensor([0] * 90 + [1] * 10)
    result = ProbeResult(torch.zeros(100, dtype=torch.long), true)
    assert result.accuracy == result.chance == pytest.approx(0.9)
    assert result.f1 < 0.5


@pytest.mark.parametrize("classes", [2, 4])
def test_the_probe_itself_guesses_as_scikit_learns_pipeline_does(classes):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = separable(200, 0, classes) * 0.3 + 5, separable(100, 1, classes) * 0.3 + 5
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    theirs.fit(train.numpy(), labels(200, classes).numpy())
    probe = fit_linear_probe(train, labels(200, classes))
    assert probe.guess(test).tolist() == theirs.predict(test.numpy()).tolist()
    log_probs = torch.from_numpy(theirs.predict_log_proba(test.numpy())).double()
    assert torch.allclose(probe.log_probs(test), log_probs, atol=1e-4)
    assert torch.equal(probe.test(test, labels(100, classes)).guesses, probe.guess(test))
    assert probe.weight.shape == (classes, 12)


def test_a_probe_reads_activations_of_any_leading_shape():
    probe = fit_linear_probe(separable(200, 0), labels(200))
    by_position = separable(60, 1).view(3, 20, 12)
    assert probe.guess(by_position).shape == (3, 20)
    assert torch.equal(probe.guess(by_position)[1], probe.guess(by_position[1]))


def test_a_class_that_training_never_showed_is_never_guessed():
    seen = labels(200) * 2  # 0, 2, 4, 6
    probe = fit_linear_probe(separable(200, 0), seen)
    assert set(probe.guess(noise(500, 12, 3)).tolist()) == {0, 2, 4, 6}
    assert (probe.log_probs(noise(500, 12, 3))[:, 1] == -torch.inf).all()


def test_one_class_is_nothing_to_fit():
    with pytest.raises(ValueError, match="two classes or more"):
        fit_linear_probe(noise(10, 2, 0), torch.ones(10, dtype=torch.long))


def test_control_labels_are_random_but_one_for_each_word():
    words = torch.arange(3000) % 300
    control = control_labels(words, labels(3000))
    assert all(len(control[words == word].unique()) == 1 for word in range(300))
    assert control[:300].bincount().min() > 50
    assert torch.equal(control, control_labels(words, labels(3000)))
    assert not torch.equal(control, control_labels(words, labels(3000), seed=1))


def test_control_labels_come_from_the_distribution_of_the_real_ones():
    uneven = torch.tensor([0] * 900 + [1] * 100)
    control = control_labels(torch.arange(1000), uneven)
    assert control.float().mean().item() == pytest.approx(0.1, abs=0.03)


def words_in_context(seed):
    """Features: which of 40 words it is, and, apart from that, which of 4 topics; what both are."""
    generator = torch.Generator().manual_seed(seed)
    word, topic = (torch.randint(n, (800,), generator=generator) for n in (40, 4))
    one_hot = torch.nn.functional.one_hot
    features = torch.cat([one_hot(word, 40), one_hot(topic, 4)], dim=1).float()
    return features + 0.02 * noise(800, 44, seed + 10), word, topic


def test_what_comes_from_the_context_is_selective_and_what_hangs_on_the_word_is_not():
    (train, words, topics), (test, test_words, test_topics) = words_in_context(0), words_in_context(1)

    def score(train_labels, test_labels):
        control = control_labels(
            torch.cat([words, test_words]), torch.cat([train_labels, test_labels])
        ).split(800)
        task = linear_probe(train, train_labels, test, test_labels, strength=1.0)
        return task, linear_probe(train, control[0], test, control[1], strength=1.0)

    task, control = score(words % 4, test_words % 4)
    assert task.accuracy > 0.95
    assert abs(selectivity(task, control)) < 0.1

    # Words that the features do not tell apart: only the context is left to read.
    train[:, :40] = test[:, :40] = 0.0
    task, control = score(topics, test_topics)
    assert task.accuracy > 0.95
    assert selectivity(task, control) > 0.5


def test_two_probes_are_compared_on_the_same_examples():
    with pytest.raises(ValueError, match="8 examples, the control on 4"):
        selectivity(result_of(RIGHT), result_of(RIGHT[:4]))
