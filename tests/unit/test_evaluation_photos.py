"""Which face a photo is of, which drawn face a detection meets, what JSON makes of figures."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from attendance.core.domain import FloatArray
from attendance.evaluation.detection import partners
from attendance.evaluation.embedding import main_face
from attendance.evaluation.reports import as_json


def boxes(*rows: tuple[float, float, float, float]) -> FloatArray:
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("found", "expected", "reason"),
    [
        (boxes((40, 40, 60, 60)), 0, "the only one"),
        (boxes((0, 0, 25, 25), (40, 40, 60, 60)), 1, "the centre beats a little more size"),
        (boxes((45, 45, 55, 55), (10, 10, 80, 80)), 1, "much larger beats better centred"),
        (boxes((30, 40, 50, 60), (50, 40, 70, 60)), 0, "alike: the surer detection"),
    ],
)
def test_main_face(found: FloatArray, expected: int, reason: str) -> None:
    assert main_face(found, (100, 100)) == expected, reason


FACE, AWAY = (0, 0, 10, 10), (50, 50, 60, 60)


@pytest.mark.parametrize(
    ("found", "drawn", "expected", "reason"),
    [
        (boxes(), boxes(FACE), [], "nothing found"),
        (boxes(FACE), boxes(), [-1], "nobody there"),
        (boxes(FACE), boxes(FACE), [0], "found"),
        (boxes(AWAY), boxes(FACE), [-1], "elsewhere"),
        (boxes(FACE, FACE), boxes(FACE), [0, -1], "one face is found once"),
        (boxes((0, 0, 10, 21)), boxes(FACE), [-1], "overlap 10/21 is below a half"),
        (boxes((0, 0, 10, 19)), boxes(FACE), [0], "overlap 10/19 is above a half"),
        (boxes(FACE, AWAY), boxes(AWAY, FACE), [1, 0], "each its own"),
        (
            boxes((0, 0, 10, 10), (0, 0, 10, 11)),
            boxes((0, 0, 10, 12), FACE),
            [1, 0],
            "the surer detection takes the closest, the next one what is left",
        ),
    ],
)
def test_partners(found: FloatArray, drawn: FloatArray, expected: list[int], reason: str) -> None:
    assert partners(found, drawn, 0.5).tolist() == expected, reason


def test_json_has_null_for_a_rate_of_nothing_and_leaves_curves_out() -> None:
    @dataclass(frozen=True)
    class Inner:
        val: float

    @dataclass(frozen=True)
    class Report:
        n: int
        eer: float
        val_at_far: dict[str, Inner]
        sizes: tuple[int, ...]
        curve: FloatArray = field(metadata={"json": False})

    report = Report(0, float("nan"), {"1e-3": Inner(0.5)}, (1, 2), boxes())
    assert as_json(report) == {
        "n": 0,
        "eer": None,
        "val_at_far": {"1e-3": {"val": 0.5}},
        "sizes": [1, 2],
    }
