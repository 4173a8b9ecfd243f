"""The looks of synthetic clips, embedded: what a camera would have had of each photo's face."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from attendance.core.domain import FloatArray, IntArray
from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.embedding import read_image
from attendance.evaluation.faces import MainFaces
from attendance.evaluation.looks import MAX_LOOKS, Weather, render, sheet_of
from attendance.evaluation.reports import shown
from attendance.evaluation.simulated_classes import Looks
from attendance.vision.embedder import NamedEmbedder

SAVE_EVERY = 100
SEED = 0


def embed_clips(
    embedder: NamedEmbedder, faces: MainFaces, rows: IntArray, cache: Path | None, key: str
) -> Looks:
    """Play a clip of some of the photos, and weigh its looks by the height of the face.

    Args:
        embedder: of faces.
        faces: in all photos.
        rows: the photos that are played; the others have no looks.
        cache: keeps embeddings from one run to the next; None keeps nothing.
        key: whatever else the embeddings depend on, for the cache.

    Raises:
        PhotoError: a photo is no image.
    """
    settings = f"clips {SEED}|{embedder.model_id}|{embedder.variant}|{key}"
    store = EmbeddingCache(cache, settings) if cache is not None else None
    known = store.read(faces.folder, faces.paths) if store else {}
    wanted = [i for i in rows.tolist() if faces.found[i] and faces.paths[i] not in known]
    for count, i in enumerate(shown(wanted, "Playing clips"), start=1):
        known[faces.paths[i]] = _clip(embedder, faces, i)
        if store and (count % SAVE_EVERY == 0 or count == len(wanted)):
            store.write(faces.folder, known)
    none = np.zeros((MAX_LOOKS, embedder.dimension + 1), np.float32)
    every = np.stack([known.get(path, none) for path in faces.paths])
    return Looks(every[:, :, :-1], every[:, :, -1])


def _clip(embedder: NamedEmbedder, faces: MainFaces, row: int) -> FloatArray:
    """Embeddings of the looks with the heights they were had at. Returns: (12, d + 1)."""
    path = faces.paths[row]
    photo, face = read_image(faces.folder / path), faces.at(row)
    seen = list(Weather(path, SEED))
    sheet, found = sheet_of([render(photo, face, each) for each in seen])
    clip = np.zeros((MAX_LOOKS, embedder.dimension + 1), np.float32)
    clip[: len(seen), :-1] = embedder.embed(sheet, found)
    clip[: len(seen), -1] = [each.face_px for each in seen]
    return clip
