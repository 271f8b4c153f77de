"""Path patching equals what hooks written by hand give, both with MLPs frozen and with MLPs computed anew."""

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.methods.path_patching import path_patch
from tests.models.small_transformers import CONFIGS, make, random_tokens
from tests.type_checks import unchecked, values_only

CLEAN, CORRUPTED = random_tokens(3, seed=1), random_tokens(3, seed=2)


def metric(logits):
    return logits[:, -1, 3] - logits[:, -1, 4]


def written(cache, model, sender):
    if sender == "embed":
        return cache["embed"] + cache["pos_embed"]
    layer = int(sender[1])
    if sender.endswith("MLP"):
        return cache["mlp_out", layer]
    return cache["z", layer][:, :, int(sender[3])] @ model.blocks[layer].attn.W_O[int(sender[3])]


@unchecked()
def one_edge_by_hand(model, sender, receiver, positions=slice(None)):
    """The metric when one input reads one other vector."""
    with torch.no_grad():
        _, clean = model.run_with_cache(CLEAN)
        _, corrupted = model.run_with_cache(CORRUPTED)
        delta = torch.zeros_like(clean["resid_pre", 0])
        change = written(corrupted, model, sender) - written(clean, model, sender)
        delta[:, positions] = change[:, positions]
        if receiver == "logits":
            return metric(model.unembed(clean["resid_post", -1] + delta))
        layer = int(receiver[1])
        block = model.blocks[layer]
        if receiver.endswith("MLP"):
            new = block.mlp(block.ln2(clean["resid_mid", layer] + delta))
            return metric(
                model.run_with_hooks(CLEAN, [(f"blocks.{layer}.hook_mlp_out", lambda a, name: new)])
            )
        head, part = int(receiver[3]), receiver[-1]
        weight, bias = (getattr(block.attn, f"{letter}_{part.upper()}") for letter in "Wb")
        new = block.ln1(clean["resid_pre", layer] + delta) @ weight[head]
        new = new if bias is None else new + bias[head]

        def put_in(activation, name):
            activation = activation.clone()
            activation[:, :, head] = new
            return activation

        return metric(model.run_with_hooks(CLEAN, [(f"blocks.{layer}.attn.hook_{part}", put_in)]))


PAIRS = [("L0H1", "L2H0.q"), ("L0H1", "L1H3.k"), ("embed", "L2H2.v"), ("L1H2", "logits")]
WITH_MLPS = [("L0 MLP", "L2H0.k"), ("L1H2", "L1 MLP"), ("L1 MLP", "logits")]


@values_only
@pytest.mark.parametrize("kind", sorted(CONFIGS))
def test_one_edge_is_patched_as_by_hand(kind):
    model = make(CONFIGS[kind])
    for sender, receiver in PAIRS + WITH_MLPS * bool(model.config.d_mlp):
        found = path_patch(model, CLEAN, CORRUPTED, metric, senders=[sender], receivers=receiver)
        want = one_edge_by_hand(model, sender, receiver)
        torch.testing.assert_close(found.by_example[0], want, atol=1e-4, rtol=1e-4)
        assert not torch.allclose(want, found.clean, atol=1e-3), "the edge carries something"


def test_only_the_chosen_positions_hear_the_message():
    model = make(CONFIGS["gpt2"])
    found = path_patch(
        model, CLEAN, CORRUPTED, metric, senders=["L0H1"], receivers="L1H3.k", positions=[2, 5]
    )
    want = one_edge_by_hand(model, "L0H1", "L1H3.k", positions=[2, 5])
    torch.testing.assert_close(found.by_example[0], want, atol=1e-4, rtol=1e-4)


@unchecked()
def through_mlps_by_hand(model, sender, receiver):
    """Step by step: attention as in the clean run, MLPs live, and then only the receiver's input put in."""
    with torch.no_grad():
        _, clean = model.run_with_cache(CLEAN)
        _, corrupted = model.run_with_cache(CORRUPTED)
        resid = clean["embed"] + clean["pos_embed"]
        for layer, block in enumerate(model.blocks):
            if receiver != "logits" and layer == int(receiver[1]):
                head, part = int(receiver[3]), receiver[-1]
                weight, bias = (getattr(block.attn, f"{letter}_{part.upper()}") for letter in "Wb")
                new = block.ln1(resid) @ weight[head] + bias[head]

                def put_in(activation, name, new=new, head=head):
                    activation = activation.clone()
                    activation[:, :, head] = new
                    return activation

                return metric(model.run_with_hooks(CLEAN, [(f"blocks.{layer}.attn.hook_{part}", put_in)]))
            resid = resid + clean["attn_out", layer]
            if int(sender[1]) == layer:
                resid = resid + written(corrupted, model, sender) - written(clean, model, sender)
            resid = resid + block.mlp(block.ln2(resid))
        return metric(model.unembed(resid))


@pytest.mark.parametrize("receiver", ["L2H1.q", "L2H1.v", "logits"])
def test_with_mlps_computed_anew_it_equals_a_run_written_out_step_by_step(receiver):
    model = make(CONFIGS["gpt2"])
    found = path_patch(
        model, CLEAN, CORRUPTED, metric, senders=["L0H1"], receivers=receiver, through_mlps=True
    )
    torch.testing.assert_close(
        found.by_example[0], through_mlps_by_hand(model, "L0H1", receiver), atol=1e-4, rtol=1e-4
    )
    edge = path_patch(model, CLEAN, CORRUPTED, metric, senders=["L0H1"], receivers=receiver)
    assert not torch.allclose(found.by_example, edge.by_example, atol=1e-3), "MLPs hand the message on"


@pytest.mark.parametrize("through_mlps", [False, True], ids=["edge only", "through MLPs"])
def test_a_clean_message_changes_nothing(through_mlps):
    model = make(CONFIGS["gpt2"])
    found = path_patch(model, CLEAN, CLEAN, metric, receivers=["L2H0.q", "L1H1.v"], through_mlps=through_mlps)
    assert found.senders[0] == "embed"
    assert "L1 MLP" in found.senders
    assert "L2H0" not in found.senders
    assert max(map(abs, found.changes.values())) < 1e-4


def test_heads_are_returned_as_a_table_with_their_intervals():
    model = make(CONFIGS["gpt2"])
    found = path_patch(model, CLEAN, CORRUPTED, metric, senders="heads", receivers="logits")
    table = found.heads()
    assert table.values.shape == (3, 4)
    assert table["L1H2"] == pytest.approx(found.changes["L1H2"], abs=1e-6)
    assert found.interval("L1H2").low <= found.changes["L1H2"] <= found.interval("L1H2").high
    assert found.lowest(2)[0][1] <= found.lowest(2)[1][1]


def test_what_cannot_be_heard_is_refused():
    model = make(CONFIGS["gpt2"])
    with pytest.raises(CourseError, match="cannot hear L2H1"):
        path_patch(model, CLEAN, CORRUPTED, metric, senders=["L2H1"], receivers="L1H0.q")
    with pytest.raises(UnknownName, match="L1H0"):
        path_patch(model, CLEAN, CORRUPTED, metric, receivers="L1H0")
    with pytest.raises(CourseError, match="only receiver"):
        path_patch(model, CLEAN, CORRUPTED, metric, receivers=["logits", "L1H0.q"], through_mlps=True)
