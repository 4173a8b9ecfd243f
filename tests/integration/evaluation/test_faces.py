"""Faces are found once for all variants, and what is kept spares the work, not the care."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.errors import PhotoError
from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.faces import embed_faces, find_main_faces, photos_digest
from attendance.vision.crop import face_crops


class BrightFinder:
    """A detector that sees one face in a bright picture, none in a dark one."""

    looked = 0

    def detect(self, image: Image) -> Detections:
        self.looked += 1
        if image.mean() < 50:
            return Detections.empty()
        box = np.array([[8, 8, 40, 40]], np.float32)
        return Detections(box, np.zeros((1, 5, 2), np.float32), np.ones(1, np.float32))


class MeanColour:
    """An embedder of three dimensions."""

    model_id, variant, dimension, embedded = "mean", "f32", 3, 0

    def crops(self, image: Image, faces: Detections) -> npt.NDArray[np.uint8]:
        return face_crops(image, faces.boxes)

    def embed_crops(self, crops: npt.NDArray[np.uint8]) -> FloatArray:
        self.embedded += len(crops)
        mean = crops.mean(axis=(1, 2))
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for i, brightness in enumerate([200, 10, 120]):
        (folder / f"p{i}").mkdir(parents=True)
        cv2.imwrite(str(folder / f"p{i}/a.png"), np.full((48, 48, 3), brightness, np.uint8))
    return folder


PATHS = ["p0/a.png", "p1/a.png", "p2/a.png"]


def test_a_photo_without_a_face_keeps_its_place(photos: Path) -> None:
    faces = find_main_faces(BrightFinder(), photos, PATHS)
    assert faces.found.tolist() == [True, False, True]
    assert faces.crops().shape == (2, 160, 160, 3)
    (embeddings,) = embed_faces([MeanColour()], faces)
    assert np.linalg.norm(embeddings, axis=1).round(5).tolist() == [1, 0, 1]


def test_of_no_photos(photos: Path) -> None:
    faces = find_main_faces(BrightFinder(), photos, [])
    assert embed_faces([MeanColour()], faces)[0].shape == (0, 3)
    assert faces.crops().shape == (0, 160, 160, 3)


def test_what_is_kept_is_not_done_again(photos: Path, tmp_path: Path) -> None:
    boxes, rows = (EmbeddingCache(tmp_path / "kept", name) for name in ("boxes", "rows"))
    finder, embedder = BrightFinder(), MeanColour()
    for _ in range(2):
        faces = find_main_faces(finder, photos, PATHS, boxes)
        embed_faces([embedder], faces, [rows])
    assert (finder.looked, embedder.embedded) == (3, 2)


def test_a_photo_that_is_gone(photos: Path) -> None:
    with pytest.raises(PhotoError, match="there is no such photo"):
        find_main_faces(BrightFinder(), photos, ["p9/a.png"])


def test_the_digest_names_the_photos_not_their_order(photos: Path) -> None:
    digest = photos_digest(photos, PATHS)
    assert digest == photos_digest(photos, PATHS[::-1])
    assert digest != photos_digest(photos, PATHS[:2])
    (photos / "p0/a.png").write_bytes(b"another")
    assert digest != photos_digest(photos, PATHS)
