"""The tiny world: its texts read well, say the truth about themselves, and keep held-out parts out."""

import itertools
import math
import random

import pytest

from mi_course.data import tiny_world as tw
from mi_course.data.tiny_world import facts, gifts, paragraphs
from mi_course.data.tiny_world.grammar import Memory
from mi_course.data.tiny_world.words import FAMOUS_BRIDGE, NAMES, STRANGERS, TOPICS, nouns
from mi_course.data.tiny_world.world import LONGEST, ordinary_words
from mi_course.errors import UnknownName
from tests.type_checks import unchecked, values_only


@pytest.fixture(scope="module")
@unchecked()
def documents():
    return tw.world().documents(1200, seed=3)


def of_kind(documents, kind):
    return [document for document in documents if document.kind == kind]


def test_the_same_seed_writes_the_same_documents(documents):
    again = tw.world().documents(50, seed=3)
    assert [d.text for d in again] == [d.text for d in documents[:50]]
    assert [d.text for d in tw.world().documents(50, seed=4)] != [d.text for d in again]


def test_kinds_come_by_their_shares(documents):
    for kind, share in tw.SHARES.items():
        n = len(of_kind(documents, kind))
        assert abs(n - len(documents) * share) < 4 * math.sqrt(len(documents) * share)


def test_every_document_fits_into_the_context(documents):
    assert max(len(document.tokens) for document in documents) <= LONGEST


@values_only
def test_every_word_of_every_part_is_in_the_vocabulary(documents):
    words = set(ordinary_words())
    for frames in ("held_out", "unseen"):
        documents = [*documents, *tw.World(frames=frames, phrasing="held_out").documents(300, seed=1)]
    documents = [*documents, *tw.World(phrasing="fresh").documents(300, seed=1, kind="facts")]
    assert {token for document in documents for token in document.tokens} <= words


def test_the_vocabulary_begins_with_the_end_of_text_and_has_no_word_twice():
    vocabulary = tw.vocabulary()
    assert vocabulary[:2] == (tw.EOS, tw.UNKNOWN)
    assert len(set(vocabulary)) == len(vocabulary)
    assert tw.token_ids()[vocabulary[17]] == 17


def test_the_exact_probabilities_of_a_documents_tokens_are_probabilities(documents):
    for document in documents[:10]:
        scored = tw.world().score(document)
        assert len(scored.nats) == len(document.tokens) + 1
        assert all(0 < p <= 1 + 1e-9 for p in scored.probabilities)


@values_only
@pytest.mark.parametrize("kind", tw.SHARES)
def test_what_can_come_next_adds_up_to_one_and_agrees_with_the_score(kind):
    document = tw.world().documents(1, seed=5, kind=kind)[0]
    belief, scored = tw.world().belief(), tw.world().score(document)
    for token, p in list(zip(document.tokens, scored.probabilities))[:9]:
        spread = belief.next_tokens()
        assert math.fsum(spread.values()) == pytest.approx(1.0)
        assert spread[token] == pytest.approx(p)
        _, belief = belief.after(token)


def test_the_second_copy_of_a_string_costs_next_to_nothing():
    document = next(d for d in tw.world().documents(50, seed=1, kind="repeat") if d.written[0].role == "any")
    nats = tw.world().score(document).nats
    roles = [word.role for word in document.written]
    first = [n for n, role in zip(nats, roles) if role == "any"]
    second = [n for n, role in zip(nats, roles) if role == "copy"]
    assert sum(first) / len(first) > 5
    assert sum(second[3:]) / len(second[3:]) < 0.2


def test_a_gift_goes_to_somebody_who_was_named_once(documents):
    for document in of_kind(documents, "gift"):
        end = next(i for i, word in enumerate(document.written) if word.role == "recipient")
        before = [word.token for word in document.written[:end] if word.token in NAMES]
        assert before.count(document.written[end].token) == 1
        assert before.count(document.written[end].latents["giver"]) >= 2


def test_with_three_people_leaving_out_the_giver_is_not_enough(documents):
    three = [d for d in of_kind(documents, "gift") if d.latent("story")[-1] == "three"]
    assert len(three) > 100
    for document in three:
        end = next(i for i, word in enumerate(document.written) if word.role == "recipient")
        before = [word.token for word in document.written[:end] if word.token in NAMES]
        assert sorted(before.count(name) for name in set(before)) == [1, 2, 2]


def test_whoever_the_second_sentence_names_may_also_be_the_answer(documents):
    newcomers = [d for d in of_kind(documents, "gift") if d.latent("story")[-1] == "newcomer"]
    won = [d.latent("c")[-1] == d.latent("recipient")[-1] for d in newcomers]
    assert 0.2 < sum(won) / len(won) < 0.5


def test_both_orders_are_equally_common(documents):
    two = [d for d in of_kind(documents, "gift") if d.latent("story")[-1] == "two"]
    first = [d.latent("giver")[-1] == d.latent("a")[-1] for d in two]
    assert abs(sum(first) / len(first) - 0.5) < 0.08


def people(document):
    latents = document.written[-1].latents
    return [latents[key] for key in "abc" if key in latents]


def strangers_in(document):
    return [pair for pair in itertools.combinations(people(document), 2) if gifts.are_strangers(*pair)]


def test_strangers_are_never_in_one_story_of_the_training_text(documents):
    assert not any(strangers_in(document) for document in of_kind(documents, "gift"))


def test_every_held_out_story_has_two_strangers():
    held_out = tw.World(pairs="held_out").documents(100, seed=1, kind="gift")
    assert all(strangers_in(document) for document in held_out)
    assert {document.latent("story")[-1] for document in held_out} == {"two", "three", "newcomer", "busy"}


def test_nobody_has_more_than_one_stranger():
    everyone = [name for pair in STRANGERS for name in pair]
    assert len(set(everyone)) == len(everyone) == 48


def wordings(frames):
    rules = {rule.name: rule for rule in gifts.rules(frames)}
    return {b.symbols for name in ("opening2", "giving") for b in rules[name].table(Memory()).branches}


def test_held_out_wordings_are_none_of_those_that_training_uses():
    training, held_out, unseen = (wordings(which) for which in ("training", "held_out", "unseen"))
    assert not training & held_out
    assert not (training | held_out) & unseen
    assert min(map(len, (training, held_out, unseen))) >= 40


def test_facts_are_always_the_same(documents):
    stated = {}
    for document in of_kind(documents, "facts"):
        for word in document.written:
            if word.role == "answer":
                key = word.latents["relation"], word.latents["subject"]
                assert stated.setdefault(key, word.token) == word.token == facts.ANSWERS[key]
    assert len(stated) > 200


def test_phrasings_that_are_held_out_are_never_written(documents):
    for relation in facts.RELATIONS.values():
        assert not set(relation.training) & set(relation.held_out)
        assert len(relation.held_out) >= 3
    used = {
        w.latents["phrasing"] for d in of_kind(documents, "facts") for w in d.written if w.role == "answer"
    }
    assert not used & {p for r in facts.RELATIONS.values() for p in r.held_out}


def test_neither_word_of_a_landmark_says_its_town():
    """Of two landmarks that share a word few share the town."""
    towns = {s: a for (relation, s), a in facts.ANSWERS.items() if relation == "town"}
    pairs = [(x, y) for x in towns for y in towns if x < y and set(x.split()) & set(y.split())]
    same = sum(towns[x] == towns[y] for x, y in pairs) / len(pairs)
    assert same < 0.15


def test_a_paragraph_keeps_to_its_topic(documents):
    topic_of = {word: topic for topic in TOPICS for pair in nouns(topic) for word in pair}
    hits = [
        topic_of[word.token] == word.latents["topic"]
        for document in of_kind(documents, "paragraph")
        for word in document.written
        if word.role in ("noun", "nouns", "thing") and word.token in topic_of
    ]
    expected = paragraphs.ON_TOPIC + (1 - paragraphs.ON_TOPIC) / len(TOPICS)
    assert abs(sum(hits) / len(hits) - expected) < 0.02


def test_the_famous_bridge_stands_only_in_its_own_paragraphs(documents):
    with_bridge = [d for d in of_kind(documents, "paragraph") if FAMOUS_BRIDGE in d.text]
    assert len(with_bridge) > 8
    assert {d.latent("topic")[-1] for d in with_bridge} == {"bridge"}


def test_quotations_open_and_close_and_are_in_the_present(documents):
    for document in of_kind(documents, "paragraph"):
        assert document.tokens.count('"') in (0, 2)
        for word in document.written:
            if word.role == "spoken":
                assert word.latents["quoted"]
            if word.token in ("was", "were"):
                assert not word.latents["quoted"]
            if word.token in ("is", "are"):
                assert word.latents["quoted"]


def test_verbs_agree_with_the_head_of_their_subject(documents):
    plural = {many for topic in TOPICS for _, many in nouns(topic)}
    heads = 0
    for document in of_kind(documents, "paragraph"):
        tokens = document.tokens
        for i in range(len(tokens) - 5):
            if (
                tokens[i] == "the"
                and tokens[i + 2] in ("near", "behind", "by")
                and tokens[i - 1] in (".", '"')
            ):
                verb = next((t for t in tokens[i + 3 : i + 7] if t in ("was", "were", "is", "are")), None)
                if verb:
                    heads += 1
                    assert (verb in ("were", "are")) == (tokens[i + 1] in plural)
    assert heads > 30


def test_unknown_parts_and_kinds_are_named(without_type_checks):
    with pytest.raises(UnknownName, match="'held_out'"):
        tw.World(frames="heldout")
    with pytest.raises(UnknownName, match="kind of document"):
        tw.world().document(random.Random(0), "gifts")


def test_ids_have_the_end_of_text_on_both_sides(documents):
    ids = tw.token_ids()
    row = tw.as_ids(documents[0], ids)
    assert row[0] == row[-1] == ids[tw.EOS] == 0
    assert [tw.vocabulary()[i] for i in row[1:-1]] == list(documents[0].tokens)
