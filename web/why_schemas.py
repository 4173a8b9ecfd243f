"""The shape of a reason: why the register says what it says of one student."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flask import url_for
from pydantic import Field

from attendance.core.domain import Decision, Status
from attendance.sessions.reasons import needed_by, second_of, sentences
from web.schemas import EventOut, Schema, percent, to_percent

if TYPE_CHECKING:
    from attendance.sessions import Explanation, KeptLook


class LookOut(Schema):
    """One look a decision rests on."""

    at: datetime
    percent: int
    second_percent: int | None = Field(description="of the next best person, who is not named")
    score: float = Field(description="what the threshold is applied to")
    margin: float
    quality: float
    flaw: str = Field(description="what was wrong with the view, in words; empty for a good one")
    crop: str | None = Field(description="where its picture is, while it is kept")

    @classmethod
    def of(cls, look: KeptLook, session_id: int, student_id: int) -> LookOut:
        """From the record."""
        return cls(
            at=look.at,
            percent=to_percent(look.similarity),
            second_percent=percent(look.second),
            score=look.score,
            margin=look.margin,
            quality=look.quality,
            flaw=look.flaw,
            crop=look.crop_id
            and url_for(
                "why.crop", session_id=session_id, student_id=student_id, crop_id=look.crop_id
            ),
        )


class WhyOut(Schema):
    """What a student's row rests on: sentences, figures, the best looks, and the events."""

    sentences: list[str]
    status: Status | None
    decision: Decision | None = Field(description="of the camera; unknown is a near miss")
    percent: int | None
    needed_percent: int | None = Field(description="what this face would have needed")
    second_percent: int | None
    score: float | None
    threshold: float | None
    model_id: str
    keep_days: float = Field(description="how long pictures are kept")
    looks: list[LookOut]
    events: list[EventOut]

    @classmethod
    def of(cls, why: Explanation, keep_days: float) -> WhyOut:
        """From the record; only inside a request, as it holds addresses."""
        claim = why.claim
        looks = [LookOut.of(look, why.session.id, why.student_id) for look in why.evidence]
        return cls(
            sentences=sentences(why),
            status=why.status,
            decision=claim.decision if claim else None,
            percent=percent(claim.similarity) if claim else None,
            needed_percent=percent(needed_by(why)),
            second_percent=percent(second_of(claim)) if claim else None,
            score=claim.score if claim else None,
            threshold=why.session.rules.thresholds.get("threshold"),
            model_id=why.session.model_id,
            keep_days=keep_days,
            looks=looks,
            events=[EventOut.of(event) for event in why.events],
        )
