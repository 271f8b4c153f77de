"""What every recipe does with files: checkpoints that survive a kill, and cards that name each file's hash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch


def save_checkpoint(path: Path, state: dict) -> None:
    """Write beside, then rename: a run killed while it saves keeps its last checkpoint."""
    beside = path.with_suffix(".part")
    torch.save(state, beside)
    beside.replace(path)


def write_card(folder: Path, card: dict) -> dict:
    """Write ``card.json`` with size and sha256 of every other file of the folder, and return the card."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.iterdir())
        if path.name != "card.json"
    }
    card = {**card, "files": files}
    (folder / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return card


def rounded(value, *, significant: bool = False):
    """Every number in dicts and lists to four decimals, or to four significant digits; whole numbers as they are."""
    if isinstance(value, dict):
        return {key: rounded(each, significant=significant) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each, significant=significant) for each in value]
    if not isinstance(value, float):
        return value
    return float(f"{value:.4g}") if significant else round(value, 4) + 0.0  # no −0.0
