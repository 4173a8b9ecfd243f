"""What the pipeline notices and marks nobody for: near misses, and names that were withdrawn."""

from __future__ import annotations

from collections import deque

from attendance.core.domain import Decision, Remark, RemarkKind, Verdict
from attendance.core.watching import PipelineRules, Watched

NEAR_MISS_SCORE = 0.1
UNREAD = 256


class Remarks:
    """Remarks nobody has fetched yet. Owned by the worker's thread.

    A near miss is a face that was watched as long as a doubt would be and stayed unknown, with
    its score at most `NEAR_MISS_SCORE` below the one from which staff is asked. Nobody is named
    for it; it answers the question why somebody is absent.
    """

    def __init__(self, rules: PipelineRules) -> None:
        self._rules = rules
        self._unread: deque[Remark] = deque(maxlen=UNREAD)
        self._missed: set[int] = set()

    def note(self, track_id: int, watched: Watched, t_s: float) -> None:
        """Look at a live track: a withdrawn name at once, a near miss when it has lasted."""
        self._tell_withdrawn(track_id, watched)
        has_lasted = t_s - watched.since_s >= self._rules.review_after_s
        if has_lasted and track_id not in self._missed and self._is_near_miss(watched.verdict):
            self._missed.add(track_id)
            self._add(RemarkKind.NEAR_MISS, track_id, watched, watched.verdict)

    def end(self, track_id: int, watched: Watched) -> None:
        """A track is over: what it came to, however short it was and whenever it turned out."""
        self._tell_withdrawn(track_id, watched)
        self._missed.discard(track_id)
        if self._is_near_miss(watched.verdict):
            self._add(RemarkKind.NEAR_MISS, track_id, watched, watched.verdict)

    def fetch(self) -> tuple[Remark, ...]:
        """All since the last call, oldest first."""
        fetched = tuple(self._unread)
        self._unread.clear()
        return fetched

    def _tell_withdrawn(self, track_id: int, watched: Watched) -> None:
        withdrawn, watched.withdrawn = watched.withdrawn, None
        if withdrawn is not None:
            self._add(RemarkKind.WITHDRAWN, track_id, watched, withdrawn)

    def _is_near_miss(self, verdict: Verdict) -> bool:
        least = self._rules.decision.review_threshold - NEAR_MISS_SCORE
        is_unknown = verdict.decision is Decision.UNKNOWN
        return is_unknown and verdict.student_id is not None and verdict.score >= least

    def _add(self, kind: RemarkKind, track_id: int, watched: Watched, verdict: Verdict) -> None:
        if verdict.student_id is None or watched.last_at is None:
            return
        remark = Remark(
            kind,
            verdict.student_id,
            watched.last_at,
            track_id,
            verdict.similarity,
            verdict.score,
            verdict.margin,
            verdict.evidence,
        )
        self._unread.append(remark)
