"""The main face of every photo, found once and embedded by as many variants as are compared.

What is found does not depend on the embedder, and finding takes longer than embedding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from attendance.core.domain import Detections, FloatArray, IntArray
from attendance.core.pipeline import Detector
from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.embedding import FACE_ROW, face_of_row, main_face_row, read_image
from attendance.evaluation.reports import shown
from attendance.vision.crop import face_crops
from attendance.vision.quantized import file_digest

BATCH = 8
SAVE_EVERY = 500


class CropEmbedder(Protocol):
    """Embeds crops: `attendance.vision.facenet.FaceNet`.

    Attributes:
        model_id: names the embedding space.
        variant: engine and precision.
        dimension: length of an embedding.
    """

    model_id: str
    variant: str
    dimension: int

    def embed_crops(self, crops: npt.NDArray[np.uint8]) -> FloatArray:
        """Embeddings of (n, 160, 160, 3) uint8 RGB crops. Returns: (n, d) normalised."""
        ...


@dataclass(frozen=True)
class MainFaces:
    """The faces some photos were taken for.

    Attributes:
        folder: what the paths are relative to.
        paths: (n,) photos.
        boxes: (n, 4) float32 xyxy pixels, zeros where no face was found.
        landmarks: (n, 5, 2) float32 xy pixels, likewise.
    """

    folder: Path
    paths: tuple[str, ...]
    boxes: FloatArray
    landmarks: FloatArray

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """Whether a face was found. Returns: (n,)."""
        return np.asarray(self.boxes.any(axis=1))

    def at(self, row: int) -> Detections:
        """The face of one photo, as a detector gives it; none where none was found."""
        return face_of_row(np.append(self.boxes[row], self.landmarks[row]))

    def take(self, rows: IntArray) -> MainFaces:
        """The same of some of the photos."""
        paths = tuple(self.paths[row] for row in rows.tolist())
        return MainFaces(self.folder, paths, self.boxes[rows], self.landmarks[rows])

    def crops(self, rows: Sequence[int] | None = None) -> npt.NDArray[np.uint8]:
        """Crops of these photos, of all with a face if none are named.

        Returns:
            (k, 160, 160, 3) uint8 RGB, black where there is no face.
        """
        crops = [
            face_crops(read_image(self.folder / self.paths[row]), self.boxes[row][None])
            for row in (np.flatnonzero(self.found) if rows is None else rows)
        ]
        return np.concatenate(crops) if crops else np.zeros((0, 160, 160, 3), np.uint8)


def find_main_faces(
    detector: Detector, folder: Path, paths: Sequence[str], cache: EmbeddingCache | None = None
) -> MainFaces:
    """Look for the main face of each photo.

    Args:
        detector: finds faces.
        folder: what the paths are relative to.
        paths: the photos.
        cache: a `faces_cache`; keeps faces from one run to the next.

    Raises:
        PhotoError: a file is missing or no image.
    """
    rows = cache.read(folder, paths) if cache else {}
    missing = [path for path in dict.fromkeys(paths) if path not in rows]
    for count, path in enumerate(shown(missing, "Finding faces"), start=1):
        rows[path] = main_face_row(detector, read_image(folder / path))
        if cache and (count % SAVE_EVERY == 0 or count == len(missing)):
            cache.write(folder, rows)
    every = (
        np.stack([rows[path] for path in paths]) if paths else np.zeros((0, FACE_ROW), np.float32)
    )
    return MainFaces(folder, tuple(paths), every[:, :4], every[:, 4:].reshape(-1, 5, 2))


def faces_cache(folder: Path | None, settings: str) -> EmbeddingCache | None:
    """Where faces found with these settings of the detector are kept; None keeps nothing."""
    return EmbeddingCache(folder, f"main faces|{settings}") if folder is not None else None


def photos_digest(folder: Path, paths: Sequence[str]) -> str:
    """SHA-256 of these photos and their names, in whatever order they are given.

    Raises:
        OSError: a file is missing.
    """
    lines = [f"{path} {file_digest(folder / path)}" for path in sorted(paths)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def embed_faces(
    embedder: CropEmbedder, faces: MainFaces, cache: EmbeddingCache | None = None
) -> FloatArray:
    """Embeddings of all photos, zeros where no face was found. Returns: (n, d) float32."""
    rows = cache.read(faces.folder, faces.paths) if cache else {}
    wanted = [i for i in np.flatnonzero(faces.found).tolist() if faces.paths[i] not in rows]
    batches = [wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH)]
    for count, batch in enumerate(shown(batches, f"Embedding, {embedder.variant}"), start=1):
        embedded = embedder.embed_crops(faces.crops(batch))
        rows.update({faces.paths[i]: row for i, row in zip(batch, embedded, strict=True)})
        if cache and (count % (SAVE_EVERY // BATCH) == 0 or count == len(batches)):
            cache.write(faces.folder, rows)
    nothing = np.zeros(embedder.dimension, np.float32)
    every = [rows.get(path, nothing) for path in faces.paths]
    return np.stack(every) if every else np.zeros((0, embedder.dimension), np.float32)
