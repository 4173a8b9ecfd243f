"""Probes against a gallery: similarities, then scores that cameras cannot inflate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attendance.core.cohort import centred, centred_gallery
from attendance.core.domain import FloatArray, Gallery, Match
from attendance.core.errors import DimensionError


def similarities(probes: FloatArray, gallery: Gallery) -> FloatArray:
    """The similarity of each probe to each student: that of the student's best template.

    Args:
        probes: (n, d) float32, L2-normalised rows.
        gallery: of s students.

    Returns:
        (n, s) cosine in [-1, 1].

    Raises:
        DimensionError: probes and templates have different d.
    """
    if not len(gallery) or not len(probes):
        return np.zeros((len(probes), len(gallery)), np.float32)
    if probes.shape[1] != gallery.templates.shape[1]:
        raise DimensionError(
            f"probes have {probes.shape[1]} dimensions, templates {gallery.templates.shape[1]}: "
            "they come from different models"
        )
    order = np.argsort(gallery.owners, kind="stable")
    starts = np.searchsorted(gallery.owners[order], np.arange(len(gallery)))
    raw = probes @ gallery.templates[order].T
    return np.asarray(np.maximum.reduceat(raw, starts, axis=1), np.float32)


@dataclass(frozen=True, eq=False)
class CameraGallery:
    """A gallery as one camera sees it.

    Attributes:
        gallery: the roster's templates.
        shift: (d,) what the faces of the camera share, None where that is not known.
        centred: the same templates less the shift.
    """

    gallery: Gallery
    shift: FloatArray | None
    centred: Gallery

    @classmethod
    def of(cls, gallery: Gallery, shift: FloatArray | None = None) -> CameraGallery:
        """A gallery, and the shift of the camera if one is known."""
        if shift is None or not len(gallery):
            return cls(gallery, None, gallery)
        return cls(gallery, shift, centred_gallery(gallery, shift))

    def __len__(self) -> int:
        return len(self.gallery)

    def rows(self, probes: FloatArray) -> FloatArray:
        """Probes (n, d) against every student. Returns: (n, 2, s): raw and centred cosines.

        Raises:
            DimensionError: probes and templates have different d.
        """
        raw = similarities(probes, self.gallery)
        if self.shift is None:
            return np.stack([raw, raw], axis=1)
        return np.stack([raw, similarities(centred(probes, self.shift), self.centred)], axis=1)


def camera_score(similarity: float, others: FloatArray, baseline: float, weight: float) -> float:
    """A similarity rescaled so that 0 is what strangers reach on this camera and 1 is identity.

    On photographs from many cameras strangers average a cosine of about 0; on one office webcam
    they average 0.47, because light, lens and softness are shared. How alike a face is to the
    people it is *not* says which of the two it is: `b` is the mean similarity to the others of the
    roster, shrunk towards a prior, and the score is (similarity - b) / (1 - b). A negative `b`
    counts as 0, so a score is never higher than the similarity.

    Args:
        similarity: to the best student.
        others: (k,) similarities to the other students.
        baseline: the prior of `b`, in [0, 1).
        weight: how many students the prior is worth.

    >>> round(camera_score(0.95, np.array([0.5, 0.4, 0.5], np.float32), 0.2, 0.0), 3)
    0.906
    >>> round(camera_score(0.5, np.zeros(0, np.float32), 0.2, 2.0), 3)
    0.375
    """
    total = weight + len(others)
    b = (weight * baseline + float(others.sum())) / total if total else baseline
    b = min(max(b, 0.0), 0.99)
    return (similarity - b) / (1.0 - b)


def best_match(row: FloatArray, gallery: Gallery, baseline: float, weight: float) -> Match:
    """The most alike student.

    Args:
        row: (s,) of `similarities` or (2, s) of `CameraGallery.rows`, of one look or a mean over
            looks; the centred ones say who it is and with what score, the raw ones are reported.
        gallery: the same gallery.
        baseline: see `camera_score`.
        weight: see `camera_score`.
    """
    if not len(gallery):
        return Match(None, -1.0, 0.0, -1.0)
    raw, scored = row if row.ndim == 2 else (row, row)
    best = int(np.argmax(scored))
    others = np.delete(scored, best)
    score = camera_score(float(scored[best]), others, baseline, weight)
    second = float(np.delete(raw, best).max(initial=-1.0))
    similarity = float(raw[best])
    return Match(gallery.student_ids[best], similarity, similarity - second, score)
