"""Faces found again where they are expected, near by, or not at all."""

import numpy as np
import pytest

from attendance.core.domain import Detections
from attendance.core.following import follow, nearby
from tests.fakes import FakeSearch


def faces(*boxes):
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(rows, np.zeros((len(rows), 5, 2), np.float32), np.ones(len(rows), np.float32))


def at(x, y=0, side=100):
    return (x, y, x + side, y + side)


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("there", "expected", "is_found", "reason"),
    [
        ([at(0)], [at(0)], [True], "it did not move"),
        ([at(20, 10)], [at(0)], [True], "it moved a little"),
        ([at(500)], [at(0)], [False], "it is gone"),
        ([], [at(0), at(300)], [False, False], "an empty frame"),
        ([at(300), at(0)], [at(0), at(300)], [True, True], "row by row, whatever the order"),
        ([], [], [], "nobody is followed"),
    ],
)
def test_a_face_is_found_where_it_is_expected(there, expected, is_found, reason):
    found = follow(FakeSearch(faces(*there)), boxes(*expected), np.ones(len(expected), np.bool_))
    assert (found.scores > 0).tolist() == is_found, reason
    for box, wanted, hit in zip(found.boxes, expected, is_found, strict=True):
        assert not hit or abs(box - np.array(wanted)).max() <= 20


def test_a_face_that_jumped_is_found_near_by():
    """Overlap with the expected box is too small for O-Net to see it there."""
    search = Shortsighted(faces(at(45, 20)))
    found = follow(search, boxes(at(0)), np.array([True]))
    assert found.boxes.tolist() == [list(at(45, 20))]
    assert search.tries == [1, 10]
    gone = follow(search, boxes(at(0)), np.array([False]))
    assert gone.scores.tolist() == [0.0], "gone for longer: that is the scan's business"


class Shortsighted(FakeSearch):
    """Sees only what is nearly in the middle of the box."""

    def __init__(self, there):
        super().__init__(there)
        self.tries = []

    def confirm(self, boxes):
        self.tries.append(len(boxes))
        found = super().confirm(boxes)
        offset = np.abs(found.boxes - boxes).max(axis=1, initial=0)
        return Detections(
            found.boxes, found.landmarks, np.where(offset < 40, found.scores, 0).astype(np.float32)
        )


def test_two_tracks_never_hold_one_face():
    """The one that was expected nearer keeps it."""
    found = follow(FakeSearch(faces(at(0))), boxes(at(40), at(5)), np.array([True, True]))
    assert (found.scores > 0).tolist() == [False, True]


def test_nearby_boxes_surround_the_expected_one():
    tries = nearby(boxes(at(100, 100), at(0, 0, 50)))
    assert tries.shape == (2, 10, 4)
    sides = tries[..., 2:] - tries[..., :2]
    assert sides[..., 0] == pytest.approx(sides[..., 1])
    centres = (tries[..., :2] + tries[..., 2:]) / 2
    assert centres.mean(axis=1).tolist() == [pytest.approx([150, 150]), pytest.approx([25, 25])]
