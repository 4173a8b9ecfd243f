"""`attendance session why`: what a student's status rests on, in words and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.table import Table

from attendance.sessions.reasons import needed_by, percent, second_of, sentences

if TYPE_CHECKING:
    from attendance.registry import Student
    from attendance.sessions import Explanation, KeptLook


def why_figures(student: Student, why: Explanation) -> dict[str, Any]:
    """What `--json` holds; similarities are cosines, `score` is what `threshold` is applied to."""
    claim, thresholds = why.claim, why.session.rules.thresholds
    figures: dict[str, Any] = {
        "session": why.session.id,
        "student_no": student.number,
        "name": student.name,
        "status": why.status.value if why.status else None,
        "source": why.source.value if why.source else None,
        "in_review": why.in_review,
        "is_doubted": why.doubted_at is not None,
        "sentences": sentences(why),
        "decision": claim.decision.value if claim else None,
        "looks": claim.looks if claim else 0,
        "first_seen": claim.first_at.isoformat() if claim else None,
        "last_seen": claim.last_at.isoformat() if claim else None,
        "similarity": claim.similarity if claim else None,
        "needed_similarity": needed_by(why),
        "second_similarity": second_of(claim) if claim else None,
        "score": claim.score if claim else None,
        "margin": claim.margin if claim else None,
        "threshold": thresholds.get("threshold"),
        "threshold_margin": thresholds.get("margin"),
        "operating_point": why.session.rules.operating_point,
        "cohort_version": why.session.rules.cohort_version,
        "model_id": why.session.model_id,
        "watched": round(why.watched, 4),
        "is_enrolled": why.is_enrolled,
    }
    events = [
        {"number": e.number, "kind": e.kind, "at": e.at.isoformat(), "payload": e.payload}
        for e in why.events
    ]
    return figures | {"evidence": [_look(look) for look in why.evidence], "events": events}


def why_table(why: Explanation) -> Table:
    """The looks, best first, times in the course's zone as in the sentences."""
    zone = ZoneInfo(why.session.course.timezone)
    table = Table("time", "alike", "next best", "score", "lead", "quality", "flaw", "picture")
    for look in why.evidence:
        second = "" if look.second is None else percent(look.second)
        figures = (f"{look.score:.2f}", f"{look.margin:.2f}", f"{look.quality:.2f}")
        kept = "kept" if look.crop_id else ""
        at = look.at.astimezone(zone)
        words = (f"{at:%H:%M:%S}", percent(look.similarity), second, *figures, look.flaw, kept)
        table.add_row(*words)
    return table


def _look(look: KeptLook) -> dict[str, Any]:
    return {
        "at": look.at.isoformat(),
        "decision": look.decision.value,
        "similarity": look.similarity,
        "second_similarity": look.second,
        "score": look.score,
        "margin": look.margin,
        "quality": look.quality,
        "flaw": look.flaw,
        "has_crop": look.crop_id is not None,
    }
