"""What a roster's templates say: who is too alike, what fewer photos cost, when to be stricter."""

import numpy as np
import pytest

from attendance.config import DecisionConfig
from attendance.core.domain import Pose
from attendance.core.errors import AttendanceError
from attendance.core.impostors import Background
from attendance.evaluation.calibration import calibrated
from attendance.evaluation.searches import enrolment_of
from attendance.registry import NewTemplate

LEVELS = np.round(np.arange(0.1, 0.91, 0.02), 2)
SIZES = np.array([1, 5, 30, 90], np.float64)
FPIR = 1 - (1 - 0.2 * np.exp(-25 * (LEVELS - 0.1))[None]) ** SIZES[:, None]
BACKGROUND = Background("m", 0.1, 1000, 200, SIZES, LEVELS, FPIR, 0.3 * FPIR)
DECISION = DecisionConfig()
D = 64


def person(draw, centre, spread=0.5):
    """Five photos and their flips near one direction."""
    found = []
    for pose in Pose:
        photo = centre + spread * draw.normal(size=D) / np.sqrt(D)
        for is_flip in (False, True):
            row = photo + 0.05 * draw.normal(size=D) / np.sqrt(D)
            unit = (row / np.linalg.norm(row)).astype(np.float32)
            found.append(NewTemplate(pose.value, pose, is_flip, unit))
    return found


def roster(count=12, twins=False):
    draw = np.random.default_rng(0)
    centres = [draw.normal(size=D) / np.sqrt(D) for _ in range(count)]
    if twins:
        centres[1] = centres[0]
    return {10 + i: person(draw, centre) for i, centre in enumerate(centres)}


def report_of(templates):
    return calibrated(enrolment_of(templates, "m"), BACKGROUND, DECISION, 0.01, 10)


def test_a_plain_roster_needs_no_more_than_the_settings():
    report = report_of(roster())
    assert report.threshold == DECISION.threshold
    assert report.too_alike == ()
    assert report.fnir == 0.0
    assert report.n_photos == 60


def test_twins_are_named_as_a_pair_and_nobody_else_is():
    (pair,) = report_of(roster(twins=True)).too_alike
    assert (pair.first, pair.second) == (10, 11)
    assert report_of(roster(twins=True)).threshold == DECISION.threshold  # they are reviewed


def test_people_who_resemble_each_other_make_the_threshold_stricter():
    """Brothers can be told apart, but one who is not enrolled would pass for the other."""
    draw = np.random.default_rng(1)
    templates = {}
    for family in range(6):
        shared, own = draw.normal(size=(2, D)) / np.sqrt(D)
        templates[2 * family] = person(draw, shared, 0.2)
        templates[2 * family + 1] = person(draw, 0.8 * shared + 0.6 * own, 0.2)
    report = report_of(templates)
    assert report.too_alike == ()
    assert report.threshold > DECISION.threshold


def test_fewer_photos_never_miss_less():
    costs = report_of(roster()).fewer_poses
    assert [cost.templates for cost in costs] == [4, 3, 2, 1]
    missed = [cost.missed for cost in costs]
    assert missed == sorted(missed)


def test_one_photo_a_student_is_calibrated_without_genuine_figures():
    templates = {who: own[:2] for who, own in roster().items()}
    report = report_of(templates)
    assert report.fewer_poses == ()
    assert report.fnir == 1.0


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_to_compare_with_is_said_plainly(count):
    with pytest.raises(AttendanceError, match="takes 2 or more: enrol them first"):
        enrolment_of(roster(count), "m")


def test_a_background_of_another_model_is_refused():
    with pytest.raises(AttendanceError, match="the templates of other"):
        calibrated(enrolment_of(roster(), "other"), BACKGROUND, DECISION, 0.01, 10)
