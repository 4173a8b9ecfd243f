"""How well tracks follow people whose boxes are known: recall, newcomers, switches, marks.

Pure functions over tables of one entry a frame. A track covers a person where their boxes overlap
by `MIN_IOU` or more. Who follows whom is paired as CLEAR MOT does it (Bernardin and Stiefelhagen,
2008): the pair a person had last stays while it still overlaps, the rest is assigned for the
greatest overlap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from attendance.core.domain import FloatArray
from attendance.core.geometry import iou
from attendance.evaluation.detection import partners

MIN_IOU = 0.5
STILL_THEIRS_S = 1.0

Pairs = dict[int, int]


@dataclass(frozen=True)
class LabelledBoxes:
    """What is in one frame: tracks by their ids, or people by their numbers.

    Attributes:
        labels: n different numbers.
        boxes: (n, 4) float32 xyxy pixels.
    """

    labels: tuple[int, ...]
    boxes: FloatArray

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.labels), 4):
            raise ValueError(f"{len(self.labels)} labels have boxes {self.boxes.shape}")


@dataclass(frozen=True)
class Visit:
    """One stay of one person in the picture.

    Attributes:
        person: nobody else has this number, and nobody comes twice.
        student_id: who that is in the gallery, None for nobody enrolled.
        first: number of the first frame that shows them.
        end: number of the first frame that does not any more.
        is_newcomer: whether they came while the video ran.
        takes_over: whether somebody else sat there in the frame before.
    """

    person: int
    student_id: int | None
    first: int
    end: int
    is_newcomer: bool = False
    takes_over: bool = False


@dataclass(frozen=True)
class Accept:
    """The pipeline named a track in this frame."""

    frame: int
    track_id: int
    student_id: int


@dataclass(frozen=True)
class Switches:
    """Confusions of identity.

    Attributes:
        of_people: times a person's track id changed.
        of_tracks: times a track id passed from one person to another.
        track_seconds: seconds in which a person was followed, summed over people.
    """

    of_people: int
    of_tracks: int
    track_seconds: float

    @property
    def per_100_track_seconds(self) -> float:
        """Both kinds; nan where nobody was followed."""
        if not self.track_seconds:
            return math.nan
        return 100 * (self.of_people + self.of_tracks) / self.track_seconds


@dataclass(frozen=True)
class Marks:
    """How the accepted names fit the people.

    Attributes:
        delays_s: for each person who was due a mark, seconds from first visible to it; infinite
            for one who never got it.
        wrong: distinct tracks and names that do not belong together.
    """

    delays_s: tuple[float, ...]
    wrong: int


def pairings(
    people: Sequence[LabelledBoxes], tracks: Sequence[LabelledBoxes], min_iou: float = MIN_IOU
) -> list[Pairs]:
    """Which track follows which person, frame by frame. Returns: track id by person."""
    paired: list[Pairs] = []
    known: Pairs = {}
    for faces, found in zip(people, tracks, strict=True):
        pairs = _paired(faces, found, known, min_iou)
        known = {**known, **pairs}
        paired.append(pairs)
    return paired


def _paired(faces: LabelledBoxes, found: LabelledBoxes, known: Pairs, min_iou: float) -> Pairs:
    overlaps = iou(faces.boxes, found.boxes)
    rows = {person: row for row, person in enumerate(faces.labels)}
    columns = {track: column for column, track in enumerate(found.labels)}
    gains = np.where(overlaps >= min_iou, overlaps, 0.0)
    for person, track in known.items():
        if person in rows and track in columns and gains[rows[person], columns[track]] > 0:
            gains[rows[person], columns[track]] += len(rows) + 1
    chosen = zip(*linear_sum_assignment(-gains), strict=True)
    return {faces.labels[i]: found.labels[j] for i, j in chosen if gains[i, j] > 0}


def recalled(
    references: Mapping[int, FloatArray], tracks: Sequence[LabelledBoxes]
) -> tuple[int, int]:
    """How many of the reference's boxes a track of the same frame covers, one track one box.

    Args:
        references: boxes by frame number; frames past the tracks count for nothing.
        tracks: of every frame.

    Returns:
        Covered, all.
    """
    seen = {number: boxes for number, boxes in references.items() if number < len(tracks)}
    hits = [(partners(boxes, tracks[n].boxes, MIN_IOU) >= 0).sum() for n, boxes in seen.items()]
    return int(sum(hits)), sum(map(len, seen.values()))


def percentile_95(delays: Sequence[float]) -> float:
    """The smallest delay that 95 % of them do not exceed.

    >>> percentile_95([0.1] * 19 + [math.inf]), percentile_95([0.1] * 18 + [math.inf] * 2)
    (0.1, inf)
    """
    return sorted(delays)[math.ceil(0.95 * len(delays)) - 1]


def newcomer_delays(
    visits: Sequence[Visit],
    people: Sequence[LabelledBoxes],
    tracks: Sequence[LabelledBoxes],
    fps: float,
) -> list[float]:
    """Seconds from each newcomer's first frame to the first one in which they have a track.

    A track counts only if it was paired with nobody else before, so that the track of whoever
    sat there never counts for the one who takes the seat.

    Returns:
        One figure a newcomer, infinite for one who is never found while visible.
    """
    first_owner: dict[int, int] = {}
    delays = {visit.person: math.inf for visit in visits if visit.is_newcomer}
    began = {visit.person: visit.first for visit in visits}
    frames = zip(people, tracks, pairings(people, tracks), strict=True)
    for number, (faces, found, pairs) in enumerate(frames):
        for person, track in pairs.items():
            first_owner.setdefault(track, person)
        covers = iou(faces.boxes, found.boxes) >= MIN_IOU
        for row, person in enumerate(faces.labels):
            if delays.get(person) != math.inf:
                continue
            over = [found.labels[column] for column in np.flatnonzero(covers[row])]
            if any(first_owner.get(track, person) == person for track in over):
                delays[person] = (number - began[person]) / fps
    return list(delays.values())


def switches(paired: Sequence[Pairs], fps: float) -> Switches:
    """Both kinds of confusion; a gap in which a person is not followed forgives neither."""
    track_of: dict[int, int] = {}
    person_of: dict[int, int] = {}
    of_people = of_tracks = followed = 0
    for pairs in paired:
        for person, track in pairs.items():
            of_people += track_of.get(person, track) != track
            of_tracks += person_of.get(track, person) != person
            track_of[person], person_of[track] = track, person
            followed += 1
    return Switches(of_people, of_tracks, followed / fps)


def marks(
    visits: Sequence[Visit],
    paired: Sequence[Pairs],
    accepts: Sequence[Accept],
    fps: float,
    visible_s: float,
) -> Marks:
    """When the right names came, and how many wrong ones.

    A name is right if the track was on that person within the last second in which it was on
    anybody: what a track has to say at its end may come after its seat was taken.

    Args:
        visits: everybody who was there.
        paired: see `pairings`.
        accepts: in the order they came.
        fps: frames a second of media.
        visible_s: people seen for less are due no mark.
    """
    history = _history(paired)
    person_of = {v.student_id: v.person for v in visits if v.student_id is not None}
    first_right: dict[int, int] = {}
    wrong: set[tuple[int, int]] = set()
    for accept in accepts:
        person = person_of.get(accept.student_id)
        if person is not None and person in _lately(history, accept, fps):
            first_right.setdefault(person, accept.frame)
        else:
            wrong.add((accept.track_id, accept.student_id))
    due = [v for v in visits if v.student_id is not None and v.end - v.first >= visible_s * fps]
    frames = [first_right.get(v.person, math.inf) - v.first for v in due]
    return Marks(tuple(count / fps for count in frames), len(wrong))


def _history(paired: Sequence[Pairs]) -> dict[int, list[tuple[int, int]]]:
    """(frame, person) of every track, in order."""
    history: dict[int, list[tuple[int, int]]] = {}
    for number, pairs in enumerate(paired):
        for person, track in pairs.items():
            history.setdefault(track, []).append((number, person))
    return history


def _lately(history: dict[int, list[tuple[int, int]]], accept: Accept, fps: float) -> set[int]:
    """Whom the track was on in the last second before this frame in which it was on anybody."""
    past = [entry for entry in history.get(accept.track_id, []) if entry[0] <= accept.frame]
    if not past:
        return set()
    since = past[-1][0] - STILL_THEIRS_S * fps
    return {person for number, person in past if number >= since}
