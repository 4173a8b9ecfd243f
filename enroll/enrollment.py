"""Five photos of one person become templates: all of them, or none."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from attendance.config import EnrollmentConfig
from attendance.core.domain import FloatArray, Pose
from attendance.core.errors import (
    ConsentMissingError,
    EnrollmentError,
    PhotoError,
    PhotoProblem,
)
from attendance.core.flips import with_flips
from attendance.core.pipeline import Detector
from attendance.registry import NewTemplate, Registry
from attendance.vision.embedder import NamedEmbedder
from enroll.photos import read_photo
from enroll.quality import the_face


@dataclass(frozen=True)
class PhotoReport:
    """What became of one photo; `message` is for the person in it."""

    pose: Pose
    ok: bool
    problem: PhotoProblem | None
    message: str


@dataclass(frozen=True)
class EnrollmentResult:
    """What was stored.

    Attributes:
        templates: of the embedder in use.
        model_ids: of all embedders that templates were made with.
    """

    reports: tuple[PhotoReport, ...]
    templates: int
    model_ids: tuple[str, ...] = ()


class RefusedPhotosError(EnrollmentError):
    """At least one of the five photos is missing or cannot be used; nothing was stored.

    Attributes:
        reports: one a pose, good ones included.
    """

    def __init__(self, reports: tuple[PhotoReport, ...]) -> None:
        bad = "; ".join(f"{r.pose.value}: {r.message}" for r in reports if not r.ok)
        super().__init__(f"the enrolment was not stored. {bad}")
        self.reports = reports


class Enroller:
    """Checks photos and turns them into templates. Safe to use from several threads.

    Photos are not kept, so every embedder makes its templates now: a later switch needs no photos.

    Args:
        detector: finds the face.
        embedders: whose `model_id`s the templates are of, the one in use first.
        registry: where they go.
        limits: what a photo must be.
    """

    def __init__(
        self,
        detector: Detector,
        embedders: Sequence[NamedEmbedder],
        registry: Registry,
        limits: EnrollmentConfig,
    ) -> None:
        self._detector = detector
        self._embedders = embedders
        self._registry = registry
        self._limits = limits
        self._models = threading.Lock()

    def check(self, pose: Pose, data: bytes) -> PhotoReport:
        """Whether this photo would do, in words; nothing is stored."""
        report, _ = self._examine(pose, data)
        return report

    def enroll(
        self, student_id: int, photos: Mapping[Pose, bytes], *, at: datetime
    ) -> EnrollmentResult:
        """Replace a student's templates by those of five photos and their flips.

        Raises:
            ConsentMissingError: the student has not agreed.
            RefusedPhotosError: a photo is missing or bad; earlier templates stay as they were.
        """
        if self._registry.live_consent(student_id) is None:
            raise ConsentMissingError(
                f"student {student_id} has not agreed: no photo was looked at"
            )
        examined = {pose: self._examine(pose, photos.get(pose, b"")) for pose in Pose}
        reports = tuple(report for report, _ in examined.values())
        if not all(report.ok for report in reports):
            raise RefusedPhotosError(reports)
        by_model = {
            embedder.model_id: [
                NewTemplate(pose.value, pose, is_flip, embedding)
                for pose, (_, pairs) in examined.items()
                for is_flip, embedding in zip((False, True), pairs[place], strict=True)
            ]
            for place, embedder in enumerate(self._embedders)
        }
        stored = self._registry.replace_all_templates(student_id, by_model, at=at)
        return EnrollmentResult(reports, stored, tuple(by_model))

    def _examine(self, pose: Pose, data: bytes) -> tuple[PhotoReport, list[FloatArray]]:
        """The report and, for a good photo, by embedder the (2, d) of the face and its flip."""
        try:
            embeddings = self._embeddings(data)
        except PhotoError as error:
            return PhotoReport(pose, False, error.reason, str(error)), []
        return PhotoReport(pose, True, None, "Good."), embeddings

    def _embeddings(self, data: bytes) -> list[FloatArray]:
        image = read_photo(data, self._limits)
        with self._models:
            face = the_face(image, self._detector.detect(image), self._limits)
            return [with_flips(embedder, image, face)[:, 0] for embedder in self._embedders]
