"""Photos of people who are colours: the fakes read the colour, so every figure is known before."""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from attendance.core.domain import Detections, FloatArray, Image
from attendance.evaluation.embedding import PhotoEmbedder

SIDE_PX = 40
PhotoWriter = Callable[[Path, Mapping[str, list[int]]], Path]


class FakeDetector:
    """Sees one face in the middle of every photo that is not black; counts what it was shown."""

    def __init__(self) -> None:
        self.photos_seen = 0

    def detect(self, image: Image) -> Detections:
        self.photos_seen += 1
        if not image.any():
            return Detections.empty()
        box = np.array([[10, 10, 30, 30]], np.float32)
        return Detections(box, np.zeros((1, 5, 2), np.float32), np.ones(1, np.float32))


class FakeEmbedder:
    """A face's embedding is the angle its grey stands for: 0 to 250 is 0 to 125 degrees."""

    model_id = "fake-1"
    variant = "fake"
    dimension = 2

    def embed(self, image: Image, faces: Detections) -> FloatArray:
        x1, y1, x2, y2 = faces.boxes[0].astype(int)
        angle = np.radians(float(image[y1:y2, x1:x2].mean()) / 2)
        return np.array([[np.cos(angle), np.sin(angle)]], np.float32)


@pytest.fixture
def detector() -> FakeDetector:
    return FakeDetector()


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def photo_embedder(detector: FakeDetector, embedder: FakeEmbedder) -> PhotoEmbedder:
    return PhotoEmbedder(detector, embedder)


@pytest.fixture
def write_people() -> PhotoWriter:
    """Writes a folder of people, each with one photo a grey; 0 is a photo without a face."""

    def write(folder: Path, people: Mapping[str, list[int]]) -> Path:
        for name, greys in people.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            for number, grey in enumerate(greys, start=1):
                image = np.full((SIDE_PX, SIDE_PX, 3), grey, np.uint8)
                cv2.imwrite(str(folder / name / f"{name}_{number:04d}.png"), image)
        return folder

    return write
