"""Every hand-written feature beside a digit, with the place that it looks at in colour."""

from __future__ import annotations

from collections.abc import Mapping

from mi_course.methods.stroke_features import Feature, Shape
from mi_course.plots.image_grid import image_grid
from mi_course.plots.marked_shape import marked_shape
from mi_course.plots.picture import Picture
from mi_course.plots.style import COLOURS


def feature_gallery(examples: Mapping[str, Shape], features: Mapping[str, Feature]) -> Picture:
    """One digit for each feature; ``examples`` says which. Features without a ``where`` stay uncoloured."""
    pictures, titles, words = [], [], []
    for name, shape in examples.items():
        feature = features[name]
        marks = {} if feature.where is None else {COLOURS["vermilion"]: feature.where(shape)}
        pictures.append(marked_shape(shape, marks))
        titles.append(f"{name}\n= {feature.measure(shape):.2f}")
        words.append(f"{name}: {feature.meaning} ({feature.unit}), here {feature.measure(shape):.2f}")
    return image_grid(
        pictures,
        titles,
        columns=5,
        title="What each feature looks at (orange), and what it measures there",
        alt=f"{len(pictures)} enlarged digits, each with a coloured place. {'; '.join(words)}.",
    )
