"""Clips from one camera, replayed: who is named, with and without knowing the camera?

The clips come in a random order, shuffled several times, as lessons would. Everybody on the roster
is enrolled from one of their clips, each in its turn. What is known of the camera when a clip plays
comes from clips before it and from other people only: the person it shows and the enrolled person
it is most like are left out. Rosters are all five people, and all sets of four, three and two, the
others being strangers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from attendance.core.cohort import Cohort
from attendance.core.domain import Decision, Gallery, Look
from attendance.core.evidence import DecisionRules, TrackEvidence
from attendance.core.matching import CameraGallery, similarities
from attendance.evaluation.camera_looks import ClipLooks

LEAST_ROSTER = 2
KINDS = ("right", "review", "unknown", "wrong")


@dataclass(frozen=True)
class TrialOutcomes:
    """What came of the clips of one order, for rosters of one size.

    Attributes:
        roster: how many people are enrolled.
        knows_camera: whether the cohort of earlier clips was used.
        order: which shuffle.
        threshold: in force for a roster of this size, mean over clips.
        n_enrolled: clips of enrolled people, over all rosters and enrolment clips.
        enrolled: share of them right, review, unknown, wrong.
        n_strangers: clips of people who were not enrolled.
        strangers: share of them review, unknown, wrong.
        n_bystanders: clips with somebody at the right edge.
        bystanders_named: of those.
    """

    roster: int
    knows_camera: bool
    order: int
    threshold: float
    n_enrolled: int
    enrolled: dict[str, float]
    n_strangers: int
    strangers: dict[str, float]
    n_bystanders: int
    bystanders_named: int


@dataclass(frozen=True)
class TrialsReport:
    """Figures of `evaluate clip-trials`."""

    model_id: str
    variant: str
    n_clips: int
    n_people: int
    orders: int
    outcomes: tuple[TrialOutcomes, ...]


def run_trials(
    clips: Sequence[ClipLooks],
    rules: Callable[[int, Cohort | None], DecisionRules],
    model_id: str,
    orders: Iterable[int],
) -> Iterator[TrialOutcomes]:
    """Every roster size, with and without the cohort, one order after another.

    Args:
        clips: gathered.
        rules: what a session goes by: for the size of its roster and what is known of the camera.
        model_id: of the embeddings.
        orders: seeds of the shuffles.
    """
    people = sorted({clip.person for clip in clips})
    for order in orders:
        shuffled = [clips[i] for i in np.random.default_rng(order).permutation(len(clips))]
        for size in range(len(people), LEAST_ROSTER - 1, -1):
            for knows_camera in (False, True):
                trial = _Trial(shuffled, rules, model_id, knows_camera)
                yield trial.run(order, list(combinations(people, size)))


class _Trial:
    """One order of the clips."""

    def __init__(
        self,
        clips: Sequence[ClipLooks],
        rules: Callable[[int, Cohort | None], DecisionRules],
        model_id: str,
        knows_camera: bool,
    ) -> None:
        self._clips = clips
        self._rules = rules
        self._model_id = model_id
        self._knows_camera = knows_camera
        self._counts = {kind: Counter[str]() for kind in ("enrolled", "strangers", "aside")}
        self._thresholds: list[float] = []

    def run(self, order: int, rosters: list[tuple[str, ...]]) -> TrialOutcomes:
        most = max(Counter(clip.person for clip in self._clips).values())
        for roster in rosters:
            for choice in range(most):
                self._play(roster, choice)
        enrolled, strangers, aside = self._counts.values()
        return TrialOutcomes(
            len(rosters[0]),
            self._knows_camera,
            order,
            float(np.mean(self._thresholds)),
            enrolled.total(),
            _shares(enrolled, KINDS),
            strangers.total(),
            _shares(strangers, KINDS[1:]),
            aside.total(),
            aside["wrong"],
        )

    def _play(self, roster: tuple[str, ...], choice: int) -> None:
        """All clips but those that enrolled somebody."""
        own = {person: [c for c in self._clips if c.person == person] for person in roster}
        enrolled = [sorted(each, key=lambda c: c.clip)[choice % len(each)] for each in own.values()]
        gallery = self._gallery(enrolled)
        for position, clip in enumerate(self._clips):
            if clip in enrolled:
                continue
            cohort = self._cohort(clip, self._clips[:position], gallery, roster)
            expected = roster.index(clip.person) if clip.person in roster else None
            outcome = self._decide(clip.main, gallery, cohort, expected)
            self._counts["strangers" if expected is None else "enrolled"][outcome] += 1
            if clip.aside:
                self._counts["aside"][self._decide(clip.aside, gallery, cohort, None)] += 1

    def _gallery(self, enrolled: list[ClipLooks]) -> Gallery:
        templates = [clip.templates for clip in enrolled]
        owners = np.repeat(np.arange(len(templates)), [len(rows) for rows in templates])
        ids = tuple(range(len(templates)))
        return Gallery(self._model_id, ids, np.concatenate(templates), owners)

    def _cohort(
        self, clip: ClipLooks, earlier: Sequence[ClipLooks], gallery: Gallery, roster: Sequence[str]
    ) -> Cohort:
        """What was seen before, of others than the person and the one they are most like."""
        cohort = Cohort.empty(self._model_id, gallery.templates.shape[1])
        if not self._knows_camera:
            return cohort
        claimed = roster[int(np.argmax(similarities(clip.mean[None], gallery)[0]))]
        others = [c for c in earlier if c.person not in (clip.person, claimed)]
        seen = {c.person: c.mean for c in others}
        for other in others:
            cohort = cohort.with_session(other.mean[None])
        return Cohort(cohort.model_id, cohort.tracks, len(seen), cohort.mean)

    def _decide(
        self, looks: Sequence[Look], gallery: Gallery, cohort: Cohort, expected: int | None
    ) -> str:
        """The worst that can be said of a track: a wrong name at any moment counts."""
        rules = self._rules(len(gallery), cohort if self._knows_camera else None)
        self._thresholds.append(rules.threshold)
        seen = CameraGallery.of(gallery, cohort.shift if self._knows_camera else None)
        evidence = TrackEvidence(seen, rules)
        named: set[int | None] = set()
        for look in looks:
            evidence.add(look)
            verdict = evidence.verdict()
            if verdict.decision is Decision.ACCEPT:
                named.add(verdict.student_id)
        if named - {expected}:
            return "wrong"
        if expected is not None and expected in named:
            return "right"
        return "review" if evidence.verdict().decision is Decision.REVIEW else "unknown"


def _shares(counts: Counter[str], kinds: Sequence[str]) -> dict[str, float]:
    total = counts.total()
    return {kind: counts[kind] / total if total else float("nan") for kind in kinds}
