"""Boxes as arrays: hand-worked figures, empty cases and the laws of suppression."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.geometry import (
    areas,
    intersections,
    iou,
    non_maximum_suppression,
    squared,
)

EMPTY = np.zeros((0, 4), np.float32)
UNIT = (0, 0, 10, 10)


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


@st.composite
def crowds(draw):
    """Up to twelve whole-pixel boxes with distinct scores, so that no tie decides."""
    corner, side = st.integers(0, 30), st.integers(1, 20)
    rows = draw(st.lists(st.tuples(corner, corner, side, side), max_size=12))
    scores = draw(st.permutations(range(len(rows))))
    found = boxes(*[(x, y, x + w, y + h) for x, y, w, h in rows])
    return found, np.array(scores, np.float32) / 16


@pytest.mark.parametrize(
    ("other", "expected", "reason"),
    [
        (UNIT, 1.0, "the same box"),
        ((5, 0, 15, 10), 50 / 150, "half of each: 50 shared of 150 covered"),
        ((0, 0, 5, 5), 25 / 100, "a quarter of it, inside"),
        ((10, 0, 20, 10), 0.0, "they touch along an edge"),
        ((30, 30, 40, 40), 0.0, "apart"),
        ((3, 3, 3, 3), 0.0, "a point has no area"),
        ((8, 8, 2, 2), 0.0, "corners the wrong way round have no area"),
    ],
)
def test_iou(other, expected, reason):
    assert iou(boxes(UNIT), boxes(other))[0, 0] == pytest.approx(expected, abs=1e-6), reason


@pytest.mark.parametrize(
    ("a", "b", "shape"),
    [
        (EMPTY, EMPTY, (0, 0)),
        (EMPTY, boxes(UNIT), (0, 1)),
        (boxes(UNIT, UNIT), EMPTY, (2, 0)),
    ],
)
def test_pairs_with_nothing_are_empty(a, b, shape):
    assert iou(a, b).shape == intersections(a, b).shape == shape


def test_nothing_has_no_area_and_no_square():
    assert areas(EMPTY).shape == (0,)
    assert squared(EMPTY).shape == (0, 4)


@given(crowds())
def test_iou_is_symmetric_and_a_fraction(crowd):
    found, _ = crowd
    overlap = iou(found, found)
    assert np.allclose(overlap, overlap.T)
    assert ((overlap >= 0) & (overlap <= 1 + 1e-6)).all()
    assert np.allclose(np.diag(overlap), 1)


@pytest.mark.parametrize(
    ("rows", "scores", "way", "kept", "reason"),
    [
        ([], [], "union", [], "nobody"),
        ([UNIT], [0.5], "union", [0], "one"),
        ([UNIT, UNIT], [0.5, 0.9], "union", [1], "the same face twice: the better score stays"),
        ([UNIT, (30, 0, 40, 10)], [0.5, 0.9], "union", [1, 0], "two faces, best first"),
        ([UNIT, (0, 0, 5, 10)], [0.9, 0.5], "union", [0, 1], "an overlap of 0.5 is not over 0.5"),
        ([UNIT, (0, 0, 4, 4)], [0.9, 0.5], "union", [0, 1], "16 of 100: a small one inside stays"),
        ([UNIT, (0, 0, 4, 4)], [0.9, 0.5], "minimum", [0], "all of the smaller one is inside"),
        ([(3, 3, 3, 3), UNIT], [0.9, 0.5], "union", [0, 1], "a point suppresses nobody"),
        ([UNIT, UNIT], [0.5, 0.5], "union", [0], "a tie goes to the first"),
    ],
)
def test_suppression(rows, scores, way, kept, reason):
    chosen = non_maximum_suppression(boxes(*rows), np.array(scores, np.float32), 0.5, way)
    assert chosen.tolist() == kept, reason
    assert chosen.dtype == np.intp


@given(crowds(), st.floats(0, 1))
def test_suppression_keeps_no_two_boxes_over_the_threshold(crowd, threshold):
    found, scores = crowd
    kept = non_maximum_suppression(found, scores, threshold)
    overlap = iou(found[kept], found[kept])
    np.fill_diagonal(overlap, 0)
    assert (overlap <= threshold + 1e-5).all()


@given(crowds(), st.floats(0, 1))
def test_suppression_drops_nothing_without_a_better_box_over_it(crowd, threshold):
    found, scores = crowd
    kept = non_maximum_suppression(found, scores, threshold)
    for index in set(range(len(found))) - set(kept.tolist()):
        better = kept[scores[kept] > scores[index]]
        assert (iou(found[index : index + 1], found[better]) >= threshold - 1e-5).any()


@given(crowds())
def test_the_best_box_always_stays_first(crowd):
    found, scores = crowd
    kept = non_maximum_suppression(found, scores, 0.3)
    assert kept.tolist() == sorted(kept, key=lambda i: -scores[i])
    assert not len(found) or kept[0] == scores.argmax()


@given(crowds())
def test_squares_keep_the_centre_and_hold_the_box(crowd):
    found, _ = crowd
    square = squared(found)
    sides = square[:, 2:] - square[:, :2]
    assert np.allclose(sides[:, 0], sides[:, 1])
    assert np.allclose(square[:, :2] + square[:, 2:], found[:, :2] + found[:, 2:])
    assert (square[:, :2] <= found[:, :2] + 1e-4).all()
    assert (square[:, 2:] >= found[:, 2:] - 1e-4).all()
