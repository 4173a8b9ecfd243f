"""Pictures of what the camera saw: of whom they are kept, who opens them, and that they go."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy.exc import IntegrityError

from attendance.core.domain import Decision, LookEvidence, Remark, RemarkKind, Status
from attendance.core.errors import VaultError
from attendance.sessions import CropKeeper, Sessions
from enroll.consent import CONSENT_VERSION

CROP = np.full((112, 90, 3), (40, 90, 200), np.uint8)
DAYS = timedelta(days=14)


@pytest.fixture
def room(classroom):
    """Its first two students consent, the other two do not."""
    for student in classroom.students[:2]:
        classroom.school.registry.give_consent(
            student.id, text_version="1", language="ko", at=classroom.at(0)
        )
    return classroom


def shown(room, student, after_s=5.0, decision=Decision.ACCEPT, looks=1):
    """Sighting with a crop a look, a second apart, the later the better."""
    evidence = tuple(
        LookEvidence(room.at(after_s + n), 0.7, 0.6 + n / 100, 0.2, 0.9, 0.5, CROP)
        for n in range(looks)
    )
    return replace(room.sighting(student, after_s, decision), evidence=evidence)


def see(room, student, after_s=5.0, **facts):
    return room.sessions.record(room.id, shown(room, student, after_s, **facts))


def crops(room):
    """Whose crops the database holds, one entry a crop."""
    rows = room.school.execute("SELECT student_id FROM crop ORDER BY student_id")
    names = {student.id: number for number, student in enumerate(room.students)}
    return [names[student_id] for (student_id,) in rows]


def opened(room, student, after_s=60.0):
    ids = [look.crop_id for look in room.why(student, after_s).evidence if look.crop_id]
    student_id = room.students[student].id
    return [room.sessions.crop(room.id, student_id, i, at=room.at(after_s)) for i in ids]


def test_marks_and_reviews_keep_their_pictures(room):
    see(room, 0, looks=2)
    see(room, 1, decision=Decision.REVIEW)
    assert crops(room) == [0, 0, 1]
    assert all(jpeg.startswith(b"\xff\xd8") for jpeg in opened(room, 0) + opened(room, 1))


def test_no_picture_without_a_live_consent(room):
    see(room, 2)
    room.school.registry.withdraw_consent(room.students[0].id, at=room.at(1))
    see(room, 0)
    assert crops(room) == []
    assert len(room.why(0).evidence) == len(room.why(2).evidence) == 1, "figures are kept"


def test_a_consent_that_did_not_speak_of_pictures_allows_none(room):
    third = room.students[2].id
    room.school.registry.give_consent(third, text_version="2026-11", language="ko", at=room.at(0))
    see(room, 2)
    assert crops(room) == []
    room.school.registry.give_consent(
        third, text_version=CONSENT_VERSION, language="ko", at=room.at(9)
    )
    see(room, 2, after_s=20)
    assert crops(room) == [2]


def test_no_picture_of_an_unknown_face(room):
    noticed = shown(room, 0)
    near = (noticed.at, 1, 0.4, 0.35, 0.1, noticed.evidence)
    room.sessions.remark(room.id, Remark(RemarkKind.NEAR_MISS, room.students[0].id, *near))
    assert (crops(room), len(room.why(0).evidence)) == ([], 1)


def test_the_database_itself_refuses_a_picture_without_consent(room):
    see(room, 0)
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        room.school.execute("UPDATE crop SET student_id = :id", id=room.students[2].id)
    with pytest.raises(IntegrityError, match="crop_needs_live_consent"):
        room.school.execute("UPDATE crop SET consent_is_live = 0")


def test_withdrawn_consent_deletes_the_pictures(room):
    see(room, 0)
    see(room, 1)
    room.school.registry.withdraw_consent(room.students[0].id, at=room.at(30))
    assert crops(room) == [1]


def test_erasing_a_student_destroys_pictures_and_key(room):
    see(room, 0)
    stored = room.school.execute("SELECT * FROM crop")[0]
    room.school.registry.erase(room.students[0].id)
    assert crops(room) == []
    consent = "INSERT INTO consent (student_id, text_version, language, given_at, is_live) "
    room.school.execute(consent + f"VALUES ({room.students[0].id}, '1', 'ko', '2026-03-02', 1)")
    (consent_id,) = room.school.execute("SELECT max(id) FROM consent")[0]
    row = [consent_id if n == 4 else value for n, value in enumerate(stored)]
    names = ", ".join(f":v{n}" for n in range(len(row)))
    values = {f"v{n}": value for n, value in enumerate(row)}
    room.school.execute(f"INSERT INTO crop VALUES ({names})", **values)
    with pytest.raises(VaultError, match="erased"):
        opened(room, 0)


def test_a_picture_opens_in_its_own_place_only(room):
    see(room, 0, after_s=5)
    see(room, 0, after_s=25)
    room.school.execute(
        "UPDATE crop SET jpeg = (SELECT jpeg FROM crop AS other WHERE other.id <> crop.id)"
    )
    with pytest.raises(VaultError, match="moved"):
        opened(room, 0)


def test_nothing_in_clear_reaches_the_disk(room, home):
    see(room, 0)
    (jpeg,) = opened(room, 0)
    room.school.db.scrub()
    assert jpeg[200:260] not in (home / "attendance.db").read_bytes()


def test_a_replaced_look_takes_its_picture_along(room):
    see(room, 0, after_s=5, looks=5)
    best = replace(shown(room, 0, 60, looks=1).evidence[0], score=0.99)
    room.sessions.record(room.id, replace(shown(room, 0, 60), evidence=(best,)))
    assert crops(room) == [0] * 5


def test_looks_of_a_review_are_forgotten_at_the_mark(room):
    """A doubt may have been about somebody else; a mark rests on its own looks."""
    see(room, 0, after_s=5, decision=Decision.REVIEW, looks=3)
    see(room, 0, after_s=60)
    assert [look.decision for look in room.why(0).evidence] == [Decision.ACCEPT]
    assert crops(room) == [0]


def test_whoever_a_person_calls_absent_was_somebody_else(room):
    see(room, 0)
    room.correct(0, Status.ABSENT)
    assert crops(room) == []


@pytest.mark.parametrize(
    ("days", "left", "reason"),
    [
        (13.99, [0, 1], "kept for fourteen days"),
        (14.0, [1], "not a moment longer; the second was taken a minute later"),
        (14.1, [], "nothing is left, as a query says"),
    ],
)
def test_pictures_are_purged_when_their_days_are_over(room, days, left, reason):
    see(room, 0, after_s=0)
    see(room, 1, after_s=60)
    purged = room.sessions.purge_crops(at=room.at(0) + timedelta(days=days))
    assert (crops(room), purged) == (left, 2 - len(left)), reason
    assert len(room.why(0).evidence) == 1, "the figures stay"


def test_expired_pictures_are_not_shown_even_before_the_purge(room):
    see(room, 0)
    assert opened(room, 0, after_s=DAYS.total_seconds() + 6) == []
    assert crops(room) == [0]


def test_closing_a_session_purges_pictures_of_earlier_ones(room):
    see(room, 0)
    room.close(after_s=DAYS.total_seconds() + 60)
    assert room.school.execute("SELECT count(*) FROM crop") == [(0,)]


def test_zero_days_keep_none(room):
    see(room, 0)
    none = Sessions(room.school.db, CropKeeper(lambda: room.school.vault, keep_days=0))
    none.record(room.id, shown(room, 1))
    assert crops(room) == [0]
    assert none.purge_crops(at=room.at(6)) == 1
    assert crops(room) == []


def test_a_mark_is_kept_where_its_picture_cannot_be(room):
    """A damaged data key costs the picture, never the attendance."""
    room.school.execute("UPDATE student SET data_key = x'00' WHERE id = 1")
    assert see(room, 0).kind == "arrival"
    assert (room.row(0).status, crops(room)) == (Status.PRESENT, [])
