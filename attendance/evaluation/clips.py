"""Short clips of known people played as the camera: who is named, right or wrong, at which clip.

Each person is enrolled from one clip, five frames and their flips; every other clip goes through
the live pipeline in media time. `labels.json` names the clips of each person and where a bystander
shows at the right edge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from attendance.bootstrap import School
from attendance.core.domain import Decision, FloatArray, Frame, Gallery, Sighting
from attendance.core.errors import AttendanceError
from attendance.core.flips import with_flips
from attendance.evaluation.reports import shown
from attendance.source import parse_source
from attendance.stream import frames_of, open_source

TEMPLATE_FRAMES = 5
RIGHT_EDGE = 0.8
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ClipOutcome:
    """What came of one clip.

    Attributes:
        expected: who is in it, None for a person who is not enrolled.
        outcome: right, review, unknown or wrong, of the person the clip is of.
        bystander_named: whether somebody at the right edge got a name.
    """

    clip: str
    expected: str | None
    outcome: str
    named: tuple[str, ...]
    bystander_named: bool


@dataclass(frozen=True)
class ClipsReport:
    """What came of all of them.

    Attributes:
        enrolled_from: which clip of each person gave the templates, counted from 0.
        bystanders_named: clips in which somebody at the right edge got a name.
        strangers: outcomes of the clips of a person left out of the gallery, each in turn.
    """

    model_id: str
    enrolled_from: int
    n: int
    outcomes: dict[str, int]
    bystanders_named: int
    n_strangers: int
    strangers: dict[str, int]
    clips: tuple[ClipOutcome, ...]


@dataclass(frozen=True)
class Clips:
    """The labelled clips of a folder.

    Attributes:
        people: clip names by person.
    """

    folder: Path
    people: dict[str, tuple[str, ...]]

    def path(self, clip: str) -> Path:
        """Where a clip is."""
        return next(self.folder.glob(f"{clip}.*"))


def read_clips(folder: Path) -> Clips:
    """The clips that `labels.json` in this folder names.

    Raises:
        AttendanceError: there is no such file.
    """
    labels = folder / "labels.json"
    if not labels.is_file():
        raise AttendanceError(f"{folder} holds no labels.json that says who is in which clip")
    people = json.loads(labels.read_text(encoding="utf-8"))["people"]
    return Clips(folder, {person: tuple(clips) for person, clips in people.items()})


def evaluate_clips(school: School, clips: Clips, enrolled_from: int = 0) -> ClipsReport:
    """Everybody enrolled, then everybody in turn left out and their clips played."""
    known = list(play_all(school, clips, enrolled_from))
    strange = [
        outcome
        for person in shown(list(clips.people), "Leaving one out")
        for outcome in play_all(school, clips, enrolled_from, left_out=person)
    ]
    return ClipsReport(
        school.model_id,
        enrolled_from,
        len(known),
        _counts(known),
        sum(outcome.bystander_named for outcome in known),
        len(strange),
        _counts(strange),
        tuple(known + strange),
    )


def _counts(outcomes: list[ClipOutcome]) -> dict[str, int]:
    return {
        kind: sum(outcome.outcome == kind for outcome in outcomes)
        for kind in ("right", "review", "unknown", "wrong")
    }


def play_all(
    school: School, clips: Clips, enrolled_from: int, left_out: str | None = None
) -> Iterator[ClipOutcome]:
    """Enrol everybody from their clip number `enrolled_from`, then play all other clips.

    Args:
        school: whose models and settings are used; nothing is written to its database.
        clips: what to play.
        enrolled_from: which of a person's clips gives the templates.
        left_out: a person who is not enrolled; then only their clips are played.
    """
    people = [person for person in clips.people if person != left_out]
    chosen = {p: clips.people[p][enrolled_from % len(clips.people[p])] for p in people}
    gallery = _gallery(school, [clips.path(clip) for clip in chosen.values()])
    played = [left_out] if left_out else people
    for person in played:
        for clip in clips.people[person]:
            if chosen.get(person) != clip:
                expected = person if person in chosen else None
                yield _play(school, gallery, people, clips.path(clip), expected)


def _gallery(school: School, paths: list[Path]) -> Gallery:
    templates = [_templates(school, path) for path in paths]
    owners = np.repeat(np.arange(len(paths)), [len(rows) for rows in templates])
    ids = tuple(range(len(paths)))
    return Gallery(school.model_id, ids, np.concatenate(templates), owners)


def _templates(school: School, path: Path) -> FloatArray:
    """Five frames of the largest face, spread over the clip, and their flips."""
    seen = []
    for frame in _frames(path):
        found = school.detector().detect(frame.image)
        if len(found):
            heights = found.boxes[:, 3] - found.boxes[:, 1]
            seen.append((frame.image, found.take([int(np.argmax(heights))])))
    if len(seen) < TEMPLATE_FRAMES:
        raise AttendanceError(f"{path} shows a face in {len(seen)} frames, five are needed")
    spread = np.linspace(0, len(seen) - 1, TEMPLATE_FRAMES).astype(int)
    rows = [with_flips(school.embedder(), *seen[i])[:, 0] for i in spread]
    return np.concatenate(rows)


def _frames(path: Path) -> Iterator[Frame]:
    return frames_of(open_source(parse_source(str(path))), BEGAN)


def _play(
    school: School, gallery: Gallery, people: list[str], path: Path, expected: str | None
) -> ClipOutcome:
    pipeline = school.pipeline(gallery, school.rules().thresholds)
    main: list[Sighting] = []
    aside: list[Sighting] = []
    at_edge: dict[int, bool] = {}
    for frame in _frames(path):
        result = pipeline.process(frame)
        width = frame.image.shape[1]
        for view in result.tracks:
            at_edge[view.track_id] = (view.box[0] + view.box[2]) / 2 > RIGHT_EDGE * width
        for event in result.events:
            (aside if at_edge.get(event.track_id) else main).append(event)
    for event in pipeline.finish():
        (aside if at_edge.get(event.track_id) else main).append(event)
    named = {people[event.student_id] for event in main if event.decision is Decision.ACCEPT}
    return ClipOutcome(
        path.stem,
        expected,
        _outcome(named, expected, has_review=any(e.decision is Decision.REVIEW for e in main)),
        tuple(sorted(named)),
        any(event.decision is Decision.ACCEPT for event in aside),
    )


def _outcome(named: set[str], expected: str | None, *, has_review: bool) -> str:
    """The worst that can be said of a clip comes first.

    >>> _outcome({"P1", "P2"}, "P1", has_review=False), _outcome(set(), None, has_review=True)
    ('wrong', 'review')
    """
    if named - {expected}:
        return "wrong"
    if expected is not None and expected in named:
        return "right"
    return "review" if has_review else "unknown"
