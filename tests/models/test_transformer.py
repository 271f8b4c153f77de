"""The transformer computes its formulas, in every variant; its parts can be read, changed, cut and resumed."""

import copy
import math

import pytest
import torch

from mi_course.errors import CourseError, UnknownName
from mi_course.models.transformer import GPT2_SMALL, Transformer, TransformerConfig, initialize
from tests.models.small_transformers import CONFIGS, SHAPE, hooks_left, make, random_tokens

every_kind = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
TOKENS = random_tokens()


@pytest.fixture(scope="module")
def model():
    return make(CONFIGS["gpt2"])


def by_hand(model: Transformer, tokens: torch.Tensor) -> torch.Tensor:
    """Logits of one row of tokens by the formulas: one head and one position at a time, in double precision."""
    c, double = model.config, torch.float64

    def norm(ln, x):
        if c.norm is None:
            return x
        x = x - x.mean()
        x = x / (x.pow(2).mean() + c.norm_eps).sqrt() * ln.w.to(double)
        return x if ln.b is None else x + ln.b.to(double)

    def act(x):
        if c.act == "relu":
            return x.clamp(min=0)
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    resid = [(model.W_E[t] + model.W_pos[i]).to(double) for i, t in enumerate(tokens)]
    for layer, block in enumerate(model.blocks):
        normed = [norm(block.ln1, x) for x in resid]
        added = [model.b_O[layer].to(double).clone() for _ in resid]
        for head in range(c.n_heads):
            q, k, v = (
                [x @ W[layer, head].to(double) + b[layer, head].to(double) for x in normed]
                for W, b in ((model.W_Q, model.b_Q), (model.W_K, model.b_K), (model.W_V, model.b_V))
            )
            for i in range(len(resid)):
                scores = torch.stack([q[i] @ k[j] / math.sqrt(c.d_head) for j in range(i + 1)])
                z = sum(share * v[j] for j, share in enumerate(scores.softmax(0)))
                added[i] += z @ model.W_O[layer, head].to(double)
        resid = [x + y for x, y in zip(resid, added)]
        if c.d_mlp:
            W_in, W_out = model.W_in[layer].to(double), model.W_out[layer].to(double)
            b_in, b_out = model.b_in[layer].to(double), model.b_out[layer].to(double)
            resid = [x + act(norm(block.ln2, x) @ W_in + b_in) @ W_out + b_out for x in resid]
    return torch.stack([norm(model.ln_final, x) @ model.W_U.to(double) for x in resid])


@every_kind
def test_logits_are_what_the_formulas_give_one_head_and_one_position_at_a_time(config):
    model = make(config)
    with torch.no_grad():
        logits = model(TOKENS)
        expected = torch.stack([by_hand(model, row) for row in TOKENS])
    assert logits.shape == (2, 9, 30)
    assert expected.std() > 0.3
    assert (logits - expected).abs().max() < 1e-4


@every_kind
def test_logits_are_the_same_with_and_without_gradients(config):
    model = make(config)
    with torch.no_grad():
        quiet = model(TOKENS)
    loud = model(TOKENS)
    assert loud.requires_grad
    assert not quiet.requires_grad
    assert torch.allclose(loud, quiet, atol=1e-5)


@every_kind
def test_a_gradient_reaches_every_parameter(config):
    model = make(config)
    model(TOKENS).logsumexp(-1).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@every_kind
def test_the_future_does_not_change_the_past(config):
    model, changed = make(config), TOKENS.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 30
    with torch.no_grad():
        before, after = model(TOKENS), model(changed)
    assert torch.allclose(before[:, :5], after[:, :5], atol=1e-5)
    assert not torch.allclose(before[:, 5:], after[:, 5:], atol=1e-2)


def test_each_row_of_a_batch_is_answered_by_itself(model):
    tokens = random_tokens(batch=5)
    with torch.no_grad():
        together, reversed_ = model(tokens), model(tokens.flip(0)).flip(0)
        alone = torch.cat([model(row[None]) for row in tokens])
    assert torch.allclose(together, alone, atol=1e-5)
    assert torch.allclose(together, reversed_, atol=1e-5)


def test_a_batch_of_no_text_has_no_logits(model):
    for grad in (True, False):
        with torch.set_grad_enabled(grad):
            assert model(TOKENS[:0]).shape == (0, 9, 30)


@pytest.mark.parametrize("pos", [1, 2, SHAPE["n_ctx"]])
def test_a_text_may_be_as_short_as_one_token_and_as_long_as_the_context(model, pos):
    with torch.no_grad():
        assert model(random_tokens(pos=pos)).shape == (2, pos, 30)


def test_logits_can_be_flattened_without_a_copy(model):
    with torch.no_grad():
        logits = model(TOKENS)
    assert logits.view(-1, 30).shape == (18, 30)
    assert logits.stride(-1) == 1


BLOCK = """hook_resid_pre ln1.hook_scale ln1.hook_normalized attn.hook_q attn.hook_k attn.hook_v
attn.hook_attn_scores attn.hook_pattern attn.hook_z hook_attn_out hook_resid_mid ln2.hook_scale
ln2.hook_normalized mlp.hook_pre mlp.hook_post hook_mlp_out hook_resid_post"""
NOT_IN = {
    "attention-only": ("ln1", "ln2", "mlp", "resid_mid", "ln_final"),
    "no norm": ("ln1", "ln2", "ln_final"),
}


@every_kind
def test_points_bear_transformer_lens_names_in_the_order_of_computation(config, request):
    names = ["hook_embed", "hook_pos_embed"]
    names += [f"blocks.{layer}.{name}" for layer in range(3) for name in BLOCK.split()]
    names += ["ln_final.hook_scale", "ln_final.hook_normalized"]
    missing = NOT_IN.get(request.node.callspec.id, ())
    names = [name for name in names if not any(part in name for part in missing)]
    model = make(config)
    assert list(model.hook_points()) == names
    assert list(model.run_with_cache(TOKENS)[1]) == names


def test_cached_shapes_are_the_documented_ones(model):
    _, cache = model.run_with_cache(TOKENS)
    for point in ("resid_pre", "attn_out", "resid_mid", "mlp_out", "resid_post"):
        assert cache[point, 1].shape == (2, 9, 24)
    for point in ("q", "k", "v", "z"):
        assert cache[point, 1].shape == (2, 9, 4, 6)
    for point in ("attn_scores", "pattern"):
        assert cache[point, 1].shape == (2, 4, 9, 9)
    assert cache["pre", 1].shape == cache["post", 1].shape == (2, 9, 48)
    assert cache["scale", 1, "ln1"].shape == cache["scale"].shape == (2, 9, 1)
    assert cache["embed"].shape == cache["pos_embed"].shape == (2, 9, 24)


@every_kind
def test_the_residual_stream_is_the_sum_of_what_was_written_to_it(config):
    model = make(config)
    with torch.no_grad():
        logits, cache = model.run_with_cache(TOKENS)
    written = cache["embed"] + cache["pos_embed"]
    for layer in range(3):
        assert torch.allclose(cache["resid_pre", layer], written, atol=1e-5)
        written = written + cache["attn_out", layer]
        if config.d_mlp:
            assert torch.allclose(cache["resid_mid", layer], written, atol=1e-5)
            written = written + cache["mlp_out", layer]
        assert torch.allclose(cache["resid_post", layer], written, atol=1e-5)
    assert torch.allclose(model.unembed(written), logits, atol=1e-4)


def test_a_pattern_is_a_distribution_over_the_past(model):
    _, cache = model.run_with_cache(TOKENS)
    future = torch.ones(9, 9, dtype=torch.bool).triu(diagonal=1)
    for layer in range(3):
        pattern = cache["pattern", layer]
        assert torch.allclose(pattern.sum(-1), torch.ones(2, 4, 9), atol=1e-5)
        assert (pattern[..., future] == 0).all()
        assert (pattern[..., ~future] > 0).all()
        assert (cache["attn_scores", layer][..., future] == -torch.inf).all()
        assert cache["attn_scores", layer][..., ~future].isfinite().all()


def test_the_output_of_attention_is_the_sum_of_its_heads(model):
    with torch.no_grad():
        _, cache = model.run_with_cache(TOKENS)
        heads = torch.einsum("bphd,hdm->bphm", cache["z", 2], model.W_O[2])
        assert torch.allclose(heads.sum(2) + model.b_O[2], cache["attn_out", 2], atol=1e-5)


def test_the_normalized_stream_has_mean_0_and_variance_1(model):
    _, cache = model.run_with_cache(TOKENS)
    normalized = cache["normalized", 1, "ln2"]
    assert normalized.mean(-1).abs().max() < 1e-5
    assert torch.allclose(normalized.square().mean(-1), torch.ones(2, 9), atol=1e-3)
    spread = (cache["resid_mid", 1].var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    assert torch.allclose(cache["scale", 1, "ln2"], spread, atol=1e-5)


@every_kind
def test_a_run_can_stop_at_every_layer_and_go_on_from_there(config):
    model = make(config)
    with torch.no_grad():
        logits, cache = model.run_with_cache(TOKENS)
        for layer in range(4):
            resid = model(TOKENS, stop_at_layer=layer)
            if layer < 3:
                assert torch.equal(resid, cache["resid_pre", layer])
            else:
                assert torch.equal(resid, cache["resid_post", -1])
            assert torch.equal(model.run_from(resid, layer), logits)
        assert torch.equal(model(TOKENS, stop_at_layer=-1), cache["resid_pre", 2])


def test_what_is_cached_before_a_stop_is_what_a_whole_run_caches(model):
    _, whole = model.run_with_cache(TOKENS)
    resid, part = model.run_with_cache(TOKENS, stop_at_layer=2)
    assert torch.equal(resid, whole["resid_pre", 2])
    assert set(part) == {name for name in whole if not name.startswith(("blocks.2", "ln_final"))}
    assert all(torch.equal(part[name], whole[name]) for name in part)


def test_a_stop_runs_no_layer_too_many(model):
    ran = []
    with model.hooks([(f"blocks.{n}.hook_resid_pre", lambda _, name: ran.append(name)) for n in range(3)]):
        model(TOKENS, stop_at_layer=1)
        model.run_from(torch.zeros(1, 2, 24), 2)
    assert ran == ["blocks.0.hook_resid_pre", "blocks.2.hook_resid_pre"]


def test_hooks_and_caches_work_in_a_resumed_run(model):
    _, cache = model.run_with_cache(TOKENS)
    change = ("blocks.2.attn.hook_z", lambda z, name: z * 0)
    expected = model.run_with_hooks(TOKENS, [change])
    with model.hooks([change]), model.caching(["blocks.2.hook_attn_out"]) as found:
        resumed = model.run_from(cache["resid_pre", 2], 2)
    assert torch.allclose(resumed, expected, atol=1e-5)
    assert torch.allclose(found["blocks.2.hook_attn_out"], model.b_O[2].expand(2, 9, 24))


@pytest.mark.parametrize("layer", [4, -4, 100])
def test_a_layer_that_is_not_there_is_refused(model, layer):
    with pytest.raises(CourseError, match=f"no layer {layer}: the model has 3"):
        model(TOKENS, stop_at_layer=layer)
    with pytest.raises(CourseError, match=f"no layer {layer}"):
        model.run_from(torch.zeros(1, 2, 24), layer)


def test_a_residual_stream_of_another_width_is_refused(model, without_type_checks):
    with pytest.raises(
        CourseError, match=r"shape \(1, 2, 23\); expected \(batch, pos, d_model\), with d_model = 24"
    ):
        model.run_from(torch.zeros(1, 2, 23), 0)


@every_kind
def test_every_point_can_be_replaced_and_what_comes_after_it_follows(config):
    def uneven(x, name):
        return x * torch.linspace(0.5, 1.5, x.shape[-1])

    model = make(config)
    with torch.no_grad():
        logits = model(TOKENS)
        for name in model.hook_points():
            changed = model.run_with_hooks(TOKENS, [(name, uneven)])
            assert changed.isfinite().all(), name
            assert not torch.allclose(changed, logits, atol=1e-3), name
            same = model.run_with_hooks(TOKENS, [(name, lambda x, _: x.clone())])
            assert torch.equal(same, logits), name
    assert hooks_left(model) == 0


def test_a_replaced_pattern_moves_other_values(model):
    """Every head looks at the first token only, so that all positions collect that token's value."""
    look_back = torch.zeros(2, 4, 9, 9)
    look_back[..., 0] = 1
    with model.hooks([("blocks.1.attn.hook_pattern", lambda pattern, name: look_back)]):
        _, cache = model.run_with_cache(TOKENS)
    assert torch.allclose(cache["z", 1], cache["v", 1][:, :1].expand(2, 9, 4, 6), atol=1e-6)


def test_in_place_changes_in_a_hook_count_and_leave_the_weights_alone(model):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def erase(activation, name):
        activation[:] = 0

    with torch.no_grad():
        for name in model.hook_points():
            changed = model.run_with_hooks(TOKENS[:1], [(name, erase)])
            assert not torch.allclose(changed, model(TOKENS[:1]), atol=1e-3), name
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_hooks_are_gone_after_an_exception_in_one(model):
    def fail(activation, name):
        raise ZeroDivisionError

    before = model(TOKENS)
    hooks = [("blocks.0.hook_attn_out", lambda x, name: x * 0), ("blocks.1.mlp.hook_post", fail)]
    with pytest.raises(ZeroDivisionError):
        model.run_with_hooks(TOKENS, hooks)
    with pytest.raises(CourseError), model.hooks(hooks):
        model(TOKENS + 1000)
    assert hooks_left(model) == 0
    assert torch.equal(model(TOKENS), before)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("blocks.1.attn.hook_patern", "blocks.1.attn.hook_pattern"),
        ("blocks.1.hook_resid_prev", "blocks.1.hook_resid_pre"),
        ("blocks.7.attn.hook_q", "blocks.0.attn.hook_q"),
        ("ln_final.hook_scal", "ln_final.hook_scale"),
    ],
)
def test_an_unknown_point_offers_the_nearest(model, name, near):
    with pytest.raises(UnknownName, match=f"'{near}'"):
        model.run_with_cache(TOKENS, [name])
    with pytest.raises(UnknownName, match=f"'{near}'"):
        model.run_with_hooks(TOKENS, [(name, lambda x, name: x)])


def test_a_function_chooses_the_points_to_cache(model):
    _, cache = model.run_with_cache(TOKENS, lambda name: name.endswith("hook_pattern"))
    assert list(cache) == [f"blocks.{layer}.attn.hook_pattern" for layer in range(3)]
    assert cache.stack("pattern").shape == (3, 2, 4, 9, 9)


def test_a_point_behind_the_stop_is_not_silently_missing(model):
    with pytest.raises(CourseError, match=r"did not reach blocks\.2\.attn\.hook_q"):
        model.run_with_cache(TOKENS, ["blocks.2.attn.hook_q"], stop_at_layer=1)


def test_the_gradient_at_a_cached_activation_predicts_a_small_change(model):
    def metric(logits):
        return logits[:, -1, 3].sum() - logits[:, -1, 7].sum()

    names = [
        "blocks.1.attn.hook_z",
        "blocks.1.attn.hook_q",
        "blocks.0.hook_resid_pre",
        "blocks.2.mlp.hook_post",
    ]
    logits, cache = model.run_with_cache(TOKENS, names)
    gradients = torch.autograd.grad(metric(logits), [cache[name] for name in names])
    for name, gradient in zip(names, gradients):
        step = 1e-2 * torch.randn(gradient.shape, generator=torch.Generator().manual_seed(3))

        def moved(by, name=name):
            return metric(model.run_with_hooks(TOKENS, [(name, lambda x, _: x + by)])).item()

        change = (moved(step) - moved(-step)) / 2
        assert (gradient * step).sum().item() == pytest.approx(change, rel=2e-2, abs=1e-4), name


@every_kind
def test_weights_have_the_shapes_of_the_formulas(config):
    model, c = make(config), config
    shapes = {
        "W_E": (30, 24),
        "W_pos": (12, 24),
        "W_U": (24, 30),
        **dict.fromkeys(("W_Q", "W_K", "W_V"), (3, 4, 24, c.d_head)),
        "W_O": (3, 4, c.d_head, 24),
        **dict.fromkeys(("b_Q", "b_K", "b_V"), (3, 4, c.d_head)),
        "b_O": (3, 24),
    }
    if c.d_mlp:
        shapes |= {
            "W_in": (3, 24, c.d_mlp),
            "W_out": (3, c.d_mlp, 24),
            "b_in": (3, c.d_mlp),
            "b_out": (3, 24),
        }
    assert {name: tuple(getattr(model, name).shape) for name in shapes} == shapes
    assert model.b_U is None
    for name in ("W_Q", "W_K", "W_V", "W_O"):
        assert torch.equal(getattr(model, name)[1], getattr(model.blocks[1].attn, name))
    if not c.bias:
        assert not model.b_Q.any()
        assert not model.b_O.any()


def test_queries_keys_and_values_are_what_their_weights_make(model):
    with torch.no_grad():
        _, cache = model.run_with_cache(TOKENS)
        x = cache["normalized", 1, "ln1"] * model.blocks[1].ln1.w + model.blocks[1].ln1.b
        for point, W, b in (("q", "W_Q", "b_Q"), ("k", "W_K", "b_K"), ("v", "W_V", "b_V")):
            by_head = torch.einsum("bpm,hmd->bphd", x, getattr(model, W)[1]) + getattr(model, b)[1]
            assert torch.allclose(by_head, cache[point, 1], atol=1e-5), point


@pytest.mark.parametrize("name", ["W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V"])
def test_one_heads_weights_can_be_changed_in_place_in_a_copy(model, name):
    edited = copy.deepcopy(model)
    with torch.no_grad():
        getattr(edited.blocks[1].attn, name)[2] = 0
    assert not getattr(edited, name)[1, 2].any()
    assert getattr(model, name)[1, 2].any()
    others = [0, 1, 3]
    assert torch.equal(getattr(edited, name)[1, others], getattr(model, name)[1, others])
    with torch.no_grad():
        assert torch.equal(edited(TOKENS, stop_at_layer=1), model(TOKENS, stop_at_layer=1))
        difference = (edited(TOKENS) - model(TOKENS)).abs().max()
    # The softmax does not see a bias of the keys: it moves all of a query's scores alike.
    assert difference < 1e-4 if name == "b_K" else difference > 1e-3


def test_the_mlps_output_matrix_of_a_copy_can_be_edited_by_rank_one(model):
    edited, u, v = copy.deepcopy(model), torch.randn(48), torch.randn(24)
    with torch.no_grad():
        edited.blocks[1].mlp.W_out += torch.outer(u, v)
        _, before = model.run_with_cache(TOKENS)
        _, after = edited.run_with_cache(TOKENS)
    moved = after["mlp_out", 1] - before["mlp_out", 1]
    assert torch.allclose(moved, (before["post", 1] @ u)[..., None] * v, atol=1e-4)
    assert torch.equal(after["mlp_out", 0], before["mlp_out", 0])


def test_a_tied_unembedding_is_the_embedding():
    tied = make(CONFIGS["tied"])
    assert torch.equal(tied.W_U, tied.W_E.T)
    with torch.no_grad():
        tied.W_E[3] += 1
    assert torch.equal(tied.W_U[:, 3], tied.W_E[3])
    free = make(CONFIGS["gpt2"])
    assert not torch.allclose(free.W_U, free.W_E.T)


def test_an_attention_only_network_has_no_mlp_to_ask_for():
    with pytest.raises(CourseError, match="attention-only: it has no W_in"):
        make(CONFIGS["attention-only"]).W_in  # noqa: B018


def test_a_network_without_layers_is_a_table_of_bigrams():
    config = TransformerConfig(**{**SHAPE, "n_layers": 0}, d_mlp=0, norm=None, bias=False)
    model = make(config)
    with torch.no_grad():
        expected = (model.W_E[TOKENS] + model.W_pos[:9]) @ model.W_U
        assert torch.allclose(model(TOKENS), expected, atol=1e-5)
    assert model.W_Q.shape == (0, 4, 24, 6)


def test_the_same_seed_gives_the_same_weights_and_leaves_torchs_numbers_alone():
    torch.manual_seed(5)
    first = torch.rand(1)
    torch.manual_seed(5)
    a = Transformer(CONFIGS["gpt2"], seed=1)
    assert torch.equal(torch.rand(1), first)
    b, c = Transformer(CONFIGS["gpt2"], seed=1), Transformer(CONFIGS["gpt2"], seed=2)
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters()))
    assert not torch.allclose(a.W_E, c.W_E)


def test_random_weights_have_gpt2s_spread():
    config = TransformerConfig(
        n_layers=2, d_model=128, n_heads=4, d_head=32, d_mlp=512, d_vocab=300, n_ctx=64
    )
    model = Transformer(config, seed=0)
    for name in ("W_E", "W_pos", "W_Q", "W_in", "W_U"):
        assert getattr(model, name).std().item() == pytest.approx(0.02, rel=0.05), name
    for name in ("W_O", "W_out"):
        assert getattr(model, name).std().item() == pytest.approx(0.02 / 2, rel=0.05), name
    assert not model.b_in.any()
    assert (model.ln_final.w == 1).all()
    wide = initialize(model, 0, embedding_std=0.3)
    assert wide.W_E.std().item() == pytest.approx(0.3, rel=0.05)
    assert wide.W_U.std().item() == pytest.approx(0.3, rel=0.05)
    assert wide.W_pos.std().item() == pytest.approx(0.02, rel=0.05)


def test_gpt2_small_has_the_published_number_of_parameters():
    with torch.device("meta"):
        model = Transformer(GPT2_SMALL)
    assert sum(p.numel() for p in model.parameters()) == 124_439_808


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (torch.zeros(1, 3), r"dtype torch\.float32; tokens are whole numbers"),
        (torch.zeros(1, 3, dtype=torch.bool), r"dtype torch\.bool"),
        (
            torch.zeros(3, dtype=torch.long),
            r"shape \(3,\); expected \(batch, pos\)\. One text alone .* tokens\[None\]",
        ),
        (torch.zeros(1, 2, 3, dtype=torch.long), r"shape \(1, 2, 3\)"),
        (torch.zeros(1, 13, dtype=torch.long), r"13 positions; the model sees 1 to n_ctx = 12"),
        (torch.zeros(1, 0, dtype=torch.long), r"0 positions"),
        (torch.tensor([[0, 30]]), r"contains 30; the vocabulary has the tokens 0 to 29"),
        (torch.tensor([[0, -1]]), r"contains -1; the vocabulary has the tokens 0 to 29"),
        ("the store", r"not str: model\.to_tokens\(text\) makes one"),
        ([[1, 2]], r"not list: torch\.tensor"),
    ],
    ids=[
        "float",
        "bool",
        "one axis",
        "three axes",
        "too long",
        "empty",
        "too large",
        "negative",
        "text",
        "list",
    ],
)
def test_what_is_no_batch_of_tokens_is_refused_in_words(model, without_type_checks, tokens, said):
    with pytest.raises(CourseError, match=said):
        model(tokens)


def test_tokens_of_other_integer_types_are_accepted(model, without_type_checks):
    with torch.no_grad():
        for dtype in (torch.int32, torch.uint8):
            assert torch.equal(model(TOKENS.to(dtype)), model(TOKENS))


@pytest.mark.parametrize(
    "change",
    [{"d_model": 0}, {"n_layers": -1}, {"d_mlp": -1}, {"act": "tanh"}, {"norm": "rms"}],
    ids=str,
)
def test_a_shape_that_makes_no_sense_is_refused(change, without_type_checks):
    with pytest.raises(ValueError, match=next(iter(change))):
        TransformerConfig(**{**SHAPE, "d_mlp": 8, **change})


def test_positions_can_begin_as_sines_so_that_near_ones_are_alike():
    config = TransformerConfig(n_layers=1, d_model=192, n_heads=2, d_head=8, d_mlp=0, d_vocab=7, n_ctx=64)
    positions = initialize(Transformer(config), 0, embedding_std=0.3, positions="sines").W_pos
    assert positions.abs().max() <= 0.3
    near = torch.nn.functional.cosine_similarity(positions[10], positions[11], dim=0)
    far = torch.nn.functional.cosine_similarity(positions[10], positions[50], dim=0)
    assert near > 0.95 > 0.8 > far
