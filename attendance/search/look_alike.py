"""Whom a photo looks most like, among the enrolled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attendance.core.domain import Decision, Gallery, Image
from attendance.core.evidence import DecisionRules, decide
from attendance.core.matching import best_match, similarities
from attendance.core.pipeline import Detector, Embedder


@dataclass(frozen=True)
class Candidate:
    """One enrolled person a face may be.

    Attributes:
        percent: (1 + similarity) / 2 * 100, for people.
    """

    student_id: int
    similarity: float
    percent: float


@dataclass(frozen=True)
class FoundFace:
    """One face of a photo with whom it looks like, best first.

    Attributes:
        box: x1, y1, x2, y2 in pixels.
        decision: what one look at this face would be worth; a list of candidates is no name.
    """

    box: tuple[float, float, float, float]
    decision: Decision
    candidates: tuple[Candidate, ...]


def look_alikes(
    image: Image,
    detector: Detector,
    embedder: Embedder,
    gallery: Gallery,
    rules: DecisionRules,
    top: int = 5,
) -> list[FoundFace]:
    """Every face of a BGR image with the `top` most alike people of the gallery."""
    found = detector.detect(image)
    rows = similarities(embedder.embed(image, found), gallery)
    faces = []
    for box, row in zip(found.boxes, rows, strict=True):
        match = best_match(row, gallery, rules.baseline, rules.baseline_weight)
        x1, y1, x2, y2 = (round(float(edge), 1) for edge in box)
        best = np.argsort(-row, kind="stable")[:top]
        candidates = tuple(
            Candidate(gallery.student_ids[i], float(row[i]), percent(float(row[i]))) for i in best
        )
        faces.append(FoundFace((x1, y1, x2, y2), decide(match, rules), candidates))
    return faces


def percent(similarity: float) -> float:
    """A cosine as people see it.

    >>> percent(0.72)
    86.0
    """
    return round((1 + similarity) / 2 * 100, 1)
