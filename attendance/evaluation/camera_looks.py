"""The looks a camera would take of each clip, gathered once so that many trials can replay them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from attendance.bootstrap import School
from attendance.core.domain import FloatArray, Look
from attendance.core.quality import measure
from attendance.evaluation.clips import BEGAN, RIGHT_EDGE, Clips
from attendance.evaluation.reports import shown
from attendance.source import parse_source
from attendance.stream import frames_of, open_source

LOOK_EVERY_S = 0.25
TEMPLATES = 5


@dataclass(frozen=True, eq=False)
class ClipLooks:
    """One clip.

    Attributes:
        person: whom it is of.
        main: looks of its largest face, in order.
        aside: looks of whoever is at the right edge.
    """

    clip: str
    person: str
    main: tuple[Look, ...]
    aside: tuple[Look, ...]

    @property
    def mean(self) -> FloatArray:
        """The direction the looks of the largest face share. Returns: (d,), of length 1."""
        total = np.sum([look.embedding for look in self.main], axis=0)
        return np.asarray(total / np.linalg.norm(total), np.float32)

    @property
    def templates(self) -> FloatArray:
        """Five looks spread over the clip. Returns: (5, d), fewer where there are fewer."""
        spread = np.unique(np.linspace(0, len(self.main) - 1, TEMPLATES).astype(int))
        return np.stack([self.main[i].embedding for i in spread])


def gather(school: School, clips: Clips) -> list[ClipLooks]:
    """Look at every clip four times a second, as the live pipeline looks at an undecided face."""
    named = [(person, clip) for person, each in clips.people.items() for clip in each]
    gathered = []
    for person, clip in shown(named, "Looking at clips"):
        looks = list(_looks(school, clips, clip))
        main = tuple(look for look, is_main, _ in looks if is_main)
        aside = tuple(look for look, is_main, is_aside in looks if is_aside and not is_main)
        gathered.append(ClipLooks(clip, person, main, aside))
    return gathered


def _looks(school: School, clips: Clips, clip: str) -> Iterator[tuple[Look, bool, bool]]:
    """Each look, whether it is of the largest face, whether it is at the right edge."""
    detector, embedder = school.detector(), school.embedder()
    due_s = 0.0
    for frame in frames_of(open_source(parse_source(str(clips.path(clip)))), BEGAN):
        if frame.t_s < due_s:
            continue
        due_s = frame.t_s + LOOK_EVERY_S
        faces = detector.detect_fast(frame.image)
        embeddings = embedder.embed(frame.image, faces)
        heights = faces.boxes[:, 3] - faces.boxes[:, 1]
        middles = faces.boxes[:, [0, 2]].mean(axis=1) if len(faces) else heights
        for i, embedding in enumerate(embeddings):
            look = Look(
                frame.t_s,
                frame.at,
                embedding,
                measure(frame.image, faces.boxes[i], faces.landmarks[i]).weight,
            )
            is_aside = bool(middles[i] > RIGHT_EDGE * frame.image.shape[1])
            yield look, i == int(np.argmax(heights)), is_aside
