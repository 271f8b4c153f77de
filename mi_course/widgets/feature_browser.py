"""Leaf through a dictionary of features: what excites each, what it promotes, and which known latent it fits."""

from __future__ import annotations

import ipywidgets
import torch
from jaxtyping import Float
from torch import Tensor

from mi_course.data import token_truths
from mi_course.data.token_truths import TokenTruths
from mi_course.methods import latent_scores
from mi_course.methods.feature_dashboard import Dashboard, Example, dashboard
from mi_course.methods.sparse_autoencoder import SparseAutoencoder, features
from mi_course.models.transformer import Transformer
from mi_course.plots.feature_panel import described, feature_panel
from mi_course.plots.picture import Picture
from mi_course.widgets.explorer import Explorer

ANY = "— by number —"
"""The choice of the list of latents that leaves the feature as it is."""

OWN = "the ferry was lovely . we saw the"
"""The text that stands in the field at first, to be replaced by one of one's own."""


class FeatureBrowser(Explorer):
    """Choose a feature by its number, or a latent to go to the feature that tells it best.

    Shown are the texts that excite it most, some that excite it less, how active it is, and the words that it
    promotes; and which latent of the tiny world it tells best, with F1 on texts that the choice was not made on. Type a
    text of your own to see where the feature is active in it.

    ``model``: one of the tiny world. ``truths``: labelled texts; by default `token_truths.held_out`. ``values``: the
    activity of every feature at every word of them, where it is already known.
    """

    def __init__(
        self,
        model: Transformer,
        sae: SparseAutoencoder,
        *,
        truths: TokenTruths | None = None,
        values: Float[Tensor, "word d_sae"] | None = None,
        feature: int = 0,
        text: str = OWN,
    ):
        self.model, self.sae = model, sae
        self.truths = token_truths.held_out() if truths is None else truths
        if values is None:
            found = latent_scores.activations(model, self.truths, [sae.hook_name])
            values = sae.encode(found[sae.hook_name])
        self.values = values
        self.best = latent_scores.best_features(values, self.truths)
        self._first = feature, text

    def controls(self) -> dict[str, ipywidgets.Widget]:
        feature = ipywidgets.IntSlider(
            self._first[0], min=0, max=self.sae.config.d_sae - 1, description="Feature"
        )
        latent = ipywidgets.Dropdown(
            options=[ANY, *self.truths.latents], value=ANY, description="Go to the one for"
        )
        text = ipywidgets.Text(
            self._first[1],
            description="Your text",
            layout=ipywidgets.Layout(width="100%"),
        )

        def go(change: dict) -> None:
            if change["new"] != ANY:
                feature.value = self.feature_of(change["new"])

        def left(change: dict) -> None:
            if latent.value != ANY and change["new"] != self.feature_of(latent.value):
                latent.value = ANY

        latent.observe(go, names="value")
        feature.observe(left, names="value")
        return {"latent": latent, "feature": feature, "text": text}

    def static(self, **values) -> Picture:
        """As in `Explorer`; with ``latent`` and no ``feature``: the feature that tells it best."""
        if values.get("latent", ANY) != ANY and "feature" not in values:
            values["feature"] = self.feature_of(values["latent"])
        return super().static(**values)

    def feature_of(self, latent: str) -> int:
        """The feature that tells this latent best on the choosing half of the texts."""
        return int(self.best.feature[self.best.number(latent)])

    def draw(self, feature: int, latent: str = ANY, text: str = "") -> Picture:
        """``latent`` only says how the feature was chosen; `static` with a latent alone goes to its feature."""
        found = dashboard(
            self.model,
            self.values[:, feature],
            self.sae.W_dec[feature].detach(),
            self.truths.tokens,
            self.truths.where,
            feature=feature,
        )
        groups = {"most active": [_row(example) for example in found.top]}
        if found.weaker:
            groups["active, but less than half as much"] = [_row(example) for example in found.weaker]
        if text.strip():
            groups["your text"] = [self._own(text, feature)]
        return feature_panel(
            groups,
            edges=found.edges,
            counts=found.counts,
            effects=[*found.promoted, *found.suppressed],
            title=f"{_density(found)}\n{self._fits(feature)}",
            alt=self._told(found, text),
            largest=found.largest or 1.0,
        )

    def _fits(self, feature: int) -> str:
        alone = latent_scores.one_feature(self.values, feature, self.truths)
        best = int(alone.f1.argmax())
        if alone.f1[best] == 0:
            return "It tells none of the latents"
        return (
            f"Best at telling “{alone.latents[best]}”: precision {alone.precision[best]:.2f}, "
            f"recall {alone.recall[best]:.2f}, F1 {alone.f1[best]:.2f}"
        )

    def _own(self, text: str, feature: int) -> tuple[list[str], list[float], int]:
        tokens = self.model.to_tokens(text)
        with torch.no_grad():
            activity = features(self.model, self.sae, tokens)[0, 1:, feature]
        return self.model.to_str_tokens(tokens[0, 1:].tolist()), activity.tolist(), int(activity.argmax())

    def _told(self, found: Dashboard, text: str) -> str:
        own = ""
        if text.strip():
            words, activity, at = self._own(text, found.feature)
            own = f" In your text it is most active at “{words[at]}” (position {at + 1}): {activity[at]:.3g}."
        top = "; ".join(str(example) for example in found.top[:3]) or "nothing"
        return (
            f"{_density(found)} {self._fits(found.feature)}. It reaches {found.largest:.3g}. "
            f"Most active at the words in brackets: {top}. "
            f"Promotes {described(found.promoted[:3])}; suppresses {described(found.suppressed[:3])}.{own}"
        )


def _density(found: Dashboard) -> str:
    return f"Feature {found.feature}: active at {found.density:.1%} of the words."


def _row(example: Example) -> tuple[tuple[str, ...], list[float], int]:
    return example.words, example.activity.tolist(), example.at
