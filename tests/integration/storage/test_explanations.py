"""Near misses, withdrawn names, and what a person is told of them."""

from dataclasses import replace

import pytest

from attendance.core.domain import Decision, LookEvidence, Remark, RemarkKind, Status
from attendance.core.errors import SessionError, SessionStateError
from attendance.sessions.reasons import sentences


def notice(room, student, kind=RemarkKind.WITHDRAWN, after_s=30.0, score=0.38):
    look = LookEvidence(room.at(after_s), score, score, 0.05, 0.8, score - 0.05)
    facts = (room.at(after_s), 7, score, score, 0.05, (look,))
    return room.sessions.remark(room.id, Remark(kind, room.students[student].id, *facts))


def miss(room, student, **facts):
    return notice(room, student, RemarkKind.NEAR_MISS, **facts)


def test_a_near_miss_marks_nobody_and_explains_an_absence(classroom):
    assert miss(classroom, 0, score=0.22) is None
    assert (classroom.row(0).status, classroom.row(0).in_review) == (None, False)
    classroom.close()
    assert classroom.row(0).status is Status.ABSENT
    (told,) = sentences(classroom.why(0))
    assert told.startswith("Never seen well enough: best 61 % where 75 % is needed.")


def test_the_best_near_miss_counts(classroom):
    for score in (0.33, 0.4, 0.36):
        miss(classroom, 0, after_s=score * 100, score=score)
    assert classroom.why(0).claim.score == 0.4


@pytest.mark.parametrize("decision", [Decision.ACCEPT, Decision.REVIEW])
def test_a_near_miss_adds_nothing_to_what_is_stronger(classroom, decision):
    classroom.see(0, decision=decision)
    miss(classroom, 0, score=0.9)
    why = classroom.why(0)
    assert (why.claim.decision, len(why.evidence)) == (decision, 1)


def test_a_doubted_mark_stays_and_says_so(classroom):
    classroom.see(0)
    event = notice(classroom, 0)
    assert (event.kind, event.payload["is_marked"]) == ("doubted", True)
    row = classroom.row(0)
    assert (row.status, row.is_doubted) == (Status.PRESENT, True)
    assert "please check" in sentences(classroom.why(0))[1]
    assert notice(classroom, 0, after_s=40) is None, "told once"


def test_a_name_withdrawn_before_the_mark_is_told_once(classroom):
    event = notice(classroom, 0)
    assert (event.kind, event.payload["is_marked"]) == ("doubted", False)
    assert notice(classroom, 0, after_s=60) is None
    assert (classroom.row(0).status, classroom.row(0).is_doubted) == (None, False)
    assert "before anybody was marked" in sentences(classroom.why(0))[1]


def test_being_seen_again_settles_the_doubt(classroom):
    classroom.see(0)
    notice(classroom, 0, after_s=30)
    assert classroom.see(0, after_s=29) is None, "told late, of before the doubt"
    assert classroom.row(0).is_doubted
    assert classroom.see(0, after_s=50).kind == "confirmed"
    assert not classroom.row(0).is_doubted
    assert "settled" in sentences(classroom.why(0))[1]


def test_a_person_settles_the_doubt_and_is_not_doubted(classroom):
    classroom.see(0)
    notice(classroom, 0)
    classroom.correct(0, Status.PRESENT)
    assert not classroom.row(0).is_doubted
    assert notice(classroom, 0, after_s=90) is None


def test_remarks_follow_the_session(classroom):
    (stranger,) = classroom.school.add_students("of another course")
    remark = Remark(RemarkKind.NEAR_MISS, stranger.id, classroom.at(5), 1, 0.4, 0.4, 0.1)
    with pytest.raises(SessionError, match="not on the roster"):
        classroom.sessions.remark(classroom.id, remark)
    classroom.sessions.pause(classroom.id, at=classroom.at(1))
    assert notice(classroom, 0) is None
    classroom.close()
    with pytest.raises(SessionStateError, match="closed"):
        notice(classroom, 0)


def test_what_was_wrong_with_a_look_is_kept_in_words(classroom):
    sighting = classroom.sighting(0)
    (good,) = sighting.evidence
    weak = replace(good, at=classroom.at(6), flaw="turned 40 degrees away")
    classroom.sessions.record(classroom.id, replace(sighting, evidence=(good, weak)))
    assert {look.flaw for look in classroom.why(0).evidence} == {"", "turned 40 degrees away"}


def test_looks_from_before_such_words_were_kept_are_read(classroom, reopen):
    """A school of the version before: its evidence has no such column."""
    classroom.see(0)
    classroom.school.execute("ALTER TABLE evidence DROP COLUMN flaw")
    classroom.school.execute("UPDATE alembic_version SET version_num = '0004'")
    classroom.school = reopen()
    (look,) = classroom.why(0).evidence
    assert (look.flaw, look.quality) == ("", 0.9)


def test_looks_are_counted_over_the_session(classroom):
    classroom.sessions.record(classroom.id, replace(classroom.sighting(0, 60), looks=5))
    classroom.sessions.record(classroom.id, replace(classroom.sighting(0, 240), looks=7))
    assert sentences(classroom.why(0))[0].startswith("Seen 12 times between 18:01 and 18:04, ")


def test_who_was_not_seen_is_told_what_the_camera_did(school, classroom):
    school.enrol(classroom.students[1], [[1.0, 0.0]])
    classroom.close(covered_s=3384)
    assert sentences(classroom.why(0)) == [
        "No enrolment photos: the camera cannot know this student."
    ]
    assert sentences(classroom.why(1)) == [
        "The camera looked 94 % of the lesson and did not see them."
    ]
