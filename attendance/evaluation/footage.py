"""Photos played as clips: looks of a track with times, embeddings and measured quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from attendance.core.domain import FloatArray
from attendance.core.pipeline import Detector, Embedder
from attendance.core.quality import Quality, measure
from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.embedding import main_face, read_image
from attendance.evaluation.looks import MAX_LOOKS, SCENES, Weather, render, sheet_of
from attendance.evaluation.reports import shown
from attendance.vision.embedder import NamedEmbedder

SAVE_EVERY = 50
SEED = 0
MEASURES = len(fields(Quality))


@dataclass(frozen=True)
class Clip:
    """The looks of one person, as one track would give them.

    Attributes:
        photo: it was made of.
        embeddings: (n, d) float32, L2-normalised.
        qualities: n of them.
    """

    photo: str
    embeddings: FloatArray
    qualities: tuple[Quality, ...]


class Filmer:
    """Makes clips of photos, the same ones every time.

    Args:
        detector: finds the face in the photo.
        embedder: embeds the looks.
        dimension: of an embedding.
        scene: of `SCENES`, what it does to faces.
        cache: keeps the looks from one run to the next; None keeps nothing.
    """

    def __init__(
        self,
        detector: Detector,
        embedder: Embedder,
        dimension: int,
        scene: str,
        cache: EmbeddingCache | None = None,
    ) -> None:
        self._detector = detector
        self._embedder = embedder
        self._width = dimension + MEASURES
        self._scene = SCENES[scene]
        self._cache = cache

    def film(self, folder: Path, photos: Sequence[str], title: str = "clips") -> list[Clip]:
        """A clip of each photo that shows a face.

        Raises:
            PhotoError: a file is missing or no image.
        """
        rows = self._cache.read(folder, photos) if self._cache else {}
        missing = [photo for photo in dict.fromkeys(photos) if photo not in rows]
        for count, photo in enumerate(shown(missing, title), start=1):
            rows[photo] = self._shoot(folder, photo)
            if self._cache and (count % SAVE_EVERY == 0 or count == len(missing)):
                self._cache.write(folder, rows)
        clips = [_clip(photo, rows[photo]) for photo in photos]
        return [clip for clip in clips if len(clip.qualities)]

    def _shoot(self, folder: Path, photo: str) -> FloatArray:
        """Embedding and measures side by side. Returns: (12, d + 7), zeros where no look is."""
        looks = np.zeros((MAX_LOOKS, self._width), np.float32)
        image = read_image(folder / photo)
        found = self._detector.detect(image)
        if not len(found):
            return looks
        face = found.take([main_face(found.boxes, image.shape[:2])])
        tiles = [render(image, face, seen) for seen in Weather(photo, SEED, self._scene)]
        embeddings = self._embedder.embed(*sheet_of(tiles))
        measured = [measure(tile, at.boxes[0], at.landmarks[0]) for tile, at in tiles]
        looks[: len(tiles), :-MEASURES] = embeddings
        looks[: len(tiles), -MEASURES:] = [astuple(each) for each in measured]
        return looks


def _clip(photo: str, rows: FloatArray) -> Clip:
    taken = rows[rows.any(axis=1)]
    qualities = tuple(Quality(*(float(value) for value in row[-MEASURES:])) for row in taken)
    return Clip(photo, taken[:, :-MEASURES], qualities)


def filmer_for(
    embedder: NamedEmbedder, detector: Detector, kept_in: Path | None, settings: str, scene: str
) -> Filmer:
    """A filmer whose clips are kept by everything they depend on.

    Args:
        embedder: embeds the looks.
        detector: finds the face in the photo.
        kept_in: folder of clips from earlier runs; None keeps nothing.
        settings: of the detector.
        scene: of `SCENES`, what it does to faces.
    """
    key = f"{embedder.model_id}|{embedder.variant}|{settings}|clips {SEED} {SCENES[scene]}"
    cache = EmbeddingCache(kept_in, key) if kept_in is not None else None
    return Filmer(detector, embedder, embedder.dimension, scene, cache)
