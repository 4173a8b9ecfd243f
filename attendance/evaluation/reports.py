"""What evaluations hand over: figures as JSON with fixed keys."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

STANDARD_OUTPUT = "-"


def as_json(report: Any) -> Any:
    """A report as plain JSON values: a rate over nothing, nan, becomes null.

    Fields marked `metadata={"json": False}` are left out; keys are the names of the fields.

    >>> as_json({"eer": float("nan"), "n": 3})
    {'eer': None, 'n': 3}
    """
    if is_dataclass(report):
        shown = [field for field in fields(report) if field.metadata.get("json", True)]
        return {field.name: as_json(getattr(report, field.name)) for field in shown}
    if isinstance(report, dict):
        return {str(key): as_json(value) for key, value in report.items()}
    if isinstance(report, list | tuple):
        return [as_json(value) for value in report]
    if isinstance(report, float):
        return report if math.isfinite(report) else None
    return report


def write_json(report: Any, target: str) -> None:
    """Write a report to a file, or to standard output for `-`."""
    text = json.dumps(as_json(report), indent=1, ensure_ascii=False) + "\n"
    if target == STANDARD_OUTPUT:
        sys.stdout.write(text)
    else:
        Path(target).write_text(text, encoding="utf-8")
