"""The background that ships with the program, by model: read and written as JSON."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from attendance.core.impostors import Background

SHIPPED = Path(__file__).parent / "background.json"


@cache
def shipped_background(model_id: str) -> Background | None:
    """The background of a model; None for a model nobody has measured it for."""
    return backgrounds(SHIPPED).get(model_id)


def backgrounds(file: Path) -> dict[str, Background]:
    """Every background of a file, by model_id; none where there is no file."""
    if not file.is_file():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    return {model_id: _as_background(model_id, data) for model_id, data in found.items()}


def keep_background(background: Background, file: Path) -> None:
    """Puts a background beside those of other models."""
    everything = {**backgrounds(file), background.model_id: background}
    data = {model_id: _as_json(one) for model_id, one in sorted(everything.items())}
    file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _as_json(background: Background) -> dict[str, Any]:
    return {
        "margin": background.margin,
        "strangers": background.strangers,
        "people": background.people,
        "sizes": background.sizes.astype(int).tolist(),
        "levels": background.levels.tolist(),
        "fpir": [_line(row) for row in background.fpir],
        "spread": [_line(row) for row in background.spread],
    }


def _line(row: np.ndarray) -> list[float]:
    return [float(f"{value:.4g}") for value in row]


def _as_background(model_id: str, data: dict[str, Any]) -> Background:
    tables = {key: np.array(data[key], np.float64) for key in ("sizes", "levels", "fpir", "spread")}
    return Background(
        model_id=model_id,
        margin=data["margin"],
        strangers=data["strangers"],
        people=data["people"],
        **tables,
    )
