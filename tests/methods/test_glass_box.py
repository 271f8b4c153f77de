import pytest
import torch

from mi_course.data import digits
from mi_course.methods.glass_box import FEWEST, GRID, Condition, GlassBox, Rule, grow
from mi_course.methods.stroke_features import FEATURES, RIGHT_GAP, Feature, measure, shapes_of
from mi_course.methods.uncertainty import wilson_interval


def named(*names):
    return {name: Feature(name, "", "pixels", lambda shape: 0.0) for name in names}


@pytest.fixture(scope="module")
def planted():
    """Examples whose rule is known: digit 2 where a > 1, else 5 where b > 3, else 7."""
    table = torch.rand(300, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 4
    labels = torch.where(table[:, 0] > 1, 2, torch.where(table[:, 1] > 3, 5, 7))
    return table, labels


@pytest.fixture(scope="module")
def real():
    learn = digits.parts().learn
    return grow(measure(shapes_of(learn.images)), learn.labels, rules=12)


def test_it_finds_a_planted_rule(planted):
    table, labels = planted
    box = grow(table, labels, named("a", "b"), rules=3)
    assert torch.equal(box.answer_measured(table), labels)
    assert {rule.answer for rule in box.rules} == {2, 5, 7}
    assert box.key.feature == "a"
    assert box.key.threshold == pytest.approx(1.0, abs=2 * GRID)


def test_it_never_asks_about_noise(planted):
    table, labels = planted
    noise = torch.rand(300, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    box = grow(torch.cat([noise, table], dim=1), labels, named("noise", "a", "b"), rules=3)
    assert all(c.feature != "noise" for rule in box.rules for c in rule.conditions)


def test_it_stops_when_nothing_is_left_to_ask(planted):
    table, labels = planted
    assert len(grow(table, labels, named("a", "b"), rules=50).rules) == 3


def test_one_rule_says_the_commonest_digit(planted):
    table, labels = planted
    box = grow(table, labels, named("a", "b"), rules=1)
    assert box.rules == (Rule(1, (), 2, right=int((labels == 2).sum()), seen=300),)


def test_the_same_examples_give_the_same_key(planted):
    table, labels = planted
    assert str(grow(table, labels, named("a", "b"))) == str(grow(table.clone(), labels, named("a", "b")))


def test_thresholds_can_be_read_aloud(real):
    thresholds = [c.threshold for rule in real.rules for c in rule.conditions]
    assert all(round(t / GRID) == pytest.approx(t / GRID) for t in thresholds)


def test_no_rule_rests_on_a_handful_of_examples(real):
    assert min(rule.seen for rule in real.rules) >= FEWEST
    assert sum(rule.seen for rule in real.rules) == 900


def test_the_rule_that_fires_is_the_only_one_that_holds(real):
    for shape in shapes_of(digits.parts().choose.images[:30]):
        measures = real.measures(shape)
        holds = [
            rule
            for rule in real.rules
            if all((measures[c.feature] > c.threshold) == c.above for c in rule.conditions)
        ]
        assert holds == [real.rule_for(measures)]


def test_the_printed_key_shows_every_rule_once(real):
    for rule in real.rules:
        assert str(real).count(f"(rule {rule.number}: ") == 1


def test_turning_a_question_around_goes_the_other_way(planted):
    box = grow(*planted, named("a", "b"), rules=3)
    assert box.rule_for({"a": 3.0, "b": 0.0}).answer == 2
    assert box.rule_after_turning({"a": 3.0, "b": 0.0}, "a").answer == 7
    with pytest.raises(KeyError):
        box.rule_after_turning({"a": 3.0, "b": 0.0}, "b")


def test_a_threshold_itself_is_not_above():
    assert str(Condition("hole", 0.5, above=False)) == "hole ≤ 0.50"
    always = Rule(1, (), 4, 1, 1)
    assert GlassBox({}, always).rule_for({}) is always


def test_shuffled_labels_leave_it_at_chance(real):
    parts = digits.parts()
    table = measure(shapes_of(parts.learn.images))
    answered = measure(shapes_of(parts.choose.images))
    right = []
    for seed in range(8):
        shuffled = grow(table, parts.learn.with_shuffled_labels(seed).labels, rules=12)
        right.append((shuffled.answer_measured(answered) == parts.choose.labels).double().mean())
    assert torch.stack(right).mean() < 0.2
    assert (real.answer_measured(answered) == parts.choose.labels).double().mean() > 0.7


def test_the_missing_feature_helps():
    parts = digits.parts()
    learn, choose = shapes_of(parts.learn.images), shapes_of(parts.choose.images)

    def right(features):
        box = grow(measure(learn, features), parts.learn.labels, features, rules=12)
        return int((box.answer_measured(measure(choose, features)) == parts.choose.labels).sum())

    without, with_it = right(FEATURES), right({**FEATURES, "right_gap": RIGHT_GAP})
    assert wilson_interval(with_it, 300).low > without / 300


def test_pictures_and_measures_give_the_same_answers(real):
    images = digits.parts().choose.images[:20]
    assert torch.equal(real.answer(images), real.answer_measured(measure(shapes_of(images))))


def test_a_table_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="one column for each of the 10 features"):
        grow(torch.zeros(5, 3, dtype=torch.float64), torch.zeros(5, dtype=torch.int64))
