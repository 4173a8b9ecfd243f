"""Stand-ins for the parts that need a camera, a network or a clock. Hand-written, never patched.

A `Stage` hands out pictures of which it knows the faces; `FakeDetector` and `FakeEmbedder` look
there. Every person is one fixed unit vector, so similarities are exact, and under `RULES` a score
is the similarity.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from attendance.core.cohort import Cohort
from attendance.core.domain import (
    CameraState,
    Detections,
    FloatArray,
    Frame,
    FrameResult,
    Gallery,
    Image,
    Remark,
    SessionState,
    Sighting,
)
from attendance.core.errors import AttendanceError
from attendance.core.evidence import DecisionRules
from attendance.core.geometry import covered, iou
from attendance.core.pipeline import Pipeline
from attendance.core.promises import Promise, at_once
from attendance.core.scanning import Tile
from attendance.core.tracking import Tracker
from attendance.core.watching import PipelineRules
from attendance.sessions import Camera, ClassSession, Course, Pulse, SessionRules, Wish

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DIMENSION = 32
MODEL = "fake-model"
RULES = DecisionRules(
    threshold=0.5,
    review_threshold=0.4,
    margin=0.1,
    min_looks=3,
    min_span_s=1.0,
    baseline=0.0,
    baseline_weight=1e9,
)

Box = tuple[float, float, float, float]
LEFT: Box = (20, 20, 100, 120)
RIGHT: Box = (200, 20, 280, 120)


def until(predicate: Callable[[], object], within_s: float = 5.0) -> float:
    """Wait for something to become true. Returns: the seconds it took; fails when it does not."""
    began, pause = time.monotonic(), threading.Event()
    while not predicate():
        waited_s = time.monotonic() - began
        assert waited_s < within_s, f"not true after {waited_s:.1f} s"
        pause.wait(0.005)
    return time.monotonic() - began


def axis(number: int) -> FloatArray:
    """A unit vector that no other one is like."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[number] = 1.0
    return vector


def like(own: int, **similarities: float) -> FloatArray:
    """A unit vector with these similarities to axes (`like(20, a0=0.8)`), the rest its own."""
    vector = np.zeros(DIMENSION, np.float32)
    for name, similarity in similarities.items():
        vector[int(name.removeprefix("a"))] = similarity
    vector[own] = np.sqrt(max(0.0, 1.0 - float(vector @ vector)))
    return vector


def gallery_of(*student_ids: int, model_id: str = MODEL) -> Gallery:
    """Two templates a student; the student at place i is exactly like `axis(i)`."""
    rows = [axis(i) for i in range(len(student_ids))]
    templates = np.array(rows + rows, np.float32).reshape(2 * len(rows), DIMENSION if rows else 0)
    return Gallery(model_id, student_ids, templates, np.tile(np.arange(len(rows)), 2))


@dataclass(frozen=True)
class Face:
    """Somebody at a place in a picture."""

    who: str
    box: Box = LEFT
    score: float = 0.99
    guise: str = ""


class Stage:
    """Hands out pictures and remembers who is in them."""

    def __init__(self, height: int = 240, width: int = 320) -> None:
        self._shape = (height, width, 3)
        self._casts: list[tuple[Face, ...]] = []

    def picture(self, *faces: Face) -> Image:
        """A picture of these people; its first pixel is its number."""
        image = np.full(self._shape, 128, np.uint8)
        number = len(self._casts)
        image[0, 0] = (number // 65536, number // 256 % 256, number % 256)
        self._casts.append(faces)
        return image

    def faces_in(self, image: Image) -> tuple[Face, ...]:
        """Who was put into this picture."""
        high, middle, low = (int(value) for value in image[0, 0])
        return self._casts[high * 65536 + middle * 256 + low]


class FakeDetector:
    """Finds exactly the faces that are there, best score first."""

    min_face_px = 40

    def __init__(self, stage: Stage, *, tells_apart: bool = False) -> None:
        self._stage = stage
        self._tells_apart = tells_apart

    def search(self, image: Image) -> FakeSearch:
        faces = self._stage.faces_in(image)
        appearances = {face.box: face.who + face.guise for face in faces}
        return FakeSearch(self.detect(image), appearances if self._tells_apart else {})

    def detect(self, image: Image) -> Detections:
        faces = sorted(self._stage.faces_in(image), key=lambda face: -face.score)
        if not faces:
            return Detections.empty()
        boxes = np.array([face.box for face in faces], np.float32)
        scores = np.array([face.score for face in faces], np.float32)
        return Detections(boxes, np.zeros((len(faces), 5, 2), np.float32), scores)


class FakeSearch:
    """A frame of which every face is known; a box shows the face that it overlaps."""

    def __init__(self, faces: Detections, appearances: dict[Box, str] | None = None) -> None:
        self._faces = faces
        self._appearances = appearances or {}

    def confirm(self, boxes: FloatArray) -> Detections:
        overlap = iou(boxes, self._faces.boxes)
        best = [int(row.argmax()) if row.size and row.max() > 0.2 else -1 for row in overlap]
        nothing = Detections(np.zeros((1, 4), np.float32), np.zeros((1, 5, 2), np.float32),
                             np.zeros(1, np.float32))  # fmt: skip
        rows = [self._faces.take([i]) if i >= 0 else nothing for i in best]
        return Detections(
            np.concatenate([row.boxes for row in [nothing, *rows]])[1:],
            np.concatenate([row.landmarks for row in [nothing, *rows]])[1:],
            np.concatenate([row.scores for row in [nothing, *rows]])[1:],
        )

    def scan(self, tiles: Sequence[Tile], known: FloatArray | None = None) -> Detections:
        taken = np.zeros((0, 4), np.float32) if known is None else known
        return self._faces.take(~covered(self._faces.boxes, taken, 0.4))

    def signatures(self, boxes: FloatArray) -> FloatArray:
        """One direction an appearance; without any, everybody looks alike."""
        rows = np.zeros((len(boxes), 64), np.float32)
        for row, box in zip(rows, boxes.tolist(), strict=True):
            name = self._appearances.get(tuple(box), "")
            row[zlib.crc32(name.encode()) % 64] = 1.0
        return rows


class FakeEmbedder:
    """Gives every person their vector and notes at whom it looked."""

    def __init__(self, stage: Stage, people: dict[str, FloatArray], model_id: str = MODEL) -> None:
        self.model_id = model_id
        self.looks: list[str] = []
        self._stage = stage
        self._people = people

    def embed(self, image: Image, faces: Detections) -> FloatArray:
        who = {face.box: face.who for face in self._stage.faces_in(image)}
        names = [who[tuple(box)] for box in faces.boxes.tolist()]  # type: ignore[index]
        self.looks += names
        return np.array([self._people[name] for name in names], np.float32).reshape(-1, DIMENSION)


@dataclass
class Room:
    """A pipeline with its fakes; time goes on as frames are shown."""

    people: dict[str, FloatArray]
    gallery: Gallery
    rules: PipelineRules = field(default_factory=lambda: PipelineRules(RULES))
    lost_after_s: float = 1.0
    fps: float = 10.0
    dropped: int = 0
    tells_apart: bool = False
    submit: Callable[[Callable[[], FloatArray]], Promise] = at_once
    cohort: Cohort | None = None

    def __post_init__(self) -> None:
        self.stage = Stage()
        self.embedder = FakeEmbedder(self.stage, self.people)
        self.detector = FakeDetector(self.stage, tells_apart=self.tells_apart)
        tracker = Tracker(lost_after_s=self.lost_after_s)
        self.pipeline = Pipeline(
            self.detector,
            self.embedder,
            self.gallery,
            tracker,
            self.rules,
            submit=self.submit,
            cohort=self.cohort,
        )
        self.frames = 0
        self.t_s = 0.0
        self.events: list[Sighting] = []

    def see(self, *faces: Face) -> FrameResult:
        """One frame; what it reports is kept."""
        result = self.pipeline.process(self.frame(*faces))
        self.events += result.events
        return result

    def watch(self, seconds: float, *faces: Face) -> FrameResult:
        """Frames of the same picture for that long, the first one now."""
        for _ in range(max(1, round(seconds * self.fps))):
            result = self.see(*faces)
        return result

    def frame(self, *faces: Face) -> Frame:
        """The next frame."""
        self.frames += 1 + self.dropped
        image, at = self.stage.picture(*faces), NINE + timedelta(seconds=self.t_s)
        frame = Frame(self.frames, image, self.t_s, at)
        self.t_s = round(self.t_s + (1 + self.dropped) / self.fps, 6)
        return frame

    def finish(self) -> tuple[Sighting, ...]:
        """End the pipeline; what it flushes is kept too."""
        flushed = self.pipeline.finish()
        self.events += flushed
        return flushed


class FakeClock:
    """Seconds that pass only when told to."""

    def __init__(self, now_s: float = 100.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class RecordingSink:
    """Takes what a worker shows."""

    shown: list[tuple[Frame, FrameResult]] = field(default_factory=list)

    def __call__(self, frame: Frame, result: FrameResult) -> None:
        self.shown.append((frame, result))


@dataclass
class Ledger:
    """Stands for the sessions of a school: notes what is committed, in order, or refuses it."""

    state: SessionState = SessionState.OPEN
    refuse_with: AttendanceError | None = None
    notes: list[tuple[str, object]] = field(default_factory=list)
    beats: list[Pulse] = field(default_factory=list)
    covered_s: list[float] = field(default_factory=list)
    looks_again: bool = False

    def record(self, session_id: int, sighting: Sighting) -> None:
        self._note("sighting", sighting)

    def remark(self, session_id: int, remark: Remark) -> None:
        self._note("remark", remark)

    def camera_changed(
        self, session_id: int, state: CameraState, *, at: datetime, detail: str = ""
    ) -> None:
        self._note("camera", (state, detail))

    def beat(self, session_id: int, owner: str, *, covered_s: float, pulse: Pulse) -> Wish:
        self._note("beat", owner)
        self.beats.append(pulse)
        self.covered_s.append(covered_s)
        return Wish(self.state, self.looks_again)

    def looked_again(self, session_id: int, *, faces: int, at: datetime) -> None:
        self._note("looked again", faces)
        self.looks_again = False

    def _note(self, kind: str, what: object) -> None:
        if self.refuse_with is not None:
            raise self.refuse_with
        self.notes.append((kind, what))

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.notes]

    def of(self, kind: str) -> list[Any]:
        return [what for noted, what in self.notes if noted == kind]


def class_session(session_id: int = 1, **facts: Any) -> ClassSession:
    """An open session of a course nobody knows."""
    plain: dict[str, Any] = {
        "course": Course(1, "CS101", "Computing", "UTC"),
        "camera": Camera(1, "Room 1", "0"),
        "state": SessionState.OPEN,
        "opened_at": NINE,
        "closed_at": None,
        "covered_s": 0.0,
        "last_event": 0,
        "model_id": MODEL,
        "rules": SessionRules(600.0, 0.8, {}),
        "pace": "live",
    }
    return ClassSession(session_id, **(plain | facts))
