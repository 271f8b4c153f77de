"""Make the three sealed models of chapter 15, and ship them.

    python -m mi_course.recipes.capstone --seed 15

They are tiny-world with one mechanism each planted in it (`methods.sealed.case`), not trained anew. For a workshop
make others with ``mi-course capstone --seed …``; the seed of the shipped ones makes these three again, with the key.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mi_course.methods.sealed.case import NOISE, Case, make_set
from mi_course.methods.sealed.envelope import seal
from mi_course.models.pretrained import WEIGHTS, card, load
from mi_course.recipes.shipping import write_card

BASE = "tiny-world"
WHOLE_SET = ("gifts, two people", "gifts, three people", "facts", "said twice", "loss on text, change")
"""Measures that every case has. Those of the plant itself would tell too much."""


def ship(cases: dict[str, Case], seed: int, to: Path = WEIGHTS) -> list[dict]:
    """Write each case as a shipped model called capstone-a, -b, -c, and return their cards."""
    base, cards = card(BASE), []
    for letter, case in cases.items():
        folder = to / f"capstone-{letter}"
        seal(case, folder)
        facts = {
            "name": folder.name,
            "about": "A sealed model of chapter 15: tiny-world with one mechanism planted in it, and disguised.",
            "licence": base["licence"],
            "recipe": "python -m mi_course.recipes.capstone",
            "seed": seed,
            "base": {"name": BASE, "sha256": base["files"]["model.safetensors"]["sha256"]},
            "data": base["data"],
            "noise": NOISE,
            "measures": {name: round(case.measures[name], 4) for name in WHOLE_SET},
            "untrained_twin": {**base["untrained_twin"], "name": f"{folder.name}-untrained"},
        }
        cards.append(write_card(folder, facts))
    return cards


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--to", type=Path, default=WEIGHTS)
    options = parser.parse_args(arguments)
    ship(make_set(load(BASE), options.seed, report=print), options.seed, options.to)


if __name__ == "__main__":
    main()
