"""Which embedder separates best: its figures, and when chance could have made the difference."""

import numpy as np
import pytest

from attendance.config import DecisionConfig
from attendance.core.domain import Pose
from attendance.evaluation.separation import separations, verdict
from attendance.registry import NewTemplate

DECISION = DecisionConfig()


def roster(noise, *, people=10, photos=5, seed=0, d=48):
    """Templates of people whose photos scatter by so much."""
    draw, found = np.random.default_rng(seed), {}
    for who in range(people):
        centre = draw.normal(size=d)
        rows = [centre + noise * draw.normal(size=d) for _ in range(photos)]
        units = [(row / np.linalg.norm(row)).astype(np.float32) for row in rows]
        poses = list(Pose)[:photos]
        found[who] = [
            NewTemplate(pose.value, pose, False, unit)
            for pose, unit in zip(poses, units, strict=True)
        ]
    return found


def compared(**templates):
    return separations(templates, {}, lambda _: None, DECISION, 0.01)


def test_the_embedder_whose_photos_scatter_less_is_named():
    found = compared(**{"loose-1": roster(1.2, people=30), "tight-2": roster(0.4, people=30)})
    assert found[1].d_prime > found[0].d_prime
    assert verdict(found).startswith("tight separates best on this roster")
    assert found[0].n_genuine == 150
    assert found[0].n_impostor == 150 * 29


def test_the_interval_lies_round_the_figure():
    (one,) = compared(**{"only-1": roster(0.8)})
    assert one.low < one.d_prime < one.high
    assert "no other embedder" in verdict([one])


def test_a_difference_that_chance_could_make_is_called_so():
    found = compared(**{"one-1": roster(0.8, seed=1), "two-2": roster(0.8, seed=2)})
    assert "by more than chance" in verdict(found)


def test_only_students_with_templates_of_every_embedder_are_compared():
    some = {who: own if who < 4 else [] for who, own in roster(0.5).items()}
    found = compared(**{"all-1": roster(0.5), "some-2": some, "none-3": {0: []}})
    assert [one.n_students for one in found] == [4, 4]


@pytest.mark.parametrize("people", [0, 1])
def test_too_few_students_give_nothing_to_compare(people):
    found = compared(**{"one-1": roster(0.5, people=people)})
    assert found == []
    assert verdict(found) == ""


def test_one_photo_a_student_has_nothing_genuine():
    assert compared(**{"one-1": roster(0.5, photos=1)}) == []


def test_strangers_nobody_measured_leave_the_misses_unsaid():
    (one,) = compared(**{"own-1": roster(0.5)})
    assert one.fnir is None
    assert one.threshold is None
