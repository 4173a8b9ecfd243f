"""A face and its mirror image: boxes and landmarks go with the pixels."""

import numpy as np
import pytest

from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.flips import mirrored, with_flips

WIDTH_PX = 50


def a_face() -> tuple[Image, Detections]:
    """A bright box with a mark of its own brightness at each landmark."""
    image = np.zeros((20, WIDTH_PX, 3), np.uint8)
    image[5:15, 3:13] = 200
    landmarks = np.array([[[5, 7], [10, 7], [8, 9], [5, 12], [11, 12]]], np.float32)
    for place, (x, y) in enumerate(landmarks[0].astype(int)):
        image[y, x] = 10 * (place + 1)
    box = np.array([[3, 5, 13, 15]], np.float32)
    return image, Detections(box, landmarks, np.ones(1, np.float32))


class BoxSum:
    """Adds up what lies in a box, and says where the first eye is."""

    def embed(self, image: Image, faces: Detections) -> FloatArray:
        rows = []
        for (x1, y1, x2, y2), marks in zip(faces.boxes.astype(int), faces.landmarks, strict=True):
            rows.append([float(image[y1:y2, x1:x2].sum()), float(marks[0, 0])])
        return np.array(rows, np.float32).reshape(-1, 2)


def test_a_mirrored_face_lies_under_its_mirrored_box() -> None:
    image, face = a_face()
    both = with_flips(BoxSum(), image, face)
    assert both.shape == (2, 1, 2)
    assert both[0, 0, 0] == both[1, 0, 0] == image.sum()


def test_the_eye_at_the_left_of_the_picture_stays_the_first_landmark() -> None:
    """An aligned crop of a face whose eyes changed places would be upside down."""
    _, face = a_face()
    flipped = mirrored(face, WIDTH_PX)
    assert flipped.landmarks[0, 0].tolist() == [WIDTH_PX - 10, 7]
    assert flipped.landmarks[0, 4].tolist() == [WIDTH_PX - 5, 12]
    assert (flipped.landmarks[:, 0, 0] < flipped.landmarks[:, 1, 0]).all()


@pytest.mark.parametrize("n", [0, 1])
def test_twice_mirrored_is_as_it_was(n: int) -> None:
    _, face = a_face()
    face = face.take(np.arange(n))
    again = mirrored(mirrored(face, WIDTH_PX), WIDTH_PX)
    assert again.boxes == pytest.approx(face.boxes)
    assert again.landmarks == pytest.approx(face.landmarks)
