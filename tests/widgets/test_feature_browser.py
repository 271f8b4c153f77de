"""What the browser shows of a feature is what the feature does in the texts."""

import html
import re

import pytest
import torch

import mi_course as mc
from mi_course.data import token_truths
from mi_course.errors import UnknownName
from mi_course.models.sparse_autoencoder import SparseAutoencoder, SparseAutoencoderConfig
from mi_course.widgets.feature_browser import ANY, FeatureBrowser
from tests.type_checks import unchecked

SEA = "next: a noun, about sea"


@pytest.fixture(scope="module")
def model():
    return mc.load("tiny-world").requires_grad_(False)


@pytest.fixture(scope="module")
def truths():
    return token_truths.held_out()


@pytest.fixture(scope="module")
def browser(model, truths):
    """Twelve features; 4 is active where a word about the sea is due, 7 never."""
    config = SparseAutoencoderConfig(
        192, 12, kind="topk", k=4, hook_name="blocks.1.hook_resid_pre", model_name="tiny-world"
    )
    sae = SparseAutoencoder(config, seed=0).requires_grad_(False)
    values = torch.rand(len(truths.document), 12, generator=torch.Generator().manual_seed(0))
    values[:, 4] = 10.0 * truths.true(SEA)
    values[:, 7] = 0.0
    return FeatureBrowser(model, sae, truths=truths, values=values)


def control(browser, name):
    _ = browser.view
    return browser._controls[name]


def alt(browser):
    return html.unescape(re.search('alt="([^"]*)"', browser._picture.value)[1])


@unchecked()
def test_a_latent_leads_to_its_feature_and_its_scores_are_shown(browser):
    shown = browser.static(latent=SEA).alt
    assert shown.startswith("Feature 4: active at")
    assert f"Best at telling “{SEA}”: precision 1.00, recall 1.00, F1 1.00" in shown


@unchecked()
def test_a_dead_feature_is_shown_as_one(browser):
    assert "active at 0.0% of the words" in browser.static(feature=7, text="").alt
    assert "Most active at the words in brackets: nothing" in browser.static(feature=7).alt


@unchecked()
def test_controls_follow_each_other(browser):
    control(browser, "latent").value = SEA
    assert control(browser, "feature").value == 4
    assert alt(browser).startswith("Feature 4:")
    control(browser, "feature").value = 2
    assert control(browser, "latent").value == ANY
    assert alt(browser).startswith("Feature 2:")


@unchecked()
def test_a_text_of_ones_own_is_read_by_the_autoencoder(browser, model):
    text = "the boat was lovely"
    tokens = model.to_tokens(text)
    _, cache = model.run_with_cache(tokens, browser.sae.hook_name)
    activity = browser.sae.encode(cache[browser.sae.hook_name])[0, 1:]
    feature = int(activity.amax(0).argmax())
    word = text.split()[int(activity[:, feature].argmax())]
    assert f"most active at “{word}”" in browser.static(feature=feature, text=text).alt


def test_unknown_latents_are_refused(browser):
    with pytest.raises(UnknownName, match="latent"):
        browser.static(latent="about the moon")
