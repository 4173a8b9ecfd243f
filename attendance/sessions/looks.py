"""The best looks a mark, a review or a near miss rests on."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.core.domain import Decision, LookEvidence
from attendance.db.class_models import EvidenceRow
from attendance.sessions.crops import CropKeeper

KEPT_LOOKS = 5
RANKS = {Decision.UNKNOWN: 0, Decision.REVIEW: 1, Decision.ACCEPT: 2}


def keep_best_looks(
    tx: Session,
    student: tuple[int, int],
    decision: Decision,
    looks: Sequence[LookEvidence],
    crops: CropKeeper | None,
    model_id: str,
) -> None:
    """Keep the best looks of the strongest decision there is, and what they showed.

    Args:
        tx: takes them.
        student: the session's id and the student's.
        decision: what these looks came to.
        looks: of one track.
        crops: None keeps no pictures; nor are any kept of an unknown face.
        model_id: of the session.
    """
    if not looks:
        return
    rows = {row.at: row for row in looks_of(tx, *student)}
    for look in looks:
        row = rows.setdefault(look.at, _row(*student, look))
        row.decision = max(row.decision, decision, key=RANKS.__getitem__)
    strongest = max(RANKS[row.decision] for row in rows.values())
    ranked = sorted((r for r in rows.values() if RANKS[r.decision] == strongest), key=_worth)
    kept = ranked[-KEPT_LOOKS:]
    for row in rows.values():
        if row in kept:
            tx.add(row)
        elif row in tx:
            tx.delete(row)
    tx.flush()
    if crops is not None and decision is not Decision.UNKNOWN:
        shown = {look.at: look.crop for look in looks}
        for row in kept:
            crops.keep(tx, row, shown.get(row.at), model_id)


def looks_of(tx: Session, session_id: int, student_id: int) -> Sequence[EvidenceRow]:
    """The looks kept of a student in a session, best first."""
    row = EvidenceRow
    query = select(row).where(row.session_id == session_id, row.student_id == student_id)
    return sorted(tx.scalars(query), key=_worth, reverse=True)


def _row(session_id: int, student_id: int, look: LookEvidence) -> EvidenceRow:
    return EvidenceRow(
        session_id=session_id,
        student_id=student_id,
        at=look.at,
        similarity=look.similarity,
        score=look.score,
        margin=look.margin,
        quality=look.quality,
        flaw=look.flaw,
        second=look.second if look.second > -1.0 else None,
        decision=Decision.UNKNOWN,
    )


def _worth(look: EvidenceRow) -> tuple[float, float]:
    return look.score, look.quality
