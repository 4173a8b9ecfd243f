"""Frames to facts: detect, track, look, match, weigh, decide.

The pipeline has no clock, no thread and no database. It takes a `Frame`, which carries its own
time, and returns what it saw and what follows from it; the worker hands the facts on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import numpy as np

from attendance.core.domain import (
    Decision,
    Detections,
    FloatArray,
    Frame,
    FrameResult,
    Gallery,
    Image,
    Look,
    Sighting,
    TrackState,
    TrackView,
    Verdict,
)
from attendance.core.evidence import DecisionRules, TrackEvidence
from attendance.core.tracking import Track, Tracker, TrackUpdate

SEEN_EVERY_S = 5.0
SHOWN_UNSEEN_S = 0.3
SETTLED_LOOK_INTERVALS = 4
SAME_STRANGER_SIMILARITY = 0.6
MAX_CUT_AWAY = 0.1
FULL_QUALITY_PX = 100.0


class Detector(Protocol):
    """Finds faces."""

    def detect(self, image: Image) -> Detections:
        """The faces of a (H, W, 3) BGR image."""
        ...


class Embedder(Protocol):
    """Turns faces into embeddings, making its own crop."""

    model_id: str

    def embed(self, image: Image, boxes: FloatArray) -> FloatArray:
        """Embeddings of the faces in these boxes. Returns: (n, d) L2-normalised rows."""
        ...


@dataclass(frozen=True)
class PipelineRules:
    """What the pipeline goes by.

    Attributes:
        look_interval_s: between looks of a track that is not yet decided; a decided one is
            looked at `SETTLED_LOOK_INTERVALS` times more seldom.
        review_after_s: how long a doubtful track is watched before staff is asked.
    """

    decision: DecisionRules
    look_interval_s: float = 0.25
    review_after_s: float = 3.0


@dataclass
class _Watched:
    """What the pipeline remembers of a track. Owned by the worker's thread."""

    evidence: TrackEvidence
    since_s: float
    verdict: Verdict = field(default_factory=lambda: Verdict(Decision.UNKNOWN))
    reported: Decision | None = None
    reported_id: int | None = None
    reported_s: float = 0.0
    last_at: datetime | None = None

    def take(self, look: Look) -> None:
        """One more look; where it withdraws the name, another person begins here."""
        if self.evidence.add(look):
            self.reported = self.reported_id = None
            self.since_s = self.evidence.began_s
        self.verdict = self.evidence.verdict()

    def is_stranger_for(self, seconds: float) -> bool:
        """Whether looks over so many seconds speak for nobody."""
        is_unknown = self.verdict.decision is Decision.UNKNOWN and self.evidence.is_sufficient()
        return is_unknown and self.evidence.last_look_s - self.evidence.began_s >= seconds


class Pipeline:
    """One camera watching one roster. Owned by the worker's thread.

    Args:
        detector: finds faces.
        embedder: its `model_id` must be the gallery's.
        gallery: the roster's templates.
        tracker: joins detections.
        rules: when to look and what to believe.
        timer: seconds, for `FrameResult.timings` only.
    """

    def __init__(
        self,
        detector: Detector,
        embedder: Embedder,
        gallery: Gallery,
        tracker: Tracker,
        rules: PipelineRules,
        timer: Callable[[], float] = float,
    ) -> None:
        if gallery.model_id != embedder.model_id:
            raise ValueError(
                f"the gallery was made by {gallery.model_id}, the embedder is {embedder.model_id}"
            )
        self._detector = detector
        self._embedder = embedder
        self._gallery = gallery
        self._tracker = tracker
        self._rules = rules
        self._timer = timer
        self._watched: dict[int, _Watched] = {}
        self._strangers: list[FloatArray] = []

    @property
    def unknown_faces(self) -> int:
        """Distinct people watched long enough who are on nobody's roster, those still there too."""
        known = list(self._strangers)
        for watched in self._watched.values():
            if watched.is_stranger_for(self._rules.review_after_s):
                _add_stranger(known, watched.evidence.mean_embedding())
        return len(known)

    def process(self, frame: Frame) -> FrameResult:
        """What this frame shows and what follows from it."""
        marks = [self._timer()]
        detections = self._detector.detect(frame.image)
        marks.append(self._timer())
        update = self._tracker.update(detections, frame.t_s)
        self._look(frame, update, detections)
        marks.append(self._timer())
        self._settle_rivals(update)
        events = [event for track in update.live for event in self._report(track, frame)]
        events += [event for track in update.ended for event in self._end(track)]
        marks.append(self._timer())
        steps = np.diff(marks) * 1000
        timings = dict(zip(("detect", "look", "decide"), steps.tolist(), strict=True))
        seen = (t for t in update.live if frame.t_s - t.last_s <= SHOWN_UNSEEN_S)
        views = tuple(self._view(track) for track in seen)
        return FrameResult(frame.number, views, tuple(events), timings)

    def finish(self) -> tuple[Sighting, ...]:
        """End every track and return what they still had to say."""
        return tuple(event for track in self._tracker.finish() for event in self._end(track))

    def _look(self, frame: Frame, update: TrackUpdate, detections: Detections) -> None:
        """Embed the tracks for which that can change a decision, in one batch."""
        for track in update.live:
            if track.track_id not in self._watched:
                evidence = TrackEvidence(self._gallery, self._rules.decision)
                self._watched[track.track_id] = _Watched(evidence, track.first_s)
        due = [track for track in update.live if self._is_due(track, frame, update)]
        boxes = detections.boxes[[update.detection_of[track.track_id] for track in due]]
        embeddings = self._embedder.embed(frame.image, boxes)
        for track, embedding in zip(due, embeddings, strict=True):
            look = Look(frame.t_s, frame.at, embedding, look_quality(track.box))
            self._watched[track.track_id].take(look)
        for track_id in update.detection_of:
            self._watched[track_id].last_at = frame.at

    def _is_due(self, track: Track, frame: Frame, update: TrackUpdate) -> bool:
        is_seen = track.track_id in update.detection_of
        if not is_seen or track.state is not TrackState.CONFIRMED:
            return False
        if cut_away(track.box, frame.image.shape[:2]) > MAX_CUT_AWAY:
            return False
        watched = self._watched[track.track_id]
        is_named = watched.verdict.decision is Decision.ACCEPT
        is_settled = is_named and not watched.evidence.is_doubted
        interval = self._rules.look_interval_s * (SETTLED_LOOK_INTERVALS if is_settled else 1)
        return frame.t_s - watched.evidence.last_look_s >= interval

    def _settle_rivals(self, update: TrackUpdate) -> None:
        """Two tracks of one moment never hold one name: the weaker claim goes to review."""
        best: dict[int, _Watched] = {}
        accepted = [self._watched[t.track_id] for t in update.live]
        accepted = [w for w in accepted if w.verdict.decision is Decision.ACCEPT]
        for watched in sorted(accepted, key=lambda w: -w.verdict.score):
            student_id = watched.verdict.student_id
            if student_id is not None and best.setdefault(student_id, watched) is not watched:
                watched.verdict = replace(watched.verdict, decision=Decision.REVIEW)

    def _report(self, track: Track, frame: Frame) -> list[Sighting]:
        """What a live track has to say now: a first certainty, a sign of life, a lasting doubt."""
        watched = self._watched[track.track_id]
        verdict, decision = watched.verdict, watched.verdict.decision
        said = (watched.reported, watched.reported_id)
        is_first = said != (decision, verdict.student_id)
        if decision is Decision.ACCEPT and (
            is_first or frame.t_s - watched.reported_s >= SEEN_EVERY_S
        ):
            return [self._sighting(track, watched)]
        has_lasted = frame.t_s - watched.since_s >= self._rules.review_after_s
        if decision is Decision.REVIEW and watched.reported is None and has_lasted:
            return [self._sighting(track, watched)]
        return []

    def _end(self, track: Track) -> list[Sighting]:
        watched = self._watched.pop(track.track_id)
        if watched.verdict.decision is Decision.ACCEPT:
            return [self._sighting(track, watched)]
        if watched.verdict.decision is Decision.REVIEW:
            return [] if watched.reported else [self._sighting(track, watched)]
        if watched.is_stranger_for(0.0):
            _add_stranger(self._strangers, watched.evidence.mean_embedding())
        return []

    def _sighting(self, track: Track, watched: _Watched) -> Sighting:
        verdict = watched.verdict
        if verdict.student_id is None or watched.last_at is None:
            raise ValueError(f"track {track.track_id} has a decision without a candidate")
        since = watched.reported_s if watched.reported is Decision.ACCEPT else watched.since_s
        watched.reported, watched.reported_id = verdict.decision, verdict.student_id
        watched.reported_s = track.last_s
        return Sighting(
            student_id=verdict.student_id,
            decision=verdict.decision,
            at=watched.last_at,
            track_id=track.track_id,
            similarity=verdict.similarity,
            score=verdict.score,
            margin=verdict.margin,
            seen_s=track.last_s - since,
            evidence=verdict.evidence,
        )

    def _view(self, track: Track) -> TrackView:
        verdict = self._watched[track.track_id].verdict
        named = verdict.student_id if verdict.decision is Decision.ACCEPT else None
        x1, y1, x2, y2 = (float(edge) for edge in track.box)
        return TrackView(
            track.track_id, track.state, (x1, y1, x2, y2), verdict.decision, named,
            verdict.similarity,
        )  # fmt: skip


def _add_stranger(known: list[FloatArray], embedding: FloatArray) -> None:
    """Count a stranger once, however often their track breaks. In memory only."""
    alike = [float(embedding @ other) for other in known]
    if max(alike, default=-1.0) < SAME_STRANGER_SIMILARITY:
        known.append(embedding)


def look_quality(box: FloatArray) -> float:
    """The weight of a look, in (0, 1]: the height of the face, full from 100 pixels on.

    >>> look_quality(np.array([0, 0, 40, 50], np.float32))
    0.5
    """
    return float(np.clip((box[3] - box[1]) / FULL_QUALITY_PX, 0.01, 1.0))


def cut_away(box: FloatArray, shape: tuple[int, ...]) -> float:
    """The share of a box that lies outside the image, in [0, 1].

    >>> cut_away(np.array([-10, 0, 10, 20], np.float32), (100, 100))
    0.5
    """
    inside = np.clip(box, 0, (shape[1], shape[0], shape[1], shape[0]))
    whole = float(np.prod(np.maximum(box[2:] - box[:2], 1e-6)))
    return 1.0 - float(np.prod(inside[2:] - inside[:2])) / whole
