"""What is said of a decision is true of it, whatever the camera's normalisation did."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.domain import Decision, Source, Status
from attendance.sessions import Claim, Event, Explanation, SessionRules
from attendance.sessions.reasons import needed_similarity, percents_apart, sentences
from tests.fakes import NINE, class_session

RULES = SessionRules(600, 0.8, {"threshold": 0.52, "margin": 0.1})
TWINS = replace(RULES, too_alike=((1, 2),))


def why(claim=None, **facts):
    closed = {"closed_at": NINE + timedelta(hours=1), "state": "closed", "rules": RULES}
    known = {
        "session": class_session(**closed),
        "student_id": 1,
        "status": Status.ABSENT,
        "source": Source.ROSTER,
        "note": "",
        "in_review": False,
        "claim": claim,
        "doubted_at": None,
        "watched": 0.94,
        "is_enrolled": True,
        "evidence": (),
        "events": (),
    }
    return Explanation(**(known | facts))


def claim(decision=Decision.ACCEPT, similarity=0.72, score=0.72, second=0.18, looks=12):
    first, last = NINE + timedelta(seconds=70), NINE + timedelta(seconds=250)
    return Claim(decision, first, last, similarity, score, similarity - second, looks)


SEEN = claim()
DOUBT = claim(Decision.REVIEW, 0.5, 0.45, 0.2)
NEAR = claim(Decision.UNKNOWN, 0.22, 0.22, 0.2)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (
            why(SEEN),
            "Seen 12 times between 09:01 and 09:04, 86 % alike where 76 % is needed, "
            "next best person 59 %.",
        ),
        (
            why(replace(SEEN, last_at=SEEN.first_at, looks=1, margin=1.72)),
            "Seen once at 09:01, 86 % alike where 76 % is needed, nobody else to confuse with.",
        ),
        (
            why(claim(similarity=0.8, score=0.6, second=0.5)),
            "Seen 12 times between 09:01 and 09:04, 90 % alike where 88 % is needed, "
            "next best person 75 %.",
        ),
        (
            why(DOUBT),
            "Perhaps seen at 09:01: 75 % alike where 78 % is needed, next best person 60 %.",
        ),
        (
            why(claim(Decision.REVIEW, second=0.66)),
            "Perhaps seen at 09:01: 86 % alike where 76 % is needed, next best person 83 %, "
            "too close: a lead of 5 points is needed.",
        ),
        (
            why(claim(Decision.REVIEW)),
            "Perhaps seen at 09:01: 86 % alike where 76 % is needed, next best person 59 %, "
            "but another face held this name at the time.",
        ),
        (
            why(claim(Decision.REVIEW), session=class_session(rules=TWINS)),
            "Perhaps seen at 09:01: 86 % alike where 76 % is needed, next best person 59 %, "
            "but the camera cannot tell this student from another one.",
        ),
        (
            why(NEAR),
            "Never seen well enough: best 61 % where 76 % is needed. "
            "The camera looked 94 % of the lesson.",
        ),
        (why(), "The camera looked 94 % of the lesson and did not see them."),
        (
            why(watched=0.2, status=Status.UNRESOLVED),
            "The camera looked only 20 % of the lesson and did not see them.",
        ),
        (why(is_enrolled=False), "No enrolment photos: the camera cannot know this student."),
    ],
    ids=[
        "marked",
        "the only one enrolled",
        "a camera that lifts everybody",
        "a doubt",
        "too close",
        "a rival face",
        "a twin",
        "a near miss",
        "not seen",
        "hardly looked",
        "not enrolled",
    ],
)
def test_the_camera_is_quoted_in_one_sentence(facts, told):
    assert sentences(facts) == [told]


def test_a_persons_word_comes_first():
    told = sentences(why(SEEN, source=Source.HUMAN, status=Status.LEFT_EARLY, note="ill"))
    assert told[0] == "A person decided left early: ill."
    assert told[1].startswith("Seen 12 times")


@pytest.mark.parametrize(
    ("is_marked", "doubted_at", "told"),
    [
        (False, None, "it was withdrawn before anybody was marked."),
        (True, NINE, "please check."),
        (True, None, "that is settled since."),
    ],
)
def test_a_withdrawn_name_is_told(is_marked, doubted_at, told):
    event = Event(1, 5, "doubted", NINE, 1, {"is_marked": is_marked})
    assert sentences(why(SEEN, doubted_at=doubted_at, events=(event,)))[-1].endswith(told)


scores = st.floats(0, 0.99)


@given(scores, scores, st.floats(-0.99, 0.99))
def test_the_needed_similarity_lies_above_exactly_where_the_score_fell_short(score, needs, b):
    """Any normalisation that keeps identity at 1: similarity = b + (1 - b) * score."""
    similarity = b + (1 - b) * score
    needed = needed_similarity(similarity, score, needs)
    assert needed == pytest.approx(b + (1 - b) * needs, abs=1e-6)
    if abs(needs - score) > 1e-9:
        assert (needed > similarity) == (needs > score)


def test_a_perfect_score_says_the_threshold_itself():
    assert needed_similarity(1.0, 1.0, 0.52) == 0.52


@pytest.mark.parametrize(
    ("pair", "told", "reason"),
    [
        ((0.72, 0.52), ("86 %", "76 %"), "whole points where they differ"),
        ((0.512, 0.518), ("75.6 %", "75.9 %"), "not: 76 % where 76 % is needed"),
        ((0.5, 0.5), ("75.00 %", "75.00 %"), "equal is equal"),
    ],
)
def test_two_percentages_can_be_told_apart(pair, told, reason):
    assert percents_apart(*pair) == told, reason
