"""The words of the system as frozen dataclasses: arrays and facts, nothing that acts.

Coordinates are pixels of the frame, x right and y down, boxes xyxy. Images are (H, W, 3)
uint8 BGR. Left and right are the student's own. Time is data: `t_s` is monotonic seconds
within one pipeline, `at` is aware UTC for the record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from attendance.core.errors import DimensionError

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.intp]
Image = npt.NDArray[np.uint8]


class Pose(StrEnum):
    """The five enrolment photos."""

    FRONT = "front"
    SMILE = "smile"
    GLASSES = "glasses"
    LOWER_LEFT = "lower-left"
    LOWER_RIGHT = "lower-right"


class Decision(StrEnum):
    """What the evidence says, without gaps."""

    ACCEPT = "accept"
    REVIEW = "review"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """What an attendance record says of a student."""

    PRESENT = "present"
    LATE = "late"
    ABSENT = "absent"
    EXCUSED = "excused"
    LEFT_EARLY = "left_early"
    UNRESOLVED = "unresolved"


class Source(StrEnum):
    """Who says so, the strongest first; a weaker one never overwrites a stronger one."""

    HUMAN = "human"
    EXCUSE = "excuse"
    CODE = "code"
    AUTO = "auto"
    ROSTER = "roster"


class SessionState(StrEnum):
    """The life of a class session."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"
    NEEDS_INSTRUCTOR = "needs_instructor"


class CameraState(StrEnum):
    """What a camera process knows of its camera."""

    STARTING = "starting"
    LIVE = "live"
    LOST = "lost"
    ENDED = "ended"
    STOPPED = "stopped"


class TrackState(StrEnum):
    """The life of a track."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"


@dataclass(frozen=True)
class Frame:
    """One picture of a source.

    Attributes:
        number: counts the frames the source delivered, dropped ones included.
        image: (H, W, 3) uint8 BGR.
        t_s: monotonic seconds; media time for a file played as fast as it goes.
        at: aware UTC.
    """

    number: int
    image: Image
    t_s: float
    at: datetime

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3:
            raise DimensionError(f"a frame is (H, W, 3), got {self.image.shape}")
        if self.at.tzinfo is None:
            raise ValueError("a frame's time must be aware UTC, got a naive datetime")


@dataclass(frozen=True)
class Detections:
    """The faces of one image as parallel arrays, best score first.

    Attributes:
        boxes: (n, 4) float32 xyxy pixels, may reach past the image's edge.
        landmarks: (n, 5, 2) float32 xy pixels: the two eyes, nose, the two mouth corners,
            image-left first.
        scores: (n,) float32 in [0, 1].
    """

    boxes: FloatArray
    landmarks: FloatArray
    scores: FloatArray

    def __post_init__(self) -> None:
        n = len(self.boxes)
        expected = ((n, 4), (n, 5, 2), (n,))
        actual = (self.boxes.shape, self.landmarks.shape, self.scores.shape)
        if actual != expected:
            raise DimensionError(f"detections of {n} faces have shapes {expected}, got {actual}")

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, index: npt.ArrayLike) -> Detections:
        """The chosen faces, by indices or by a boolean mask (n,)."""
        i = np.asarray(index)
        i = i.astype(np.intp) if i.size == 0 and i.dtype != np.bool_ else i
        return Detections(self.boxes[i], self.landmarks[i], self.scores[i])

    @classmethod
    def empty(cls) -> Detections:
        """No faces.

        >>> len(Detections.empty())
        0
        """
        zero = np.zeros
        return cls(zero((0, 4), np.float32), zero((0, 5, 2), np.float32), zero(0, np.float32))


def joined(first: Detections, second: Detections) -> Detections:
    """The faces of both, in that order.

    >>> len(joined(Detections.empty(), Detections.empty()))
    0
    """
    return Detections(
        np.concatenate([first.boxes, second.boxes]),
        np.concatenate([first.landmarks, second.landmarks]),
        np.concatenate([first.scores, second.scores]),
    )


@dataclass(frozen=True)
class Gallery:
    """The templates of a roster, one matrix of one model.

    Attributes:
        model_id: the embedding space; probes of another one are refused by their maker.
        student_ids: the students who have templates, each once.
        templates: (m, d) float32, L2-normalised rows.
        owners: (m,) index into `student_ids` for each row.
    """

    model_id: str
    student_ids: tuple[int, ...]
    templates: FloatArray
    owners: IntArray

    def __post_init__(self) -> None:
        if self.templates.ndim != 2 or len(self.templates) != len(self.owners):
            raise DimensionError(
                f"a gallery has one owner a template, got templates {self.templates.shape} "
                f"and owners {self.owners.shape}"
            )
        if len(set(self.student_ids)) != len(self.student_ids):
            raise ValueError("a gallery names each student once")
        if set(np.unique(self.owners).tolist()) != set(range(len(self.student_ids))):
            raise ValueError("every student of a gallery owns at least one template")

    def __len__(self) -> int:
        return len(self.student_ids)


@dataclass(frozen=True)
class Match:
    """One look against the gallery.

    Attributes:
        student_id: the most alike student, None for an empty gallery.
        similarity: raw cosine in [-1, 1] to that student's best template.
        margin: that similarity minus the best one of another person; `similarity + 1` where
            there is no other person.
        score: the similarity after camera normalisation; what thresholds are applied to.
    """

    student_id: int | None
    similarity: float
    margin: float
    score: float


@dataclass(frozen=True)
class Look:
    """One embedding of a track.

    Attributes:
        embedding: (d,) float32, L2-normalised.
        quality: in [0, 1], the weight of this look in the evidence.
        crop: (h, w, 3) uint8 BGR, what was looked at, small; None where nobody will ask for it.
        flaw: what is wrong with this view, in words; empty for a good one.
    """

    t_s: float
    at: datetime
    embedding: FloatArray
    quality: float
    crop: Image | None = None
    flaw: str = ""


@dataclass(frozen=True)
class LookEvidence:
    """What is kept of a look beside a record: figures, never the embedding.

    Attributes:
        second: similarity of the next best person, -1 without one.
        crop: of the look; it lives shortly, and encrypted.
        flaw: what was wrong with the view, in words; empty for a good one.
    """

    at: datetime
    similarity: float
    score: float
    margin: float
    quality: float
    second: float = -1.0
    crop: Image | None = field(default=None, compare=False)
    flaw: str = ""


@dataclass(frozen=True)
class Verdict:
    """What the evidence over a track says.

    Attributes:
        student_id: the candidate; for staff's eyes only unless the decision is accept.
    """

    decision: Decision
    student_id: int | None = None
    similarity: float = -1.0
    score: float = -1.0
    margin: float = 0.0
    looks: int = 0
    evidence: tuple[LookEvidence, ...] = ()

    @property
    def named_id(self) -> int | None:
        """Who it is for certain; None where a candidate is for staff's eyes only."""
        return self.student_id if self.decision is Decision.ACCEPT else None


@dataclass(frozen=True)
class Sighting:
    """A fact the pipeline reports: this student was seen, or perhaps seen.

    Attributes:
        decision: ACCEPT (here for certain, or still here) or REVIEW (a person should look).
        at: when the track was last seen, aware UTC.
        seen_s: seconds this student was seen since the last sighting of the same student.
        looks: at the face since then.
    """

    student_id: int
    decision: Decision
    at: datetime
    track_id: int
    similarity: float
    score: float
    margin: float
    seen_s: float = 0.0
    evidence: tuple[LookEvidence, ...] = ()
    looks: int = 0


class RemarkKind(StrEnum):
    """What the pipeline notices beside sightings."""

    NEAR_MISS = "near_miss"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Remark:
    """Something worth keeping that marks nobody.

    Attributes:
        kind: NEAR_MISS, a face that stayed unknown and was somewhat like this student; WITHDRAWN,
            a face that had this student's name until later looks spoke against it, its
            own or those of another face with a stronger claim.
        similarity, score, margin: of the near miss, or of the name while it stood.
        evidence: of the same; a near miss may show anybody, so its crops are kept by nobody.
    """

    kind: RemarkKind
    student_id: int
    at: datetime
    track_id: int
    similarity: float
    score: float
    margin: float
    evidence: tuple[LookEvidence, ...] = ()


@dataclass(frozen=True)
class TrackView:
    """A track as a screen may show it."""

    track_id: int
    state: TrackState
    box: tuple[float, float, float, float]
    decision: Decision
    student_id: int | None
    similarity: float


@dataclass(frozen=True)
class FrameResult:
    """What one frame gave.

    Attributes:
        timings: milliseconds by stage.
    """

    number: int
    tracks: tuple[TrackView, ...] = ()
    events: tuple[Sighting, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
