"""Pick a first-layer filter and a photograph, your own if you like, and see what the filter does to it."""

from __future__ import annotations

import ipywidgets
import torch

from mi_course.data import photographs
from mi_course.data.photographs import Photograph
from mi_course.methods import filters
from mi_course.models.alexnet import AlexNet
from mi_course.plots.filter_panel import filter_panel
from mi_course.plots.picture import Picture
from mi_course.widgets.explorer import Explorer


class FilterExplorer(Explorer):
    """Filter, spectrum and response map of any first-layer filter on any photograph.

    An uploaded picture takes the place of the chosen photograph until another one is chosen in the
    list. It stays in this notebook's memory and goes nowhere else.
    """

    def __init__(self, model: AlexNet):
        self.model = model
        self.weights = model.convolutions[0].weight.detach()
        self.kinds = filters.kinds(self.weights)
        self.measures = filters.measure(self.weights)

    def controls(self) -> dict[str, ipywidgets.Widget]:
        upload = ipywidgets.FileUpload(accept="image/*", multiple=False, description="Your picture")
        choice = ipywidgets.Dropdown(options=photographs.names(), value="cat", description="Photograph")
        choice.observe(lambda change: upload.set_trait("value", ()), names="value")
        return {
            "number": ipywidgets.IntSlider(0, 0, len(self.weights) - 1, description="Filter"),
            "photograph": choice,
            "upload": upload,
        }

    def draw(self, number: int, photograph: str, upload: tuple = ()) -> Picture:
        chosen = self._chosen(photograph, upload)
        image = chosen.square(self.model.config.image_size)
        with torch.no_grad():
            _, cache = self.model.run_with_cache(image[None], ["conv1.pre"])
        response = cache["conv1.pre"][0, number]
        one = self.weights[number : number + 1]
        kind, chromatic = self.kinds[number], float(self.measures.chromatic[number])
        angle = float(self.measures.orientation[number])
        direction = f", stripes at {angle:.0f}°" if kind == "oriented" else ""
        passed = float((response > 0).float().mean())
        return filter_panel(
            image,
            filters.normalize_for_display(one)[0],
            filters.spectrum(one)[0],
            response,
            title=f"Filter {number}: {kind}{direction}; {chromatic:.0%} of it is colour",
            alt=(
                f"Photograph {chosen.name!r}, filter {number} ({kind}{direction}, {chromatic:.0%} colour), its "
                f"spectrum, and its response, which is positive at {passed:.0%} of the positions."
            ),
        )

    def _chosen(self, photograph: str, upload: tuple) -> Photograph:
        if not upload:
            return photographs.photograph(photograph)
        file = upload[0]
        return photographs.read_image(file["content"], name=file["name"])
