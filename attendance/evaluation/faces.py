"""The main face of every photo, found once and embedded by as many variants as are compared.

What is found does not depend on the embedder, and finding takes longer than embedding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from attendance.core.domain import Detections, FloatArray, Image, IntArray
from attendance.core.pipeline import Detector
from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.embedding import FACE_ROW, face_of_row, main_face_row, read_image
from attendance.evaluation.reports import shown
from attendance.vision.crop import face_crops
from attendance.vision.quantized import file_digest

BATCH = 8
SAVE_EVERY = 500


class CropEmbedder(Protocol):
    """Embeds crops: `attendance.vision.embedder.BatchedEmbedder`.

    Attributes:
        model_id: names the embedding space.
        variant: engine and precision.
        dimension: length of an embedding.
    """

    model_id: str
    variant: str
    dimension: int

    def embed_crops(self, crops: npt.NDArray[np.uint8]) -> FloatArray:
        """Embeddings of (n, s, s, 3) uint8 crops. Returns: (n, d) normalised."""
        ...


class FaceEmbedder(CropEmbedder, Protocol):
    """Also cuts the faces out: likewise a `BatchedEmbedder`."""

    def crops(self, image: Image, faces: Detections) -> npt.NDArray[np.uint8]:
        """These faces of a BGR image, as `embed_crops` wants them. Returns: (n, s, s, 3)."""
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


def crops_key(embedder: CropEmbedder, settings: str) -> str:
    """What embeddings of one face a photo are kept under.

    Args:
        embedder: they are of.
        settings: whatever else they depend on.
    """
    return f"crops|{embedder.model_id}|{embedder.variant}|{settings}"


def embed_faces(
    embedders: Sequence[FaceEmbedder],
    faces: MainFaces,
    caches: Sequence[EmbeddingCache | None] | None = None,
) -> list[FloatArray]:
    """Embed the faces with each embedder, cut out as that one wants them.

    Args:
        embedders: k of them.
        faces: of n photos.
        caches: one an embedder; keeps embeddings from one run to the next.

    Returns:
        k times (n, d) float32, zeros where no face was found.

    Raises:
        PhotoError: a file is missing or no image.
    """
    kept = caches or [None] * len(embedders)
    known = [cache.read(faces.folder, faces.paths) if cache else {} for cache in kept]
    lacking = [i for i in _found_rows(faces) if any(faces.paths[i] not in rows for rows in known)]
    batches = [lacking[start : start + BATCH] for start in range(0, len(lacking), BATCH)]
    for count, batch in enumerate(shown(batches, "Embedding"), start=1):
        images = {i: read_image(faces.folder / faces.paths[i]) for i in batch}
        for embedder, rows in zip(embedders, known, strict=True):
            rows.update(_embedded(embedder, faces, images, rows))
        if count % (SAVE_EVERY // BATCH) == 0 or count == len(batches):
            for cache, rows in zip(kept, known, strict=True):
                if cache:
                    cache.write(faces.folder, rows)
    return [_in_order(one, faces, rows) for one, rows in zip(embedders, known, strict=True)]


def _found_rows(faces: MainFaces) -> list[int]:
    return [int(row) for row in np.flatnonzero(faces.found)]


def _embedded(
    embedder: FaceEmbedder,
    faces: MainFaces,
    images: Mapping[int, Image],
    known: Mapping[str, FloatArray],
) -> dict[str, FloatArray]:
    """Embeddings, by path, of those of these photos that are not known."""
    wanted = [i for i in images if faces.paths[i] not in known]
    if not wanted:
        return {}
    crops = np.concatenate([embedder.crops(images[i], faces.at(i)) for i in wanted])
    names = [faces.paths[i] for i in wanted]
    return dict(zip(names, embedder.embed_crops(crops), strict=True))


def _in_order(
    embedder: FaceEmbedder, faces: MainFaces, known: Mapping[str, FloatArray]
) -> FloatArray:
    nothing = np.zeros(embedder.dimension, np.float32)
    every = [known.get(path, nothing) for path in faces.paths]
    return np.stack(every) if every else np.zeros((0, embedder.dimension), np.float32)
