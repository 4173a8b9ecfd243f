"""Frames to facts: follow, scan, look, match, weigh, decide.

The pipeline has no clock, no thread and no database. It takes a `Frame`, which carries its own
time, and returns what it saw and what follows from it; the worker hands the facts on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

import numpy as np

from attendance.core import looking
from attendance.core.cohort import Cohort
from attendance.core.domain import (
    Decision,
    Detections,
    FloatArray,
    Frame,
    FrameResult,
    Gallery,
    Image,
    Look,
    Remark,
    Sighting,
    TrackState,
    TrackView,
)
from attendance.core.evidence import TrackEvidence
from attendance.core.faces_seen import FacesSeen
from attendance.core.following import FaceSearch, follow
from attendance.core.matching import CameraGallery
from attendance.core.newcomers import Newcomers
from attendance.core.promises import SLOW_CAMERA_S, Submit, UnderWay, at_once
from attendance.core.quality import measure
from attendance.core.remarks import Remarks
from attendance.core.rivals import weaker_claims
from attendance.core.tracking import Track, Tracker, TrackUpdate
from attendance.core.watching import PipelineRules, Watched

SEEN_EVERY_S = 5.0
SHOWN_UNSEEN_S = 0.3


class Detector(Protocol):
    """Finds faces."""

    min_face_px: int

    def detect(self, image: Image) -> Detections:
        """The faces of a (H, W, 3) BGR image."""
        ...

    def search(self, image: Image) -> FaceSearch:
        """The same image, to be searched piece by piece."""
        ...


class Embedder(Protocol):
    """Turns faces into embeddings, making its own crop."""

    model_id: str

    def embed(self, image: Image, faces: Detections) -> FloatArray:
        """Embeddings of these faces of a BGR image. Returns: (n, d) L2-normalised rows."""
        ...


class Pipeline:
    """One camera watching one roster. Owned by the worker's thread.

    Args:
        detector: finds faces.
        embedder: its `model_id` must be the gallery's.
        gallery: the roster's templates.
        tracker: joins detections.
        rules: when to look and what to believe.
        timer: seconds, for `FrameResult.timings` only.
        submit: has faces embedded and newcomers looked for, here and now or in a thread while
            frames go on; at most one piece of each is under way at a time.
        cohort: whom the camera has seen before this session; None for one that is no camera.
    """

    def __init__(
        self,
        detector: Detector,
        embedder: Embedder,
        gallery: Gallery,
        tracker: Tracker,
        rules: PipelineRules,
        timer: Callable[[], float] = float,
        submit: Submit = at_once,
        cohort: Cohort | None = None,
    ) -> None:
        if gallery.model_id != embedder.model_id:
            raise ValueError(
                f"the gallery was made by {gallery.model_id}, the embedder is {embedder.model_id}"
            )
        self._detector = detector
        self._embedder = embedder
        self._cohort = cohort
        self._gallery = CameraGallery.of(gallery, cohort.shift if cohort else None)
        self._tracker = tracker
        self._rules = rules
        self._timer = timer
        self._submit = submit
        self._last: tuple[int, float] | None = None
        self._frames = 0
        self._asked: tuple[UnderWay[FloatArray], Frame, list[Track]] | None = None
        self._newcomers = Newcomers(detector.min_face_px, rules.scan_every_s, submit)
        self._watched: dict[int, Watched] = {}
        self._credited_s: dict[int, float] = {}
        self._seen = FacesSeen()
        self._remarks = Remarks(rules)

    @property
    def unknown_faces(self) -> int:
        """Distinct people watched long enough who are on nobody's roster, those still there too."""
        seen = self._seen.copy()
        for watched in self._watched.values():
            if watched.is_stranger_for(self._rules.review_after_s):
                seen.add_stranger(watched.evidence.mean_embedding())
        return seen.strangers

    @property
    def cohort(self) -> Cohort | None:
        """Whom the camera has seen, with those whose tracks have ended in this session."""
        if self._cohort is None:
            return None
        return self._cohort.with_session(self._seen.embeddings())

    def remarks(self) -> tuple[Remark, ...]:
        """What was noticed since the last call and marks nobody: near misses, withdrawn names."""
        return self._remarks.fetch()

    def look_again(self) -> None:
        """Ask for one sweep of the next frames at twice the scale, for faces half as high."""
        self._newcomers.look_again()

    @property
    def is_sweeping(self) -> bool:
        """Whether a sweep goes on."""
        return self._newcomers.is_sweeping

    @property
    def swept_faces(self) -> int:
        """Faces that the newest sweep found and nobody had been following."""
        return self._newcomers.swept_faces

    def process(self, frame: Frame) -> FrameResult:
        """What this frame shows and what follows from it."""
        marks = [self._timer()]
        self._frames += 1
        is_slow = self._is_slow(frame)
        search = self._detector.search(frame.image)
        there = follow(search, *self._tracker.expect(frame.t_s))
        marks.append(self._timer())
        known = there.boxes[there.scores > 0]
        newcomers = self._newcomers.find(search, frame, known, is_slow=is_slow)
        update = self._tracker.update(there, newcomers, frame.t_s)
        marks.append(self._timer())
        update = self._look(frame, search, update, is_slow=is_slow)
        marks.append(self._timer())
        self._settle_rivals(update.live, frame.t_s)
        for track in update.live:
            self._remarks.note(track.track_id, self._watched[track.track_id], frame.t_s)
        events = [event for track in update.live for event in self._report(track, frame)]
        events += [event for track in update.ended for event in self._end(track)]
        marks.append(self._timer())
        steps = np.diff(marks) * 1000
        timings = dict(zip(("follow", "scan", "look", "decide"), steps.tolist(), strict=True))
        views = tuple(self._view(track) for track in update.live if self._is_shown(track, frame))
        return FrameResult(frame.number, views, tuple(events), timings)

    def finish(self) -> tuple[Sighting, ...]:
        """End every track and return what they still had to say."""
        cut_off = self._collect(TrackUpdate((), frozenset(), ()), is_slow=True).ended
        self._newcomers.forget()
        ended = (*cut_off, *self._tracker.finish())
        self._settle_rivals(ended, max((track.last_s for track in ended), default=0.0))
        return tuple(event for track in ended for event in self._end(track))

    def _is_slow(self, frame: Frame) -> bool:
        """Whether the camera itself is, however many of its frames were dropped in between."""
        last, self._last = self._last, (frame.number, frame.t_s)
        if last is None:
            return True
        return frame.t_s - last[1] >= SLOW_CAMERA_S * max(1, frame.number - last[0])

    def _look(
        self, frame: Frame, search: FaceSearch, update: TrackUpdate, *, is_slow: bool
    ) -> TrackUpdate:
        """Take the looks that are ready, and ask for those that can change a decision."""
        for track in update.live:
            if track.track_id not in self._watched:
                self._watch(track)
        seen = [track for track in update.live if track.track_id in update.seen]
        self._note_changes(search, seen, frame)
        update = self._collect(update, is_slow=False)
        if self._asked is None:
            self._ask(frame, seen)
        return self._collect(update, is_slow=is_slow)

    def _watch(self, track: Track) -> Watched:
        evidence = TrackEvidence(self._gallery, self._rules.decision)
        self._watched[track.track_id] = Watched(evidence, track.first_s)
        return self._watched[track.track_id]

    def _note_changes(self, search: FaceSearch, seen: list[Track], frame: Frame) -> None:
        """Suspect a face that looks different from one frame to the next."""
        signatures = search.signatures(_boxes(seen))
        for track, signature in zip(seen, signatures, strict=True):
            watched = self._watched[track.track_id]
            watched.show(signature, frame.t_s)
            if not watched.is_suspect:
                watched.last_at = frame.at

    def _ask(self, frame: Frame, seen: list[Track]) -> None:
        """Have the faces embedded whose turn it is, in one batch."""
        due = [seen[i] for i in looking.choose([self._ripeness(t, frame) for t in seen])]
        if not due:
            return
        faces = _faces(due)
        promise = self._submit(lambda: self._embedder.embed(frame.image, faces))
        self._asked = (UnderWay(promise, self._frames), frame, due)

    def _collect(self, update: TrackUpdate, *, is_slow: bool) -> TrackUpdate:
        """Take the looks that were asked for, if it is time to."""
        if self._asked is None or not self._asked[0].is_due(self._frames, is_slow=is_slow):
            return update
        asked, frame, tracks = self._asked
        self._asked = None
        gone = {track.track_id for track in update.ended}
        for track, embedding in zip(tracks, asked.promise.result(), strict=True):
            if track.track_id in self._watched and track.track_id not in gone:
                update = self._take(frame, track, embedding, update)
        return update

    def _take(
        self, frame: Frame, track: Track, embedding: FloatArray, update: TrackUpdate
    ) -> TrackUpdate:
        """One look of one track; where it shows another face, a track of its own begins.

        Args:
            frame: in which the face was looked at.
            track: as it was then.
            embedding: of the face.
            update: of the newest frame.
        """
        watched = self._watched[track.track_id]
        if watched.suspected_s is not None and frame.t_s >= watched.suspected_s:
            watched.suspected_s = None
            if watched.is_unlike(embedding):
                update, watched = self._split(track.track_id, frame, update)
        crop = looking.kept_crop(frame.image, track.box)
        quality = measure(frame.image, track.box, track.landmarks)
        look = Look(frame.t_s, frame.at, embedding, quality.weight, crop, quality.reason())
        watched.take(look)
        watched.best_view = max(watched.best_view, looking.view(track.box, track.landmarks))
        return update

    def _split(
        self, track_id: int, frame: Frame, update: TrackUpdate
    ) -> tuple[TrackUpdate, Watched]:
        """End a track whose face has gone and begin one for the face that is there now."""
        old, new = self._tracker.split(track_id)
        watched = self._watch(new)
        watched.last_at = frame.at
        live = tuple(new if track.track_id == track_id else track for track in update.live)
        return replace(update, live=live, ended=(*update.ended, old)), watched

    def _ripeness(self, track: Track, frame: Frame) -> float:
        """Seconds since this track's last look in units of its interval, 0 for an unfit view."""
        watched = self._watched[track.track_id]
        if watched.is_suspect:
            return np.inf
        if track.state is not TrackState.CONFIRMED:
            return 0.0
        ripeness = watched.ripeness(track, frame.t_s, self._rules)
        if ripeness < looking.COMPANY:
            return ripeness
        is_cut = looking.cut_away(track.box, frame.image.shape[:2]) > looking.MAX_CUT_AWAY
        return 0.0 if is_cut else ripeness

    def _settle_rivals(self, tracks: Iterable[Track], t_s: float) -> None:
        """Two tracks of one moment never hold one name: the weaker claim goes to review."""
        claims = [(track, self._watched[track.track_id].verdict) for track in tracks]
        named = [(t, v.named_id, v.score) for t, v in claims if v.named_id is not None]
        for i in weaker_claims([(student, score) for _, student, score in named]):
            track = named[i][0]
            self._watched[track.track_id].yield_name(is_in_sight=track.last_s >= t_s)

    def _report(self, track: Track, frame: Frame) -> list[Sighting]:
        """What a live track has to say now: a first certainty, a sign of life, a lasting doubt."""
        watched = self._watched[track.track_id]
        if watched.is_suspect:
            return []
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
        self._remarks.end(track.track_id, watched)
        if watched.verdict.decision is Decision.ACCEPT:
            named = self._sighting(track, watched)
            self._seen.add_named(named.student_id, watched.evidence.mean_embedding())
            return [named]
        if watched.verdict.decision is Decision.REVIEW:
            return [] if watched.reported else [self._sighting(track, watched)]
        if watched.is_stranger_for(0.0):
            self._seen.add_stranger(watched.evidence.mean_embedding())
        return []

    def _sighting(self, track: Track, watched: Watched) -> Sighting:
        verdict = watched.verdict
        if verdict.student_id is None or watched.last_at is None:
            raise ValueError(f"track {track.track_id} has a decision without a candidate")
        since_s = watched.reported_s if watched.reported is Decision.ACCEPT else watched.since_s
        if verdict.decision is Decision.ACCEPT:
            since_s = self._credit(verdict.student_id, since_s, track.last_s)
        watched.reported, watched.reported_id = verdict.decision, verdict.student_id
        watched.reported_s = track.last_s
        looks, watched.looks = watched.looks, 0
        return Sighting(
            student_id=verdict.student_id,
            decision=verdict.decision,
            at=watched.last_at,
            track_id=track.track_id,
            similarity=verdict.similarity,
            score=verdict.score,
            margin=verdict.margin,
            seen_s=max(0.0, track.last_s - since_s),
            evidence=verdict.evidence,
            looks=looks,
        )

    def _credit(self, student_id: int, since_s: float, until_s: float) -> float:
        """From when on these seconds count: nobody is seen twice at once, by two tracks."""
        before_s = self._credited_s.get(student_id, -np.inf)
        self._credited_s[student_id] = max(before_s, until_s)
        return max(since_s, before_s)

    def _is_shown(self, track: Track, frame: Frame) -> bool:
        is_in_sight = frame.t_s - track.last_s <= SHOWN_UNSEEN_S
        return is_in_sight and not self._watched[track.track_id].is_suspect

    def _view(self, track: Track) -> TrackView:
        verdict = self._watched[track.track_id].verdict
        x1, y1, x2, y2 = (float(edge) for edge in track.box)
        return TrackView(
            track.track_id, track.state, (x1, y1, x2, y2), verdict.decision, verdict.named_id,
            verdict.similarity,
        )  # fmt: skip


def _boxes(tracks: list[Track]) -> FloatArray:
    return np.array([track.box for track in tracks], np.float32).reshape(-1, 4)


def _faces(tracks: list[Track]) -> Detections:
    landmarks = np.array([track.landmarks for track in tracks], np.float32).reshape(-1, 5, 2)
    return Detections(_boxes(tracks), landmarks, np.ones(len(tracks), np.float32))
