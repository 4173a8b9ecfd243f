"""An explanation in words, for the command line and the pages alike.

Whatever is said is true of the decision that was made. A decision compares a score with a
threshold; people read similarities. So the threshold is told as the similarity that would have
been enough for this face on this camera: see `needed_similarity`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from attendance.core.domain import Decision, SessionState, Source, Status
from attendance.sessions.models import Claim, Explanation

NO_SECOND = -1.0
TOLD_DECIMALS = 2


def needed_similarity(similarity: float, score: float, threshold: float) -> float:
    """The similarity this face would have needed for a score at the threshold.

    A camera's normalisation stretches similarities so that identity stays at 1, and it is told by
    one pair of similarity and score: everything else lies on the line through that pair and (1, 1).
    So this is above `similarity` exactly where `threshold` is above `score`.

    Args:
        similarity: of the claim, in [-1, 1].
        score: what the normalisation made of it.
        threshold: on the score.

    >>> round(needed_similarity(0.72, 0.72, 0.52), 2)  # nothing was normalised
    0.52
    >>> round(needed_similarity(0.80, 0.60, 0.52), 2)  # a camera on which strangers reach 0.5
    0.76
    """
    if score >= 1.0:
        return threshold
    return 1.0 - (1.0 - threshold) * (1.0 - similarity) / (1.0 - score)


def percent(similarity: float, decimals: int = 0) -> str:
    """A similarity as people read it.

    >>> percent(0.72), percent(0.725, 1)
    ('86 %', '86.2 %')
    """
    return f"{(1 + similarity) / 2 * 100:.{decimals}f} %"


def percents_apart(one: float, other: float) -> tuple[str, str]:
    """Two similarities with as many decimals as it takes to tell them apart, two at most.

    >>> percents_apart(0.72, 0.52), percents_apart(0.512, 0.518)
    (('86 %', '76 %'), ('75.6 %', '75.9 %'))
    """
    for decimals in range(TOLD_DECIMALS):
        told = percent(one, decimals), percent(other, decimals)
        if told[0] != told[1]:
            return told
    return percent(one, TOLD_DECIMALS), percent(other, TOLD_DECIMALS)


def sentences(why: Explanation) -> list[str]:
    """What a student's row rests on, the most important first; names nobody."""
    clock = _clock_of(why)
    told = [_human(why), _camera(why, clock), _doubted(why, clock)]
    return [sentence for sentence in told if sentence]


def needed_by(why: Explanation) -> float | None:
    """The similarity the camera's claim needed; None without a claim."""
    threshold = why.session.rules.thresholds.get("threshold")
    if why.claim is None or threshold is None:
        return None
    return needed_similarity(why.claim.similarity, why.claim.score, threshold)


def second_of(claim: Claim) -> float | None:
    """How like the next best person the face was; None where nobody else could be meant."""
    second = claim.similarity - claim.margin
    return second if second > NO_SECOND + 1e-6 else None


def _clock_of(why: Explanation) -> Callable[[datetime], str]:
    zone = ZoneInfo(why.session.course.timezone)
    return lambda at: f"{at.astimezone(zone):%H:%M}"


def _human(why: Explanation) -> str:
    if why.source is not Source.HUMAN or why.status is None:
        return ""
    reason = f": {why.note}" if why.note else ""
    return f"A person decided {why.status.value.replace('_', ' ')}{reason}."


def _camera(why: Explanation, clock: Callable[[datetime], str]) -> str:
    if why.claim is None:
        return _unseen(why)
    told = {
        Decision.ACCEPT: _marked,
        Decision.REVIEW: _in_doubt,
        Decision.UNKNOWN: _near_miss,
    }
    return told[why.claim.decision](why, why.claim, clock)


def _marked(why: Explanation, claim: Claim, clock: Callable[[datetime], str]) -> str:
    first, last = clock(claim.first_at), clock(claim.last_at)
    when = f"at {first}" if first == last else f"between {first} and {last}"
    times = {0: "Seen", 1: "Seen once"}.get(claim.looks, f"Seen {claim.looks} times")
    return f"{times} {when}, {_alike(why, claim)}, {_next_best(claim)}."


def _in_doubt(why: Explanation, claim: Claim, clock: Callable[[datetime], str]) -> str:
    said = f"Perhaps seen at {clock(claim.first_at)}: {_alike(why, claim)}, {_next_best(claim)}"
    return f"{said}{_why_in_doubt(why, claim)}."


def _why_in_doubt(why: Explanation, claim: Claim) -> str:
    """Why figures that suffice were not enough; a score that is too low speaks for itself."""
    thresholds = why.session.rules.thresholds
    if claim.score < thresholds.get("threshold", 0.0):
        return ""
    lead = thresholds.get("margin", 0.0)
    if claim.margin < lead:
        return f", too close: a lead of {lead * 50:.0f} points is needed"
    if any(why.student_id in pair for pair in why.session.rules.too_alike):
        return ", but the camera cannot tell this student from another one"
    return ", but another face held this name at the time"


def _near_miss(why: Explanation, claim: Claim, clock: Callable[[datetime], str]) -> str:  # noqa: ARG001
    return f"Never seen well enough: best {_alike(why, claim, '')}. {_watched(why)}."


def _alike(why: Explanation, claim: Claim, alike: str = " alike") -> str:
    needed = needed_by(why)
    if needed is None:
        return f"{percent(claim.similarity)}{alike}"
    own, least = percents_apart(claim.similarity, needed)
    return f"{own}{alike} where {least} is needed"


def _next_best(claim: Claim) -> str:
    second = second_of(claim)
    return (
        "nobody else to confuse with" if second is None else f"next best person {percent(second)}"
    )


def _unseen(why: Explanation) -> str:
    """Where no camera spoke for the student; what a person decided needs no excuse."""
    if not why.is_enrolled:
        return "No enrolment photos: the camera cannot know this student."
    return f"{_watched(why)} and did not see them."


def _watched(why: Explanation) -> str:
    share = f"{int(100 * why.watched)} %"
    if why.session.state in {SessionState.OPEN, SessionState.PAUSED}:
        return f"The camera has looked {share} of the lesson so far"
    is_little = why.status is Status.UNRESOLVED and why.watched < why.session.rules.min_coverage
    only = "only " if is_little else ""
    return f"The camera looked {only}{share} of the lesson"


def _doubted(why: Explanation, clock: Callable[[datetime], str]) -> str:
    withdrawn = [event for event in why.events if event.kind == "doubted"]
    if not withdrawn:
        return ""
    last = withdrawn[-1]
    when = clock(last.at)
    said = f"At {when} later looks spoke against this name"
    if not last.payload.get("is_marked"):
        return f"{said}, and it was withdrawn before anybody was marked."
    if why.doubted_at is not None:
        return f"{said}: please check."
    return f"{said}; that is settled since."
