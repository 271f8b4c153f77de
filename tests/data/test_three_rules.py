"""Texts that keep their three rules, and whose stated chances are those of the process that made them."""

import math

import pytest
import torch

from mi_course.data import three_rules as rules

SECOND_OF = dict(rules.PAIRS)
WEATHER_OF = dict(rules.WEATHER)
SEASON_OF = {weather: season for season, weather in rules.WEATHER}


@pytest.fixture(scope="module")
def texts():
    return rules.sample(3_000, seed=4)


def words(texts, row):
    return [rules.WORDS[token] for token in texts.tokens[row].tolist()]


def is_kind(texts, name):
    return texts.kind == rules.KINDS.index(name)


def test_there_are_64_words_and_two_marks():
    assert len(rules.WORDS) == len(set(rules.WORDS)) == 66
    assert rules.WORDS[rules.BOS] == rules.END_OF_TEXT


def test_the_mark_stands_in_front_and_nowhere_else(texts):
    assert texts.tokens.shape == (3_000, rules.LENGTH)
    assert (texts.tokens[:, 0] == rules.BOS).all()
    assert (texts.kind[:, 0] == -1).all()
    assert (texts.tokens[:, 1:] < rules.BOS).all()
    assert (texts.kind[:, 1:] >= 0).all()


def test_the_same_seed_gives_the_same_texts_and_another_gives_others():
    one, again, other = (rules.sample(20, seed=seed).tokens for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def phrases(texts, row):
    """The phrases of one text, cut at the words that are marked as a start; the last may be cut short."""
    said = words(texts, row)
    starts = [p for p in range(1, rules.LENGTH) if texts.kind[row, p] == 0]
    return [(p, said[p:end]) for p, end in zip(starts, [*starts[1:], rules.LENGTH])]


def test_a_copied_phrase_is_one_that_was_said_before_word_for_word(texts):
    for row in range(100):
        seen = []
        for start, phrase in phrases(texts, row):
            is_copy = len(phrase) > 1 and texts.kind[row, start + 1] == rules.KINDS.index("copied")
            whole = start + len(phrase) < rules.LENGTH
            assert not whole or rules.PHRASE_LENGTHS[0] <= len(phrase) <= rules.PHRASE_LENGTHS[1]
            if is_copy:
                assert any(old[: len(phrase)] == phrase for old in seen)
            elif whole:
                seen.append(phrase)
        assert len(seen) <= rules.PHRASES


def test_no_word_that_stands_for_anything_is_twice_in_the_phrases_of_a_text(texts):
    for row in range(100):
        fresh = [
            word
            for start, phrase in phrases(texts, row)
            if len(phrase) < 2 or texts.kind[row, start + 1] != rules.KINDS.index("copied")
            for word in (phrase if len(phrase) > 1 else [])
            if word in rules.ANYTHING
        ]
        assert len(fresh) == len(set(fresh))


def test_every_text_has_one_season_and_its_weather(texts):
    for row in range(200):
        said = words(texts, row)
        seasons = {word for word in said if word in WEATHER_OF} | {
            SEASON_OF[w] for w in said if w in SEASON_OF
        }
        assert len(seasons) <= 1


@pytest.mark.parametrize("kind", ["pair", "weather"])
def test_a_rule_is_kept_nine_times_in_ten(texts, kind):
    kept = []
    for row, pos in is_kind(texts, kind).nonzero().tolist():
        before, word = (rules.WORDS[texts.tokens[row, p]] for p in (pos - 1, pos))
        kept.append(word in SEASON_OF if kind == "weather" else word == SECOND_OF[before])
    share = sum(kept) / len(kept)
    assert share == pytest.approx(rules.KEPT, abs=4 * math.sqrt(0.09 / len(kept)))


def test_the_weather_counts_as_foreseeable_only_when_the_season_was_told(texts):
    tells = set(WEATHER_OF) | set(SEASON_OF)
    for row, pos in is_kind(texts, "weather").nonzero().tolist()[:500]:
        said = words(texts, row)
        assert said[pos - 1] == rules.BRINGS
        assert tells & set(said[:pos])


def test_a_copied_word_was_certain(texts):
    assert (texts.chance[is_kind(texts, "copied")] == 1).all()
    assert ((texts.chance > 0) & (texts.chance <= 1 + 1e-6)).all()


def chance_of_a_free_word(word, used):
    """By the shares that the module states, among the words that are left."""
    firsts = {first for first, _ in rules.PAIRS}
    if word in rules.ANYTHING:
        return 0.0 if word in used else (1 - sum(rules.SHARES.values())) / (len(rules.ANYTHING) - len(used))
    if word in firsts:
        return rules.SHARES["first half of a pair"] / len(firsts)
    if word in WEATHER_OF:
        return rules.SHARES["the text's season"]
    return rules.SHARES[rules.BRINGS] if word == rules.BRINGS else 0.0


def test_stated_chances_are_those_of_a_second_derivation(texts):
    """Counted anew from the words alone: which phrases were said, which words are used up, which rule applies."""
    for row in range(200):
        said, used = [], set()
        for start, phrase in phrases(texts, row)[:-1]:  # whether the last one is a copy may not show any more
            stated = texts.chance[row, start : start + len(phrase)].tolist()
            share_of_new = (rules.PHRASES - len(said)) / rules.PHRASES
            again = sum(old[0] == phrase[0] for old in said) / rules.PHRASES
            assert stated[0] == pytest.approx(
                again + share_of_new * chance_of_a_free_word(phrase[0], used), rel=1e-3
            )
            if texts.kind[row, start + 1] == rules.KINDS.index("copied"):
                continue
            season = season_of(texts, row)
            for place, word in enumerate(phrase):
                if place:
                    ruled = SECOND_OF.get(phrase[place - 1])
                    ruled = WEATHER_OF.get(season) if phrase[place - 1] == rules.BRINGS else ruled
                    free = chance_of_a_free_word(word, used)
                    expected = (
                        free if ruled is None else rules.KEPT * (word == ruled) + (1 - rules.KEPT) * free
                    )
                    if (
                        season is not None or phrase[place - 1] != rules.BRINGS
                    ):  # else only the maker knows it
                        assert stated[place] == pytest.approx(expected, rel=1e-3)
                used |= {word} & set(rules.ANYTHING)
            said.append(phrase)


def season_of(texts, row):
    """The season of a text, as its words give it away; None if they never do."""
    told = [
        SEASON_OF.get(word, word) for word in words(texts, row) if word in WEATHER_OF or word in SEASON_OF
    ]
    return told[0] if told else None


def test_free_words_are_as_frequent_as_their_shares(texts):
    firsts = [rules.NUMBER[first] for first, _ in rules.PAIRS]
    ruled = torch.isin(texts.tokens[:, :-1], torch.tensor([*firsts, rules.NUMBER[rules.BRINGS]]))
    free = texts.tokens[:, 1:][is_kind(texts, "anything")[:, 1:] & ~ruled]
    for tokens, share in (
        ([rules.NUMBER[rules.BRINGS]], rules.SHARES[rules.BRINGS]),
        (firsts, rules.SHARES["first half of a pair"]),
        ([rules.NUMBER[season] for season in WEATHER_OF], rules.SHARES["the text's season"]),
    ):
        found = torch.isin(free, torch.tensor(tokens)).float().mean()
        assert found == pytest.approx(share, abs=5 * math.sqrt(share / len(free)))


def test_no_text_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        rules.sample(0)
