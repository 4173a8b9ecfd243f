"""What the faces of one camera share, so that it can be taken away from each.

Light, lens and softness move every embedding the same way: on one office webcam strangers reach a
cosine of 0.47 where photographs from many cameras reach 0.05. The mean over the people a camera
has seen is that shift; subtracting it from a look and from the templates before they are compared
is mean-centring, the simplest of the cohort normalisations. docs/decisions.md compares it with Z-,
T- and S-norm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attendance.core.domain import FloatArray, Gallery
from attendance.core.errors import DimensionError

PRIOR_PEOPLE = 4.0
NEW_CAMERA_CAUTION = 0.15


@dataclass(frozen=True)
class Cohort:
    """The running mean of one camera, of one embedding space; nobody's face and no embedding.

    Attributes:
        model_id: names the embedding space.
        tracks: people seen, session after session; somebody who comes every week counts each time.
        people: the most distinct people of one session.
        mean: (d,) of their embeddings, not normalised.
    """

    model_id: str
    tracks: int
    people: int
    mean: FloatArray

    def __post_init__(self) -> None:
        if self.mean.ndim != 1:
            raise DimensionError(f"the mean of a cohort is (d,), got {self.mean.shape}")

    @classmethod
    def empty(cls, model_id: str, dimension: int) -> Cohort:
        """A camera that has seen nobody."""
        return cls(model_id, 0, 0, np.zeros(dimension, np.float32))

    def with_session(self, embeddings: FloatArray) -> Cohort:
        """The same after one more session.

        Args:
            embeddings: (n, d) L2-normalised rows, one for each distinct person seen.
        """
        if not len(embeddings):
            return self
        tracks = self.tracks + len(embeddings)
        mean = self.mean + (embeddings - self.mean).sum(axis=0) / tracks
        people = max(self.people, len(embeddings))
        return Cohort(self.model_id, tracks, people, np.asarray(mean, np.float32))

    @property
    def shift(self) -> FloatArray:
        """What to take away: the mean, shrunk towards nothing the fewer people it is made of.

        The same few faces week after week make a mean that is sharp but still theirs, so it is
        distinct people that count. Returns: (d,).
        """
        return np.asarray(self.mean * (self.people / (self.people + PRIOR_PEOPLE)), np.float32)


def caution(people: int, enrolled: int) -> float:
    """What a threshold is raised by for not knowing a camera, so that staff is asked more often.

    Cameras simulated on LFW View 1's train people (blur, dim or warm light, faces of 36 to 56
    pixels) needed 0.06 to 0.08 more than clean photos' 0.52 at rosters of 20. Below three people
    the prior makes more than half of what a score is measured against, and the caution grows with
    its share.

    Args:
        people: the most distinct people it showed in one session.
        enrolled: people on the roster.

    Returns:
        A share of the threshold, as models differ in their scale.

    >>> [round(0.52 * caution(0, enrolled), 2) for enrolled in (1, 2, 3, 84)]
    [0.16, 0.1, 0.08, 0.08]
    >>> round(caution(30, 20), 3)
    0.018
    """
    by_prior = max(1.0, 4 / (1 + max(enrolled, 1)))
    return NEW_CAMERA_CAUTION * by_prior * PRIOR_PEOPLE / (people + PRIOR_PEOPLE)


def centred(vectors: FloatArray, shift: FloatArray) -> FloatArray:
    """Rows less the shift, of length 1 again.

    >>> rows = np.array([[1, 0], [0, 1]], np.float32)
    >>> centred(rows, np.array([0.5, 0.5], np.float32)).round(3).tolist()
    [[0.7070000171661377, -0.7070000171661377], [-0.7070000171661377, 0.7070000171661377]]
    """
    moved = vectors - shift
    lengths = np.linalg.norm(moved, axis=-1, keepdims=True)
    return np.asarray(moved / np.maximum(lengths, 1e-9), np.float32)


def centred_gallery(gallery: Gallery, shift: FloatArray) -> Gallery:
    """The gallery with the shift taken from its templates."""
    templates = centred(gallery.templates, shift) if len(gallery.templates) else gallery.templates
    return Gallery(gallery.model_id, gallery.student_ids, templates, gallery.owners)
