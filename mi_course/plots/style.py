"""One look for every figure: eight colours that colour-blind readers can tell apart, on a light panel.

The panel is opaque, so a figure reads the same in JupyterLab's light and dark theme. All text is
set in DejaVu, which ships with matplotlib: no machine's own fonts change a figure.
"""

from __future__ import annotations

from numbers import Real

WIDTH = 7.5
"""Inches: at 96 pixels an inch, a figure fills the 720 pixels of a notebook cell."""

CSS_PIXELS_PER_INCH = 96

COLOURS = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#B8578F",
    "black": "#1F2328",
    "sky": "#56B4E9",
    "ochre": "#E69F00",
    "grey": "#A0A5AD",
}
"""After Okabe and Ito (2008), purple darker and grey for their yellow; the first five suit thin lines."""

SEQUENTIAL = "viridis"
"""For what has one sign: equal steps look equal, and it survives a grey printer."""

DIVERGING = "RdBu_r"
"""For signed values: red is positive, white is zero, blue is negative."""

ON_PAPER = "Blues"
"""For what has one sign and is mostly near zero (attention, probabilities): zero looks like paper."""

MONOSPACED = ["DejaVu Sans Mono", "DejaVu Sans"]
"""For tokens; both fonts ship with matplotlib, and the second has what the first lacks."""

PANEL = "#FAFAF7"
INK = "#1F2328"
QUIET = "#6B7078"
"""For words that step back and must be read all the same."""

FAINT = "#C9CCD1"
"""For lines; words in it cannot be read."""

READABLE = 4.5
"""How much lighter or darker than its ground a text must be: level AA of the WCAG 2.2."""

STYLE = {
    "figure.figsize": (WIDTH, 4.2),
    "figure.dpi": CSS_PIXELS_PER_INCH,
    "figure.facecolor": PANEL,
    "figure.edgecolor": PANEL,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.12,
    "figure.constrained_layout.h_pad": 0.10,
    "savefig.facecolor": "auto",
    "savefig.edgecolor": "auto",
    "savefig.transparent": False,
    "font.family": ["DejaVu Sans"],
    "mathtext.fontset": "dejavusans",
    "font.size": 10.5,
    "text.color": INK,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": 10.5,
    "axes.labelcolor": INK,
    "axes.facecolor": PANEL,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.9,
    "lines.markersize": 5,
    "image.cmap": SEQUENTIAL,
    "image.interpolation": "nearest",
    "svg.hashsalt": "mi-course",
}


def use_style() -> None:
    """Give every figure that is drawn from now on the course's look, also those you make with pyplot."""
    import matplotlib
    from cycler import cycler

    matplotlib.rcParams.update(STYLE)
    matplotlib.rcParams["axes.prop_cycle"] = cycler(color=list(COLOURS.values()))


def styled():
    """A ``with`` block in which figures have the course's look, whatever the rcParams outside say."""
    import matplotlib
    from cycler import cycler

    return matplotlib.rc_context({**STYLE, "axes.prop_cycle": cycler(color=list(COLOURS.values()))})


def new_figure(height: Real, *, layout: str = "constrained"):
    """An empty figure as wide as a notebook cell and ``height`` inches high.

    It does not pass through pyplot, so nothing shows it twice and nothing has to close it.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout=layout)


def wrapped(title: str, characters: int = 76) -> str:
    """The title in lines that fit the width of a figure; line breaks of the author's stay."""
    import textwrap

    return "\n".join(textwrap.fill(line, characters) for line in title.splitlines())


def over_axes(title: str, inches: Real = 6.45) -> str:
    """The bold title of axes in lines that fit between the axes' left end and the figure's right one."""
    lines = []
    for line in title.splitlines():
        lines.append("")
        for word in line.split():
            longer = f"{lines[-1]} {word}".strip()
            if _width(longer) <= inches:
                lines[-1] = longer
            else:
                lines.append(word)
    return "\n".join(lines)


def _width(words: str) -> float:
    """Inches that a title of this text takes."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family=STYLE["font.family"], weight=STYLE["axes.titleweight"])))
    font.set_size(STYLE["axes.titlesize"], 72)
    font.set_text(words)
    return font.get_width_height()[0] / 64 / 72


def contrast(first, second) -> float:
    """The ratio of two colours' luminances, from 1 for the same to 21 for black and white (WCAG 2.2)."""
    dark, bright = sorted((_luminance(first), _luminance(second)))
    return (bright + 0.05) / (dark + 0.05)


def ink_on(colour) -> str:
    """The colour of text that can be read on ``colour``: white or ink, or black where neither stands out enough."""
    return next(ink for ink in ("white", INK, "black") if contrast(ink, colour) >= READABLE)


def outlined(text) -> None:
    """Put a thin rim of the panel's colour around a text that stands on lines."""
    from matplotlib.patheffects import withStroke

    text.set_path_effects([withStroke(linewidth=2.2, foreground=PANEL)])


def _luminance(colour) -> float:
    from matplotlib.colors import to_rgb

    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear))


def short_number(value: float, digits: int = 2) -> str:
    """A number in two significant digits, minus as a minus, for the small print inside figures."""
    return f"{value:.{digits}g}".replace("-", "−")
