"""Damaged photos: the face stays where its box and landmarks say it is."""

import numpy as np
import pytest

from attendance.core.domain import Detections, Image
from attendance.evaluation.damage import DAMAGES, UNTOUCHED, Damage, at_face_size

EYES_NOSE_MOUTH = [[80, 80], [120, 80], [100, 100], [85, 125], [115, 125]]


@pytest.fixture
def photo() -> Image:
    """A grey wall with a white face and grain on it."""
    image = np.full((200, 240, 3), 90, np.uint8)
    image[60:150, 65:135] = 200
    grain = np.random.default_rng(0).integers(0, 30, image.shape, np.uint8)
    return image + grain


@pytest.fixture
def face() -> Detections:
    box = np.array([[65, 60, 135, 150]], np.float32)
    return Detections(box, np.array([EYES_NOSE_MOUTH], np.float32), np.ones(1, np.float32))


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: f"{damage.kind} {damage.level}")
def test_the_face_stays_under_its_box_and_the_photo_is_not_touched(
    damage: Damage, photo: Image, face: Detections
) -> None:
    before = photo.copy()
    damaged, moved = damage.apply(photo, face)
    assert (photo == before).all()
    assert damaged.dtype == np.uint8
    assert damaged.shape != photo.shape or damage is UNTOUCHED or (damaged != photo).any()
    x1, y1, x2, y2 = moved.boxes[0].round().astype(int)
    eye = moved.landmarks[0, 0] - moved.boxes[0, :2]
    assert eye / (moved.boxes[0, 2:] - moved.boxes[0, :2]) == pytest.approx(
        [15 / 70, 20 / 90], abs=0.01
    )
    forehead = damaged[y1 + 1 : y1 + (y2 - y1) // 9, x1:x2].mean()
    wall = damaged[:, : max(1, x1 // 2)].mean()
    assert forehead > wall + 20


@pytest.mark.parametrize("face_px", [40, 256])
def test_a_face_has_the_size_that_was_asked_for(
    photo: Image, face: Detections, face_px: int
) -> None:
    _, moved = at_face_size(photo, face, face_px)
    width, height = moved.boxes[0, 2:] - moved.boxes[0, :2]
    assert np.sqrt(width * height) == pytest.approx(face_px, rel=0.02)


def test_a_mask_hides_the_mouth_and_leaves_the_eyes(photo: Image, face: Detections) -> None:
    mask = next(damage for damage in DAMAGES if damage.level == "mask")
    damaged, _ = mask.apply(photo, face)
    hidden = (damaged != photo).any(axis=2)
    places = np.array(EYES_NOSE_MOUTH)
    assert hidden[places[:, 1], places[:, 0]].tolist() == [False, False, True, True, True]


def test_sunglasses_hide_the_eyes_and_clear_ones_do_not(photo: Image, face: Detections) -> None:
    for level, is_hidden in (("glasses", False), ("sunglasses", True)):
        damage = next(damage for damage in DAMAGES if damage.level == level)
        damaged, _ = damage.apply(photo, face)
        hidden = (damaged != photo).any(axis=2)
        assert hidden[80, 80] == hidden[80, 120] == is_hidden, level
        assert hidden[80, 100], "the bridge lies between the eyes"
