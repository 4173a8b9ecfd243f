"""What the pipeline remembers of a track: its looks, what it was told of them, what is due."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from attendance.core import looking
from attendance.core.domain import Decision, FloatArray, Look, Verdict
from attendance.core.evidence import DecisionRules, TrackEvidence
from attendance.core.tracking import Track

SAME_FACE_SIMILARITY = 0.5
SUDDEN_CHANGE = 0.33
STEADINESS_RATE = 0.1


@dataclass(frozen=True)
class PipelineRules:
    """What the pipeline goes by.

    Attributes:
        look_interval_s: between looks of a track that is not yet decided; a decided one is
            looked at `looking.SETTLED_LOOK_INTERVALS` times more seldom.
        review_after_s: how long a doubtful track is watched before staff is asked.
        scan_every_s: how often the whole frame is searched for newcomers, spread over frames.
    """

    decision: DecisionRules
    look_interval_s: float = 0.25
    review_after_s: float = 3.0
    scan_every_s: float = 0.25


@dataclass
class Watched:
    """One track and all that was seen of it. Owned by the worker's thread.

    Attributes:
        named: the newest certainty, until looks or a stronger claim take the name away.
        withdrawn: the name that was taken away, until somebody is told.
    """

    evidence: TrackEvidence
    since_s: float
    verdict: Verdict = field(default_factory=lambda: Verdict(Decision.UNKNOWN))
    reported: Decision | None = None
    reported_id: int | None = None
    reported_s: float = 0.0
    last_at: datetime | None = None
    signature: FloatArray | None = None
    steadiness: float | None = None
    suspected_s: float | None = None
    has_hope: bool = False
    best_view: float = 0.0
    looks: int = 0
    named: Verdict | None = None
    withdrawn: Verdict | None = None

    def take(self, look: Look) -> None:
        """One more look; where it withdraws the name, another person begins here."""
        self.looks += 1
        if self.evidence.add(look):
            self.reported = self.reported_id = None
            self.since_s = self.evidence.began_s
            self.looks = len(self.evidence)
        self.verdict = self.evidence.verdict()
        if self.named is not None and not _supports(self.verdict, self.named):
            self.withdrawn, self.named = self.named, None
        if self.verdict.decision is Decision.ACCEPT:
            self.named = self.verdict
        self.has_hope = not self.evidence.newest_is_like_nobody

    def yield_name(self, *, is_in_sight: bool) -> None:
        """Another face has the stronger claim to the name; where this one was told, so is that.

        A face out of sight speaks against nobody: the other one may be the same, which has moved.
        """
        told = self.reported_id if self.reported is Decision.ACCEPT else None
        if told != self.verdict.student_id:
            self.named = None
        elif is_in_sight:
            self.withdrawn, self.named = self.verdict, None
            self.reported = self.reported_id = None
        self.verdict = replace(self.verdict, decision=Decision.REVIEW)

    def show(self, signature: FloatArray, t_s: float) -> None:
        """What the face looks like in this frame; suspect it where that is not as usual.

        Turning and walking change a picture by and by; how much, differs from face to face. A
        change far beyond what is usual for this one may be somebody else in its place.
        """
        before, self.signature = self.signature, signature
        if before is None:
            return
        likeness = float(before @ signature)
        usual = likeness if self.steadiness is None else self.steadiness
        if likeness < usual - SUDDEN_CHANGE:
            self.suspected_s = t_s
        else:
            self.steadiness = usual + STEADINESS_RATE * (likeness - usual)

    @property
    def is_suspect(self) -> bool:
        """Whether the face changed since the last look: nothing is said of it until the next."""
        return self.suspected_s is not None

    def is_unlike(self, embedding: FloatArray) -> bool:
        """Whether this cannot be the face of the looks so far."""
        if not len(self.evidence):
            return False
        return float(embedding @ self.evidence.mean_embedding()) < SAME_FACE_SIMILARITY

    def ripeness(self, track: Track, t_s: float, rules: PipelineRules) -> float:
        """Seconds since the last look, in units of the interval this track is looked at in."""
        waited_s = t_s - self.evidence.last_look_s
        ripeness = waited_s / rules.look_interval_s
        if ripeness < looking.COMPANY:
            return ripeness
        return ripeness / self._patience(track, rules)

    def _patience(self, track: Track, rules: PipelineRules) -> int:
        """Intervals between two looks: many for a name or a stranger unless there is news."""
        if self.verdict.decision is Decision.ACCEPT and not self.evidence.is_doubted:
            return looking.SETTLED_LOOK_INTERVALS
        if self.has_hope or not self.is_stranger_for(rules.review_after_s):
            return 1
        view = looking.view(track.box, track.landmarks)
        shows_better = view > looking.BETTER_VIEW * self.best_view
        return 1 if shows_better else looking.STRANGER_LOOK_INTERVALS

    def is_stranger_for(self, seconds: float) -> bool:
        """Whether looks over so many seconds speak for nobody."""
        is_unknown = self.verdict.decision is Decision.UNKNOWN and self.evidence.is_sufficient()
        return is_unknown and self.evidence.last_look_s - self.evidence.began_s >= seconds


def _supports(verdict: Verdict, named: Verdict) -> bool:
    """Whether the name may still stand, were it only in doubt."""
    is_known = verdict.decision is not Decision.UNKNOWN
    return is_known and verdict.student_id == named.student_id
