"""Crops and templates tried beside today's: which margin, which resize, which templates.

Everything is judged by what a class lives by, the share of members missed while 1 % of strangers
are named, and by VAL over all pairs. What is tried differs from today's in one thing only, and the
difference to today's is taken on the same people drawn with replacement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from attendance.core.domain import FloatArray, Gallery, Image
from attendance.core.matching import similarities
from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.embedding import EmbeddedPhotos, read_image
from attendance.evaluation.faces import CropEmbedder, MainFaces
from attendance.evaluation.reports import shown
from attendance.evaluation.simulated_classes import Similarities
from attendance.vision.crop import CROP_PX, MARGIN_PX, crop_box
from attendance.vision.embedder import unit_rows

BATCH = 4
SAVE_EVERY = 250
RESIZES = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


@dataclass(frozen=True)
class Crop:
    """One way to cut a face out.

    Attributes:
        margin_px: both sides together, of 160.
        resize: a key of `RESIZES`.
    """

    margin_px: int = MARGIN_PX
    resize: str = "area"

    def __str__(self) -> str:
        return f"margin {self.margin_px}, {self.resize}"

    def cut(self, image: Image, box: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """The face in this box. Returns: (160, 160, 3) uint8 RGB, black outside the image."""
        x1, y1, x2, y2 = crop_box(box, image.shape[:2], self.margin_px)
        if x2 <= x1 or y2 <= y1:
            return np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
        size, how = (CROP_PX, CROP_PX), RESIZES[self.resize]
        square = cv2.resize(image[y1:y2, x1:x2], size, interpolation=how)
        return np.asarray(square[:, :, ::-1], np.uint8)


TODAY = Crop()
MARGINS = (0, 16, 48, 64)
SEVERAL = (Crop(16), TODAY, Crop(48))
CROPS = (TODAY, *(Crop(m) for m in MARGINS), Crop(resize="linear"), Crop(resize="cubic"))


@dataclass(frozen=True)
class Trial:
    """One choice of crop, probe and templates.

    Attributes:
        crops: averaged where there are several.
        is_probe_averaged: whether a probe is averaged with its flip.
        templates: a key of `TEMPLATE_RULES`.
    """

    name: str
    crops: tuple[Crop, ...] = (TODAY,)
    is_probe_averaged: bool = False
    templates: str = "best"


def best_without_flips(probes: FloatArray, gallery: Gallery) -> FloatArray:
    """The best template, photos only: the second half of a gallery's rows are flips."""
    half = len(gallery.templates) // 2
    only = Gallery(
        gallery.model_id, gallery.student_ids, gallery.templates[:half], gallery.owners[:half]
    )
    return similarities(probes, only)


def mean_embedding(probes: FloatArray, gallery: Gallery) -> FloatArray:
    """The direction all templates of a student share, as one template."""
    sums = np.zeros((len(gallery), gallery.templates.shape[1]), np.float32)
    np.add.at(sums, gallery.owners, gallery.templates)
    return np.asarray(probes @ unit_rows(sums).T, np.float32)


def best_two(probes: FloatArray, gallery: Gallery) -> FloatArray:
    """The mean similarity to the two most alike templates."""
    raw = probes @ gallery.templates.T
    columns = [np.sort(raw[:, gallery.owners == i], axis=1)[:, -2:] for i in range(len(gallery))]
    return np.stack([pair.mean(axis=1) for pair in columns], axis=1).astype(np.float32)


TEMPLATE_RULES: Mapping[str, Similarities] = {
    "best": similarities,
    "best, no flips": best_without_flips,
    "mean embedding": mean_embedding,
    "mean of the best two": best_two,
}

TRIALS = (
    Trial(f"today's: {TODAY}, best of five and their flips, probe as it is"),
    *(Trial(f"margin {m}", (Crop(m),)) for m in MARGINS),
    Trial("linear", (Crop(resize="linear"),)),
    Trial("cubic", (Crop(resize="cubic"),)),
    Trial("mean of margins 16, 32, 48", SEVERAL),
    Trial("probe averaged with its flip", is_probe_averaged=True),
    *(Trial(f"templates: {rule}", templates=rule) for rule in list(TEMPLATE_RULES)[1:]),
)


def embed_crops(
    embedder: CropEmbedder, faces: MainFaces, crops: Sequence[Crop], cache: Path | None, key: str
) -> dict[Crop, EmbeddedPhotos]:
    """Embed every face once for every crop, as it is and mirrored.

    Args:
        embedder: of crops.
        faces: the faces.
        crops: how to cut them.
        cache: keeps embeddings from one run to the next; None keeps nothing.
        key: whatever else the embeddings depend on, for the cache.

    Raises:
        PhotoError: a photo is no image.
    """
    model = f"{embedder.model_id}|{embedder.variant}"
    stores = {
        crop: EmbeddingCache(cache, f"{crop}|{model}|{key}") if cache else None for crop in crops
    }
    rows = {crop: s.read(faces.folder, faces.paths) if s else {} for crop, s in stores.items()}
    seen = np.flatnonzero(faces.found).tolist()
    todo = [(crop, i) for crop in crops for i in seen if faces.paths[i] not in rows[crop]]
    batches = [todo[start : start + BATCH] for start in range(0, len(todo), BATCH)]
    for count, batch in enumerate(shown(batches, "Embedding crops"), start=1):
        for (crop, i), row in zip(batch, _embed(embedder, faces, batch), strict=True):
            rows[crop][faces.paths[i]] = row
        if count % SAVE_EVERY == 0 or count == len(batches):
            for crop, store in stores.items():
                if store and rows[crop]:
                    store.write(faces.folder, rows[crop])
    nothing = np.zeros((2, embedder.dimension), np.float32)
    return {crop: _photos(faces, rows[crop], nothing) for crop in crops}


def _embed(
    embedder: CropEmbedder, faces: MainFaces, batch: Sequence[tuple[Crop, int]]
) -> FloatArray:
    """Faces as they are and mirrored. Returns: (n, 2, d)."""
    squares = np.stack(
        [crop.cut(read_image(faces.folder / faces.paths[i]), faces.boxes[i]) for crop, i in batch]
    )
    both = np.stack([squares, squares[:, :, ::-1]], axis=1)
    flat = both.reshape(-1, CROP_PX, CROP_PX, 3)
    return embedder.embed_crops(flat).reshape(len(batch), 2, embedder.dimension)


def _photos(
    faces: MainFaces, rows: Mapping[str, FloatArray], nothing: FloatArray
) -> EmbeddedPhotos:
    both = [rows.get(path, nothing) for path in faces.paths]
    pairs = np.stack(both) if both else np.zeros((0, *nothing.shape), np.float32)
    return EmbeddedPhotos(faces.paths, pairs[:, 0], pairs[:, 1], faces.found)


def photos_of(trial: Trial, embedded: Mapping[Crop, EmbeddedPhotos]) -> EmbeddedPhotos:
    """The probes and templates of a trial: crops averaged where it has several."""
    first = embedded[trial.crops[0]]
    if len(trial.crops) == 1:
        return first
    plain = unit_rows(np.sum([embedded[c].embeddings for c in trial.crops], axis=0))
    mirrored = unit_rows(np.sum([embedded[c].mirrored for c in trial.crops], axis=0))
    return EmbeddedPhotos(first.paths, plain, mirrored, first.found)
