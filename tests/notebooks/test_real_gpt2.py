"""*On the real model*, where that is GPT-2: the section of every chapter runs on weights in the published format.

No test has the published weights. Random numbers under their names stand in for them where a fetched folder
would be, and the course takes their hash for the published one. The chapter in which the learner builds a
GPT runs on the published shape. The others only name layers, heads and tokens: for them all of these are
there, and heads are an eighth as wide.
"""

from functools import cache

import pytest

from mi_course.commands.stored_run import run
from tests import notebook_environment
from tests.commands.solved_notebook import notebook
from tests.models import public_gpt2, public_sae
from tests.notebooks.course_notebooks import SOLUTIONS, code_cells, read
from tests.notebooks.test_real_model import SECTION, said, section_with_what_it_needs


def asks_for_gpt2(path):
    return any("load_if_here" in cell.source and '"gpt2"' in cell.source for cell in code_cells(read(path)))


ON_GPT2 = [path for path in SOLUTIONS if asks_for_gpt2(path)]
IN_FULL = "04_transformer"
PUBLISHED, NARROW = public_gpt2.CONFIG["n_embd"], 96
on_gpt2 = pytest.mark.parametrize("path", ON_GPT2, ids=lambda path: path.stem)


def first_cell(folder, sha256=None, sae_shape=None):
    """Points the course to ``folder`` as Hugging Face's cache, and makes what lies in it the published model."""
    lines = [
        "import dataclasses, os",
        "from mi_course.models import pretrained",
        'for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"): os.environ.pop(name, None)',
        f'os.environ["HF_HOME"] = {str(folder)!r}',
    ]
    if sha256:
        change = f'file="gpt2/pytorch_model.bin", sha256_prefix={sha256!r}'
        lines.append(f'pretrained.PUBLIC["gpt2"] = dataclasses.replace(pretrained.PUBLIC["gpt2"], {change})')
    if sae_shape:
        change = f"shape={sae_shape!r}"
        lines.append(
            f'pretrained.PUBLIC["gpt2-sae"] = dataclasses.replace(pretrained.PUBLIC["gpt2-sae"], {change})'
        )
    return "\n".join(lines)


@pytest.fixture(scope="module")
def with_weights(tmp_path_factory):
    """A function: width → the first cell on a machine that has such a GPT-2 and an autoencoder for it, both random."""

    @cache
    def made(width):
        folder = tmp_path_factory.mktemp("cache")
        config = {**public_gpt2.CONFIG, "n_embd": width}
        sha256 = public_gpt2.write(folder / "hub" / "models--gpt2" / "snapshots" / "abc", config)
        sae = folder / "hub" / "models--jbloom--GPT2-Small-SAEs-Reformatted" / "snapshots" / "abc"
        return first_cell(folder, sha256, public_sae.write(sae / "blocks.8.hook_resid_pre", d_in=width).shape)

    return made


@on_gpt2
def test_the_section_runs_on_weights_in_the_published_format(path, with_weights, tmp_path):
    earlier, section = section_with_what_it_needs(read(path))
    width = PUBLISHED if path.stem == IN_FULL else NARROW
    made = notebook(with_weights(width), *earlier, *section)
    notebook_environment.network_attempts()
    run(made, tmp_path)
    assert notebook_environment.network_attempts() == []
    assert len(code_cells(made)) == 1 + len(earlier) + len(section)
    made.cells = code_cells(made)[-len(section) :]
    assert "is not on this machine" not in said(made)
    assert said(made).strip(), f"{SECTION!r} has nothing to say about the real model"


# One chapter stands for all: what the others say without the model is in their stored outputs, which nbval compares.
@pytest.mark.parametrize("path", ON_GPT2[:1], ids=lambda path: path.stem)
def test_without_them_the_section_says_how_to_get_them_and_goes_on(path, tmp_path):
    earlier, section = section_with_what_it_needs(read(path))
    made = notebook(first_cell(tmp_path), *earlier, *section)
    run(made, tmp_path)
    assert "mi-course models fetch gpt2" in said(made)
