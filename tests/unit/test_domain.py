"""The words of the system: they refuse what they cannot mean, and errors say what to do."""

from datetime import datetime

import numpy as np
import pytest

from attendance.core import errors
from attendance.core.domain import Detections, Frame, Gallery
from attendance.core.errors import AttendanceError, DimensionError
from tests.fakes import MODEL, NINE, axis, gallery_of


def image(*shape):
    return np.zeros(shape, np.uint8)


def detections(n):
    return Detections(
        np.arange(4 * n, dtype=np.float32).reshape(n, 4),
        np.zeros((n, 5, 2), np.float32),
        np.arange(n, dtype=np.float32),
    )


@pytest.mark.parametrize(
    ("shape", "reason"),
    [((4, 4), "grey"), ((4, 4, 4), "with an alpha channel"), ((1, 4, 4, 3), "a batch")],
)
def test_a_frame_is_a_colour_picture(shape, reason):
    with pytest.raises(DimensionError, match=r"a frame is \(H, W, 3\), got"):
        Frame(1, image(*shape), 0.0, NINE)


def test_a_frame_knows_its_time_zone():
    with pytest.raises(ValueError, match="naive"):
        Frame(1, image(4, 4, 3), 0.0, datetime(2026, 3, 2, 9, 0))


@pytest.mark.parametrize(
    ("boxes", "landmarks", "scores", "reason"),
    [
        ((2, 4), (2, 5, 2), (1,), "a score too few"),
        ((2, 4), (1, 5, 2), (2,), "landmarks too few"),
        ((2, 5), (2, 5, 2), (2,), "boxes with a score inside"),
        ((0,), (0, 5, 2), (0,), "nothing, of the wrong shape"),
    ],
)
def test_detections_are_parallel(boxes, landmarks, scores, reason):
    arrays = [np.zeros(shape, np.float32) for shape in (boxes, landmarks, scores)]
    with pytest.raises(DimensionError, match="detections of"):
        Detections(*arrays)


@pytest.mark.parametrize(
    ("index", "scores", "reason"),
    [
        ([2, 0], [2, 0], "indices, in their order"),
        ([True, False, True], [0, 2], "a mask"),
        ([], [], "none"),
        (np.array([False] * 3), [], "a mask of none"),
    ],
)
def test_detections_can_be_chosen_from(index, scores, reason):
    assert detections(3).take(index).scores.tolist() == scores, reason


def test_choosing_from_nothing_gives_nothing():
    assert len(Detections.empty().take(np.zeros(0, bool))) == 0


@pytest.mark.parametrize(
    ("ids", "rows", "owners", "message"),
    [
        ((1,), 2, [0], "one owner a template"),
        ((1, 1), 2, [0, 1], "names each student once"),
        ((1, 2), 2, [0, 0], "owns at least one template"),
        ((1,), 2, [0, 1], "owns at least one template"),
        ((1,), 0, [], "owns at least one template"),
    ],
)
def test_a_gallery_is_whole(ids, rows, owners, message):
    templates = np.zeros((rows, 4), np.float32)
    with pytest.raises(ValueError, match=message):
        Gallery(MODEL, ids, templates, np.array(owners, np.intp))


def test_a_gallery_is_a_matrix():
    with pytest.raises(DimensionError, match="one owner a template"):
        Gallery(MODEL, (1,), axis(0), np.zeros(32, np.intp))


def test_a_gallery_counts_people():
    assert [len(gallery_of(*ids)) for ids in ((), (7,), (7, 8))] == [0, 1, 2]


def all_errors():
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    return {cls for cls in found if issubclass(cls, Exception)}


def test_every_error_is_one_of_ours_and_in_the_drawing():
    """Callers catch `AttendanceError` at the edges; one outside the tree is a traceback."""
    drawn = errors.__doc__
    for cls in all_errors():
        assert issubclass(cls, AttendanceError)
        assert cls.__name__ in drawn
        assert cls.__doc__


def test_a_photo_error_names_its_cause():
    error = errors.PhotoError(errors.PhotoProblem.TOO_DARK, "The photo is too dark.")
    assert (error.reason.value, str(error)) == ("too_dark", "The photo is too dark.")
