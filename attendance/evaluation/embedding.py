"""Folders of photos to embeddings: each photo once, the face the photo was taken for.

A photo without a detected face keeps its place, marked as not found: whoever compares it gets
similarity -1, so that a missed detection costs what it costs in class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.errors import PhotoError, PhotoProblem
from attendance.core.flips import with_flips
from attendance.core.pipeline import Detector
from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.reports import shown
from attendance.vision.embedder import NamedEmbedder

SAVE_EVERY = 500
FACE_ROW = 4 + 5 * 2
"""What is kept of a face: its box, then its landmarks."""


@dataclass(frozen=True)
class EmbeddedPhotos:
    """The faces of some photos as parallel arrays.

    Attributes:
        paths: relative to the folder, in the order they were asked for.
        embeddings: (n, d) float32, L2-normalised; zeros where no face was found.
        mirrored: (n, d) the same of the photo flipped left to right; (0, d) if nobody asked.
        found: (n,) bool, whether a face was found.
    """

    paths: tuple[str, ...]
    embeddings: FloatArray
    mirrored: FloatArray
    found: npt.NDArray[np.bool_]


class PhotoEmbedder:
    """Embeds the main face of photos.

    Args:
        detector: finds faces.
        embedder: embeds them.
        cache: keeps embeddings from one run to the next; None keeps nothing.
        faces: keeps the faces themselves, whichever embedder they are for; None keeps nothing.
    """

    def __init__(
        self,
        detector: Detector,
        embedder: NamedEmbedder,
        cache: EmbeddingCache | None = None,
        faces: EmbeddingCache | None = None,
    ) -> None:
        self._detector = detector
        self._embedder = embedder
        self._cache = cache
        self._faces = faces
        self.model_id = embedder.model_id
        self.variant = embedder.variant

    def embed(self, folder: Path, paths: Sequence[str], title: str = "faces") -> EmbeddedPhotos:
        """The main faces of these photos.

        Args:
            folder: what the paths are relative to.
            paths: the photos.
            title: shown beside the progress bar.

        Raises:
            PhotoError: a file is missing or no image.
        """
        rows = self._cache.read(folder, paths) if self._cache else {}
        missing = [path for path in dict.fromkeys(paths) if path not in rows]
        faces = self._faces.read(folder, missing) if self._faces else {}
        for count, path in enumerate(shown(missing, title), start=1):
            rows[path], faces[path] = self._one(folder / path, faces.get(path))
            if count % SAVE_EVERY == 0 or count == len(missing):
                for store, found_so_far in ((self._cache, rows), (self._faces, faces)):
                    if store is not None:
                        store.write(folder, found_so_far)
        pairs = np.stack([rows[path] for path in paths]) if paths else self._nothing()
        found = np.asarray(pairs.any(axis=(1, 2)))
        return EmbeddedPhotos(tuple(paths), pairs[:, 0], pairs[:, 1], found)

    def _nothing(self) -> FloatArray:
        return np.zeros((0, 2, self._embedder.dimension), np.float32)

    def _one(self, path: Path, row: FloatArray | None) -> tuple[FloatArray, FloatArray]:
        """The main face and its mirror image, zeros without one; and where the face is.

        Args:
            path: of the photo.
            row: where the face is, if that is known.
        """
        image = read_image(path)
        row = main_face_row(self._detector, image) if row is None else row
        face = face_of_row(row)
        if not len(face):
            return np.zeros((2, self._embedder.dimension), np.float32), row
        return with_flips(self._embedder, image, face)[:, 0], row


def main_face_row(detector: Detector, image: Image) -> FloatArray:
    """The main face's box and landmarks as (14,) numbers, zeros where there is none."""
    found = detector.detect(image)
    if not len(found):
        return np.zeros(FACE_ROW, np.float32)
    main = main_face(found.boxes, image.shape[:2])
    return np.concatenate([found.boxes[main], found.landmarks[main].ravel()]).astype(np.float32)


def face_of_row(row: FloatArray) -> Detections:
    """The face of `main_face_row` as a detector gives it."""
    if not row[:4].any():
        return Detections.empty()
    return Detections(row[None, :4], row[4:].reshape(1, 5, 2), np.ones(1, np.float32))


def read_image(path: Path) -> Image:
    """An image file as (H, W, 3) BGR, turned as its EXIF says.

    Raises:
        PhotoError: the file is missing or no image.
    """
    if not path.is_file():
        raise PhotoError(PhotoProblem.EMPTY, f"{path}: there is no such photo")
    data = np.fromfile(path, np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise PhotoError(PhotoProblem.NOT_AN_IMAGE, f"{path}: not an image that can be read")
    return np.asarray(image, np.uint8)


def main_face(boxes: FloatArray, shape: tuple[int, int]) -> int:
    """The face a photo was taken for: the largest, less twice its squared way from the centre.

    The rule of FaceNet's own alignment script, which LFW results are usually reported with.

    Args:
        boxes: (n, 4) xyxy pixels, n at least 1.
        shape: height and width of the photo.

    Returns:
        Its index.

    >>> centred, larger_aside = [40, 40, 60, 60], [0, 0, 25, 25]
    >>> main_face(np.array([larger_aside, centred], np.float32), (100, 100))
    1
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    centre = np.array([shape[1], shape[0]], np.float32) / 2
    offsets = (boxes[:, :2] + boxes[:, 2:]) / 2 - centre
    return int(np.argmax(sides[:, 0] * sides[:, 1] - 2 * (offsets**2).sum(axis=1)))
