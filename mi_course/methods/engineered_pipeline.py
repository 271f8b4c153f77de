"""Object recognition as it was built before 2012: every stage designed by hand, every stage readable.

Edges → histograms of their directions → contrast normalisation → a linear classifier. This is the
histogram of oriented gradients (HOG) of Dalal and Triggs 2005 with a linear support vector machine,
built from scikit-image's and scikit-learn's parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

DIRECTIONS = 9
CELL = 5


@dataclass(frozen=True)
class Stages:
    """What each stage of the pipeline makes of one grey picture.

    ``strength``: size of the brightness gradient at each pixel. ``direction``: its angle in degrees, in
    [0, 180), counter-clockwise, 0 = brightness changes from left to right. ``histograms``: for each cell
    of `CELL` × `CELL` pixels, how much gradient points in each of `DIRECTIONS` directions, after contrast
    normalisation. ``features``: the same as one long vector, which is all that the classifier sees.
    """

    strength: Float[Tensor, "height width"]
    direction: Float[Tensor, "height width"]
    histograms: Float[Tensor, "cell_row cell_column direction"]
    features: Float[Tensor, " feature"]


def stages(image: Float[Tensor, "height width"]) -> Stages:
    """Run the hand-made part of the pipeline on one grey picture with values in [0, 1]."""
    along_y, along_x = np.gradient(image.numpy())
    histograms = _hog(image, flat=False)
    return Stages(
        strength=torch.from_numpy(np.hypot(along_x, along_y)).float(),
        direction=torch.from_numpy(np.degrees(np.arctan2(-along_y, along_x)) % 180).float(),
        histograms=histograms,
        features=histograms.flatten(),
    )


def features(images: Float[Tensor, "batch height width"]) -> Float[Tensor, "batch feature"]:
    """The histogram features of every picture."""
    return torch.stack([_hog(image, flat=True) for image in images])


def fit(images: Float[Tensor, "batch height width"], labels: Bool[Tensor, " batch"]):
    """A linear support vector machine on `features`; scikit-learn's `LinearSVC`, fitted."""
    from sklearn.svm import LinearSVC

    return LinearSVC(C=0.1, random_state=0).fit(features(images).numpy(), labels.numpy())


def weights_by_cell(classifier, image_side: int) -> Float[Tensor, "cell cell direction"]:
    """The classifier's weights laid out as `Stages.histograms`: positive speaks for the class."""
    cells = image_side // CELL
    return torch.from_numpy(classifier.coef_.reshape(cells, cells, DIRECTIONS)).float()


def cross_validated(
    images: Float[Tensor, "batch height width"], labels: Bool[Tensor, " batch"], *, folds: int = 5
) -> Bool[Tensor, " batch"]:
    """For every picture: was it classified rightly by a pipeline fitted to the *other* folds?"""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.svm import LinearSVC

    guesses = cross_val_predict(
        LinearSVC(C=0.1, random_state=0),
        features(images).numpy(),
        labels.numpy(),
        cv=StratifiedKFold(folds, shuffle=True, random_state=0),
    )
    return torch.from_numpy(guesses) == labels


def _hog(image: Float[Tensor, "height width"], *, flat: bool) -> Tensor:
    from skimage.feature import hog

    upside_down = image.flip(0).numpy()  # scikit-image counts angles clockwise; a flip turns them around
    values = hog(
        upside_down,
        orientations=DIRECTIONS,
        pixels_per_cell=(CELL, CELL),
        cells_per_block=(1, 1),
        feature_vector=False,
    )
    histograms = torch.from_numpy(values.squeeze((2, 3))).float().flip(0)
    return histograms.flatten() if flat else histograms
