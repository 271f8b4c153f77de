"""The pieces of chapter 04 are those of a GPT-2, put together as the notebook does it; each mistake is recognised."""

import re

import pytest
import torch
from torch.nn import functional as F

from mi_course.exercises import gpt_mistakes, registry
from mi_course.exercises import gpt_pieces as pieces
from mi_course.exercises.check import examine
from mi_course.models.transformer import Transformer, TransformerConfig
from tests.notebooks.course_notebooks import CLONE, code_cells, read

TABLES = {
    "04.embed": gpt_mistakes.EMBED,
    "04.attention_pattern": gpt_mistakes.ATTENTION_PATTERN,
    "04.attention": gpt_mistakes.ATTENTION,
    "04.layer_norm": gpt_mistakes.LAYER_NORM,
    "04.block": gpt_mistakes.BLOCK,
    "04.next_token_loss": gpt_mistakes.LOSS,
}


def answer_with(top_k_mistake):
    """An answer that is right about temperature and makes a mistake with top-k."""

    def answer(logits, temperature=1.0, top_k=None):
        if top_k is None:
            return pieces.next_token_probabilities(logits, temperature)
        return top_k_mistake(logits, top_k)

    return answer


MISTAKES = [(id, words, made) for id, table in TABLES.items() for words, made in table]
MISTAKES += [("04.next_token_probabilities", *mistake) for mistake in gpt_mistakes.TEMPERATURE]
MISTAKES += [("04.next_token_probabilities", words, answer_with(made)) for words, made in gpt_mistakes.TOP_K]


@pytest.mark.parametrize(
    ("id", "words", "made"), MISTAKES, ids=[f"{id}-{words[:30]}" for id, words, _ in MISTAKES]
)
def test_each_known_mistake_is_told_by_its_name(id, words, made):
    verdict = examine(registry.find(id), made)
    assert verdict.status == "wrong"
    assert words in verdict.words


@pytest.fixture(scope="module")
def model():
    """A small GPT-2 with biases and norms that are not trivial."""
    config = TransformerConfig(n_layers=2, d_model=24, n_heads=3, d_head=8, d_mlp=40, d_vocab=31, n_ctx=9)
    model = Transformer(config, seed=0)
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=draw))
    return model.eval()


@pytest.fixture(scope="module")
def tokens():
    return torch.randint(31, (3, 7), generator=torch.Generator().manual_seed(2))


def piece_by_piece(model, tokens):
    """The model's logits, computed by the reference pieces with the model's own weights."""
    x = pieces.embed(tokens, model.W_E, model.W_pos)
    for part in model.blocks:
        attn = part.attn

        def attention(x, attn=attn):
            weights = (attn.W_QKV, attn.b_QKV, attn.W_O.flatten(0, 1), attn.b_O)
            return pieces.attention(x, *weights, attn.n_heads, pieces.attention_pattern)

        norms = [lambda x, n=norm: pieces.layer_norm(x, n.w, n.b) for norm in (part.ln1, part.ln2)]
        mlp = part.mlp
        x = pieces.block(x, attention, *norms, mlp.W_in, mlp.b_in, mlp.W_out, mlp.b_out)
    return pieces.layer_norm(x, model.ln_final.w, model.ln_final.b) @ model.W_U


@torch.no_grad()
def test_the_pieces_make_the_transformer_of_the_package(model, tokens):
    assert torch.allclose(piece_by_piece(model, tokens), model(tokens), atol=1e-5)


def test_the_loss_is_the_cross_entropy_of_the_next_token(model, tokens):
    logits = model(tokens)
    want = F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    assert pieces.next_token_loss(logits, tokens).item() == pytest.approx(want.item(), rel=1e-6)


def test_layer_norm_is_that_of_torch():
    x, w, b = torch.randn(2, 3, 5), torch.randn(5), torch.randn(5)
    assert torch.allclose(pieces.layer_norm(x, w, b), F.layer_norm(x, (5,), w, b), atol=1e-5)


def test_top_k_keeps_what_is_as_good_as_the_last_one_kept():
    logits = torch.tensor([1.0, 3.0, 1.0, 0.0])
    assert (pieces.next_token_probabilities(logits, 1.0, 2) > 0).tolist() == [True, True, True, False]
    assert pieces.next_token_probabilities(logits, 0.3, 2).sum().item() == pytest.approx(1.0)


@pytest.fixture(scope="module")
def notebook():
    """What the solved notebook defines, its solutions included: the seven functions and the class GPT."""
    wanted = re.compile(
        r"^(def (embed|attention_pattern|attention|layer_norm|block)\(|class GPT:)", re.MULTILINE
    )
    path = next((CLONE / "solutions").glob("04_*.ipynb"))
    names = {"torch": torch, "F": F}
    for cell in code_cells(read(path)):
        if wanted.search(cell.source):
            exec(re.sub(r"(?m)^\w+ = mc\.exercise\(.*$", "", cell.source), names)
    return names


@torch.no_grad()
def test_the_notebooks_gpt_is_the_transformer_of_the_package(notebook, model, tokens):
    gpt = notebook["GPT"](model.gpt2_state_dict(), model.config.n_heads)
    assert torch.allclose(gpt(tokens), model(tokens), atol=1e-5)


@torch.no_grad()
def test_the_notebooks_gpt_is_that_of_transformers(notebook, tokens):
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(
        vocab_size=31, n_positions=9, n_embd=24, n_layer=2, n_head=3, tie_word_embeddings=True
    )
    torch.manual_seed(0)
    theirs = transformers.GPT2LMHeadModel(config).eval()
    gpt = notebook["GPT"](theirs.state_dict(), config.n_head)
    assert (gpt(tokens) - theirs(tokens).logits).abs().max() <= 1e-5


@torch.no_grad()
def test_a_gpt_with_a_broken_piece_is_another_one(notebook, model, tokens):
    for words, mistake in gpt_mistakes.ATTENTION_PATTERN[:7]:
        gpt = notebook["GPT"](model.gpt2_state_dict(), model.config.n_heads, pattern=mistake)
        assert (gpt(tokens) - model(tokens)).abs().max() > 1e-3, words
