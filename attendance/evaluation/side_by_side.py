"""Embedders side by side: the same faces, found once, each cut out as its embedder wants it.

Differences are taken on the same people drawn anew, times in turns: what moves all alike cancels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from attendance.core.domain import FloatArray
from attendance.evaluation.all_pairs import AllPairs, val_gain
from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.embedder_choice import FUSED
from attendance.evaluation.embedding import EmbeddedPhotos, read_image
from attendance.evaluation.faces import FaceEmbedder, MainFaces, crops_key, embed_faces
from attendance.evaluation.protocols import Pairs, ProtocolError
from attendance.evaluation.simulated_classes import Rate
from attendance.evaluation.variant_trials import median_ms_in_turns
from attendance.evaluation.verification import FARS, VerificationReport, evaluate_verification

SFACE_WEIGHT = 0.9
"""Of SFace's cosine in the fused one; docs/decisions.md, chosen on LFW View 1's train people."""
TIMED_FACES = 8


@dataclass(frozen=True)
class EmbedderFigures:
    """One embedder beside the others.

    Attributes:
        name: as it was asked for.
        dimension: length of an embedding.
        ms_per_face: network and its preparation, of a batch; the fused one takes what its two take.
        val_gain: over the first embedder, at each FAR, over all pairs.
        report: everything `evaluate verification` says about one embedder.
    """

    name: str
    dimension: int
    ms_per_face: float
    val_gain: dict[str, Rate]
    report: VerificationReport


@dataclass(frozen=True)
class SideBySideReport:
    """Figures of `evaluate verification --embedders`.

    Attributes:
        timed_faces: in the batch that was timed.
        embedders: in the order they were asked for, the fused one last.
    """

    timed_faces: int
    embedders: tuple[EmbedderFigures, ...]


@dataclass(frozen=True)
class KnownPhotos:
    """What is embedded already, for `evaluate_verification`.

    Attributes:
        rows: (n, d) embeddings of the faces.
    """

    faces: MainFaces
    rows: FloatArray
    model_id: str
    variant: str

    def embed(self, folder: Path, paths: Sequence[str]) -> EmbeddedPhotos:  # noqa: ARG002
        """Those of these photos; nobody asked for mirror images."""
        place = {path: row for row, path in enumerate(self.faces.paths)}
        wanted = np.array([place[path] for path in paths], np.intp)
        nothing = np.zeros((0, self.rows.shape[1]), np.float32)
        return EmbeddedPhotos(tuple(paths), self.rows[wanted], nothing, self.faces.found[wanted])


def evaluate_side_by_side(
    embedders: Mapping[str, FaceEmbedder],
    fused: tuple[str, str] | None,
    faces: MainFaces,
    pairs: Pairs,
    threshold_from: tuple[str, Pairs] | None = None,
    kept: tuple[Path | None, str] = (None, ""),
    replicates: int = 1000,
) -> SideBySideReport:
    """Judge embedders on the same pairs and the same people.

    Args:
        embedders: by name; the others are compared with the first.
        fused: names of a FaceNet and an SFace to judge together as well.
        faces: of all photos of the people in `pairs`, and of the photos in `threshold_from`.
        pairs: judged.
        threshold_from: see `evaluate_verification`.
        kept: folder of embeddings from one run to the next, and what they depend on beside the
            embedder; no folder keeps nothing.
        replicates: of the bootstraps over people.

    Raises:
        PhotoError: a photo is no image.
        ProtocolError: there is nothing to compare, or no face to take the time of.
    """
    cache, settings = kept
    caches = [
        EmbeddingCache(cache, crops_key(one, settings)) if cache else None
        for one in embedders.values()
    ]
    ms = _ms_per_face(embedders, faces)
    rows = embed_faces(list(embedders.values()), faces, caches)
    known = {
        name: KnownPhotos(faces, each, one.model_id, one.variant)
        for (name, one), each in zip(embedders.items(), rows, strict=True)
    }
    if fused is not None:
        ms[FUSED] = sum(ms[name] for name in fused)
        known[FUSED] = fuse(known[fused[0]], known[fused[1]])
    reports = {
        name: evaluate_verification(photos, faces.folder, pairs, threshold_from, replicates)
        for name, photos in known.items()
    }
    first = next(iter(reports.values())).curves.everything
    return SideBySideReport(
        TIMED_FACES,
        tuple(
            EmbedderFigures(
                name,
                known[name].rows.shape[1],
                round(ms[name], 2),
                _gain(first, report.curves.everything, replicates),
                report,
            )
            for name, report in reports.items()
        ),
    )


def fuse(facenet: KnownPhotos, sface: KnownPhotos, weight: float = SFACE_WEIGHT) -> KnownPhotos:
    """Both put end to end, so that their cosine is the weighted sum of the two cosines."""
    rows = np.hstack([np.sqrt(1 - weight) * facenet.rows, np.sqrt(weight) * sface.rows])
    return KnownPhotos(
        facenet.faces,
        rows.astype(np.float32),
        f"{facenet.model_id}+{sface.model_id}",
        f"{facenet.variant}+{sface.variant}, {weight} of the second",
    )


def _gain(first: AllPairs, other: AllPairs, replicates: int) -> dict[str, Rate]:
    gained = val_gain(first, other, list(FARS.values()), replicates)
    return {far: Rate(*each, n=first.n_same) for far, each in zip(FARS, gained, strict=True)}


def _ms_per_face(embedders: Mapping[str, FaceEmbedder], faces: MainFaces) -> dict[str, float]:
    """The first faces again and again, by each embedder in turn."""
    rows = np.flatnonzero(faces.found)[:TIMED_FACES]
    if not len(rows):
        raise ProtocolError(f"{faces.folder}: no face was found in any photo")
    shown = [(read_image(faces.folder / faces.paths[row]), faces.at(row)) for row in rows.tolist()]
    work = {}
    for name, one in embedders.items():
        crops = np.concatenate([one.crops(image, face) for image, face in shown])
        work[name] = partial(one.embed_crops, np.resize(crops, (TIMED_FACES, *crops.shape[1:])))
    return {name: taken / TIMED_FACES for name, taken in median_ms_in_turns(work).items()}
