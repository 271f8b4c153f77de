"""What every layer of an AlexNet costs and sees, by formula, without running anything."""

from __future__ import annotations

from dataclasses import dataclass

from mi_course.models.alexnet import AlexNetConfig

POOL_KERNEL, POOL_STRIDE = 3, 2


@dataclass(frozen=True)
class Layer:
    """One layer in numbers.

    ``side``: height and width of its output in cells (1 for a fully connected layer).
    ``parameters``: weights and biases. ``multiplications``: multiply–adds for one image.
    ``receptive_field``: side, in pixels, of the square of the image that one output cell can see.
    ``step``: pixels between the centres of two neighbouring cells' receptive fields.
    """

    name: str
    channels: int
    side: int
    parameters: int
    multiplications: int
    receptive_field: int
    step: int


def layers(config: AlexNetConfig, *, image_size: int | None = None) -> tuple[Layer, ...]:
    """Every layer of the network, first to last, for square images of ``image_size`` pixels.

    A convolution has channels_out · (channels_in / groups) · kernel² weights and channels_out biases,
    and uses every weight once a cell of its output. A receptive field grows by (kernel − 1) steps,
    and a stride multiplies the step (Dumoulin and Visin 2016; Araujo, Norris and Sim 2019).

    The field of a deep layer can be larger than the image; the part outside is padding. Fully connected
    layers see every cell of the last map: their field is the whole image.
    """
    side, channels = image_size or config.image_size, 3
    image, field, step = side, 1, 1
    rows = []
    for number, spec in enumerate(config.convolutions, start=1):
        side = _cells(side, spec.kernel, spec.stride, spec.padding, image)
        field, step = field + (spec.kernel - 1) * step, step * spec.stride
        weights = spec.channels * (channels // spec.groups) * spec.kernel**2
        channels = spec.channels
        rows.append(
            Layer(f"conv{number}", channels, side, weights + channels, weights * side**2, field, step)
        )
        if spec.pool:
            side = _cells(side, POOL_KERNEL, POOL_STRIDE, config.pool_padding, image)
            field, step = field + (POOL_KERNEL - 1) * step, step * POOL_STRIDE
            rows.append(Layer(f"pool{number}", channels, side, 0, 0, field, step))
    inputs = channels * config.grid**2
    for name, outputs in (("fc6", config.hidden[0]), ("fc7", config.hidden[1]), ("logits", config.n_classes)):
        weights = inputs * outputs
        rows.append(Layer(name, outputs, 1, weights + outputs, weights, image, image))
        inputs = outputs
    return tuple(rows)


def _cells(side: int, kernel: int, stride: int, padding: int, image: int) -> int:
    cells = (side + 2 * padding - kernel) // stride + 1
    if cells < 1:
        raise ValueError(f"image_size={image} is too small: a {kernel}×{kernel} kernel finds no place in it.")
    return cells


def layer(config: AlexNetConfig, name: str, *, image_size: int | None = None) -> Layer:
    """The one layer called ``name``."""
    from mi_course.errors import UnknownName

    rows = {row.name: row for row in layers(config, image_size=image_size)}
    if name not in rows:
        raise UnknownName("layer", name, rows)
    return rows[name]
