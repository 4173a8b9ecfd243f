"""What evaluations hand over: figures as JSON with fixed keys; and how far they are."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

STANDARD_OUTPUT = "-"
T = TypeVar("T")


def shown(work: Sequence[T], title: str) -> Iterable[T]:
    """The same items with a progress bar, on the standard error so that JSON stays clean."""
    if not work:
        return work
    return track(work, description=title, transient=True, console=Console(stderr=True))


def check_targets(*targets: str | Path | None) -> None:
    """Find out before minutes of work whether their outcome can be written.

    Raises:
        ProtocolError: the folder of a target is not there, or the target is a folder.
    """
    from attendance.evaluation.protocols import ProtocolError  # brings numpy, --help needs none

    for target in targets:
        if target is None or str(target) == STANDARD_OUTPUT:
            continue
        path = Path(target)
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise ProtocolError(
                f"{path} cannot be written: it is a folder, or its folder is missing"
            )


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
    text = json.dumps(as_json(report), indent=2, ensure_ascii=False, default=str) + "\n"
    if target == STANDARD_OUTPUT:
        sys.stdout.write(text)
    else:
        Path(target).write_text(text, encoding="utf-8")
