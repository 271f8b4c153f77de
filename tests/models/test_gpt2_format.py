"""GPT-2's files and `transformers`' GPT2LMHeadModel: the same network there and here."""

import json
import re
import warnings

import pytest
import torch
from safetensors.torch import load_file, save_file

from mi_course.errors import CourseError
from mi_course.models import gpt2_format, model_folder
from mi_course.models.transformer import GPT2_SMALL, Transformer, TransformerConfig
from tests.models import public_gpt2
from tests.models.small_transformers import CONFIGS, WORDS, make, random_tokens, word_tokenizer

TOKENS = random_tokens()
GPT2_SHAPED = ("gpt2", "tied", "relu")
every_kind = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def hugging_face(seed=0, **options):
    """A GPT2LMHeadModel whose every weight is random, biases and layer norms too."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(seed)
    model = GPT2LMHeadModel(GPT2Config(bos_token_id=0, eos_token_id=0, **options)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model


SMALL = {
    "n_layer": 3,
    "n_embd": 24,
    "n_head": 4,
    "vocab_size": 30,
    "n_positions": 12,
    "initializer_range": 0.3,
}


def test_logits_of_gpt2_small_are_those_of_transformers():
    theirs = hugging_face()
    ours = Transformer.from_hf(theirs)
    assert ours.config == GPT2_SMALL
    tokens = random_tokens(batch=2, pos=12, d_vocab=50257)
    with torch.no_grad():
        expected = theirs(tokens).logits
        difference = (ours(tokens) - expected).abs().max().item()
    assert expected.std() > 0.3
    assert difference < 1e-4


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tie_word_embeddings": False},
        {"activation_function": "relu"},
        {"activation_function": "gelu_pytorch_tanh"},
        {"n_inner": 40},
        {"layer_norm_epsilon": 0.1},
        {"reorder_and_upcast_attn": True},
    ],
    ids=str,
)
def test_logits_are_those_of_transformers_under_every_option_that_is_read(options):
    theirs = hugging_face(**SMALL, **options)
    ours = Transformer.from_hf(theirs)
    with torch.no_grad():
        expected = theirs(TOKENS).logits
        assert expected.std() > 0.3
        assert (ours(TOKENS) - expected).abs().max() < 1e-4


@pytest.mark.parametrize(
    "options",
    [
        {"scale_attn_by_inverse_layer_idx": True},
        {"scale_attn_weights": False},
        {"add_cross_attention": True},
        {"activation_function": "silu"},
    ],
    ids=str,
)
def test_an_option_under_which_gpt2_computes_something_else_is_refused(options):
    with pytest.raises(CourseError, match="This GPT-2 has"):
        Transformer.from_hf(hugging_face(**SMALL, **options))


def test_another_architecture_is_refused():
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    config = GPTNeoConfig(
        hidden_size=8, num_layers=1, num_heads=2, attention_types=[[["global"], 1]], vocab_size=10,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    with pytest.raises(CourseError, match="model of the kind 'gpt_neo'; the course reads GPT-2"):
        Transformer.from_hf(GPTNeoForCausalLM(config))


def test_the_weights_are_copies():
    theirs = hugging_face(**SMALL)
    ours = Transformer.from_hf(theirs)
    with torch.no_grad():
        before = theirs(TOKENS).logits
        for parameter in ours.parameters():
            parameter.zero_()
        assert torch.equal(theirs(TOKENS).logits, before)


@pytest.mark.parametrize("kind", GPT2_SHAPED)
def test_transformers_loads_our_state_dict_as_its_own(kind):
    ours = make(CONFIGS[kind])
    theirs = hugging_face(
        **SMALL,
        n_inner=ours.config.d_mlp,
        activation_function=ours.config.act,
        tie_word_embeddings=ours.config.tied,
    )
    theirs.load_state_dict(ours.gpt2_state_dict(), strict=True)
    with torch.no_grad():
        assert (theirs(TOKENS).logits - ours(TOKENS)).abs().max() < 1e-4


@every_kind
def test_a_saved_model_comes_back_as_it_was_but_for_rounding(config, tmp_path):
    model = make(config)
    model.save_pretrained(tmp_path / "half")
    again = model_folder.read(tmp_path / "half")
    assert again.config == config
    assert again.tokenizer is None
    assert not again.training
    for (name, a), b in zip(model.named_parameters(), again.parameters()):
        assert b.dtype == torch.float32
        assert torch.equal(a.half().float(), b), name
    model.save_pretrained(tmp_path / "full", torch.float32)
    exact = model_folder.read(tmp_path / "full")
    with torch.no_grad():
        assert torch.equal(exact(TOKENS), model(TOKENS))
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("half", "full")]
    assert 1.8 < sizes[1] / sizes[0] < 2.0


@pytest.mark.parametrize("kind", GPT2_SHAPED)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32], ids=str)
def test_transformers_reads_what_we_save_and_computes_in_full_precision(kind, dtype, tmp_path):
    from transformers import AutoTokenizer, GPT2LMHeadModel

    config = TransformerConfig(**{**CONFIGS[kind].to_dict(), "d_vocab": len(WORDS)})
    make(config, tokenizer=word_tokenizer()).save_pretrained(tmp_path, dtype)
    ours = model_folder.read(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs, loading = GPT2LMHeadModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not loading["missing_keys"]
    assert not loading["unexpected_keys"]
    assert theirs.dtype == torch.float32
    assert theirs.config.tie_word_embeddings == config.tied
    text = "Mary went to the store , and John gave"
    tokens = AutoTokenizer.from_pretrained(tmp_path)(text, return_tensors="pt").input_ids
    assert torch.equal(tokens, ours.to_tokens(text, prepend_bos=False))
    with torch.no_grad():
        assert (theirs(tokens).logits - ours(tokens)).abs().max() < 1e-4


@pytest.mark.parametrize("kind", GPT2_SHAPED)
def test_a_folder_that_transformers_wrote_is_read(kind, tmp_path):
    ours = make(CONFIGS[kind])
    theirs = hugging_face(
        **SMALL,
        n_inner=ours.config.d_mlp,
        activation_function=ours.config.act,
        tie_word_embeddings=ours.config.tied,
    )
    theirs.save_pretrained(tmp_path)
    with torch.no_grad():
        assert (model_folder.read(tmp_path)(TOKENS) - theirs(TOKENS).logits).abs().max() < 1e-4


def test_names_in_the_file_are_those_of_gpt2lmheadmodel(tmp_path):
    make(CONFIGS["gpt2"]).save_pretrained(tmp_path)
    names = set(load_file(tmp_path / "model.safetensors"))
    with torch.device("meta"):
        theirs = hugging_face(**SMALL, n_inner=48)
    assert names == set(theirs.state_dict())


def test_a_smaller_kind_leaves_out_what_it_does_not_have(tmp_path):
    make(CONFIGS["attention-only"]).save_pretrained(tmp_path)
    names = {re.sub(r"\.\d\.", ".N.", name) for name in load_file(tmp_path / "model.safetensors")}
    assert names == {
        "transformer.wte.weight",
        "transformer.wpe.weight",
        "transformer.h.N.attn.c_attn.weight",
        "transformer.h.N.attn.c_proj.weight",
        "lm_head.weight",
    }
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == ["Transformer"]
    assert TransformerConfig(**config["transformer"]) == CONFIGS["attention-only"]


def test_names_and_constants_of_the_published_file_are_understood():
    config = {
        **public_gpt2.CONFIG,
        "n_layer": 2,
        "n_embd": 24,
        "n_head": 4,
        "vocab_size": 30,
        "n_positions": 12,
    }
    state = public_gpt2.weights(config)
    state["h.1.attn.masked_bias"] = torch.tensor(-1e4)
    model = Transformer.from_gpt2(config, state)
    assert model.config.tied
    assert torch.equal(model.blocks[1].mlp.W_in, state["h.1.mlp.c_fc.weight"])
    theirs = hugging_face(**{**SMALL, "n_layer": 2})
    prefixed = {f"transformer.{name}": tensor for name, tensor in state.items() if ".attn.bias" not in name}
    prefixed.pop("transformer.h.1.attn.masked_bias")
    theirs.load_state_dict({**prefixed, "lm_head.weight": state["wte.weight"]})
    with torch.no_grad():
        assert (theirs(TOKENS).logits - model(TOKENS)).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda s: s.pop("transformer.h.1.mlp.c_fc.bias"), r"lack transformer\.h\.1\.mlp\.c_fc\.bias"),
        (lambda s: s.pop("lm_head.weight"), r"lack lm_head\.weight"),
        (lambda s: s.update(extra=torch.zeros(1)), r"hold, beyond .* transformer\.extra"),
        (
            lambda s: s.update({"transformer.wpe.weight": torch.zeros(13, 24)}),
            r"wpe\.weight has shape \(13, 24\), the config means \(12, 24\)",
        ),
        (
            lambda s: s.update({"transformer.wte.weight": torch.zeros(24, 30)}),
            r"wte\.weight has shape \(24, 30\), the config means \(30, 24\)",
        ),
        (
            lambda s: [s.pop(name) for name in list(s) if ".h.2." in name],
            r"lack transformer\.h\.2\.attn\.c_attn\.bias, .* and 9 more",
        ),
    ],
    ids=["missing", "no unembedding", "more", "other shape", "transposed", "a layer less"],
)
def test_weights_that_do_not_fit_the_config_are_refused(tmp_path, damage, said):
    make(CONFIGS["gpt2"]).save_pretrained(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    damage(state)
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(CourseError, match=said) as caught:
        model_folder.read(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_tokenizer_with_more_words_than_the_network_is_refused(tmp_path):
    make(CONFIGS["gpt2"]).save_pretrained(tmp_path)
    config = TransformerConfig(**{**CONFIGS["gpt2"].to_dict(), "d_vocab": 7})
    make(config, tokenizer=None).save_pretrained(tmp_path)
    word_tokenizer().save(tmp_path)
    with pytest.raises(CourseError, match="tokenizer has 20 tokens, the network 7"):
        model_folder.read(tmp_path)


def test_the_name_on_disk_of_every_parameter_is_unique():
    names = [gpt2_format.name_on_disk(name) for name, _ in make(CONFIGS["gpt2"]).named_parameters()]
    assert len(set(names)) == len(names) == 3 * 12 + 5
