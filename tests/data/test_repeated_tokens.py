"""A block and the same block again; the control has the same make and nothing in it comes back."""

import pytest
import torch

from mi_course.data import repeated_tokens

BOS = 9


def test_a_row_is_the_mark_and_the_block_as_often_as_asked():
    rows = repeated_tokens.batch(10, 5, 4, copies=3, bos=BOS)
    assert rows.shape == (5, 13)
    assert (rows[:, 0] == BOS).all()
    assert torch.equal(rows[:, 1:5], rows[:, 5:9])
    assert torch.equal(rows[:, 1:5], rows[:, 9:])


def test_without_a_mark_there_is_none():
    assert repeated_tokens.batch(10, 2, 4).shape == (2, 8)


@pytest.mark.parametrize("make", [repeated_tokens.batch, repeated_tokens.unrepeated])
@pytest.mark.parametrize("distinct", [True, False])
def test_only_allowed_tokens_are_drawn_and_all_of_them(make, distinct):
    rows = make(20, 200, 4, bos=BOS, exclude=(0, 3), distinct=distinct)
    assert set(rows[:, 1:].flatten().tolist()) == set(range(20)) - {0, 3, BOS}


def test_the_tokens_of_a_block_differ_if_they_should():
    block = repeated_tokens.batch(6, 100, 6)[:, :6]
    assert torch.equal(block.sort().values, torch.arange(6).expand(100, 6))
    loose = repeated_tokens.batch(6, 100, 6, distinct=False)[:, :6]
    assert not torch.equal(loose.sort().values, torch.arange(6).expand(100, 6))


def test_the_control_begins_like_the_rows_and_nothing_in_it_comes_back():
    rows, control = (
        make(40, 50, 8, bos=BOS, seed=3) for make in (repeated_tokens.batch, repeated_tokens.unrepeated)
    )
    assert rows.shape == control.shape
    assert torch.equal(rows[:, :9], control[:, :9])
    assert all(len(set(row)) == len(row) for row in control.tolist())


def test_a_seed_repeats_itself_and_rows_do_not_depend_on_their_number():
    def make(n, seed):
        return repeated_tokens.batch(30, n, 5, seed=seed)

    assert torch.equal(make(7, 1)[:3], make(3, 1))
    assert not torch.equal(make(7, 1), make(7, 2))


@pytest.mark.parametrize("bos", [None, BOS])
@pytest.mark.parametrize("copies", [2, 3])
def test_what_is_predictable_follows_a_token_that_has_been_there(bos, copies):
    rows = repeated_tokens.batch(40, 3, 5, copies=copies, bos=bos)
    where = repeated_tokens.predictable(5, copies=copies, bos=bos)
    positions = range(*where.indices(rows.shape[1]))
    assert len(positions) == 5 * (copies - 1) - 1
    for row in rows.tolist():
        for pos in positions:
            last_time = max(p for p in range(pos) if row[p] == row[pos])
            assert row[last_time + 1] == row[pos + 1]
        assert row[positions[0] - 1] not in row[: positions[0] - 1]


def test_a_block_that_is_too_long_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match=r"only 9 of 10.*distinct=False"):
        repeated_tokens.batch(10, 1, 10, bos=BOS)
    with pytest.raises(ValueError, match="shorter period"):
        repeated_tokens.unrepeated(10, 1, 6)
    with pytest.raises(ValueError, match="at least 1"):
        repeated_tokens.batch(10, 0, 3)
