"""The CSV: it parses back, runs no formula and tells the time of the course."""

import csv
import io
from datetime import date, datetime, timedelta

import pytest

from attendance.core.domain import Status
from attendance.sessions import SessionRules, write_csv

HEADER = (
    "course_code,course_name,session_id,opened_at,closed_at,student_no,name,status,source,"
    "first_seen,last_seen,minutes_seen,state,note"
)


def export(school, *arguments):
    file = io.StringIO(newline="")
    count = write_csv(school.sessions.export_rows(*arguments), file)
    text = file.getvalue()
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert len(rows) == count
    return text, rows


def test_export_parses_back_to_the_register(classroom):
    classroom.see(0, after_s=5, seen_s=90)
    classroom.see(1, after_s=1000)
    classroom.doubt(2)
    classroom.correct(3, Status.EXCUSED, reason='said "ill", twice\nand meant it')
    classroom.close()
    text, rows = export(classroom.school)
    assert text.startswith("\ufeff" + HEADER + "\r\n")
    found = [(r["student_no"], r["name"], r["status"], r["source"], r["note"]) for r in rows]
    assert found == [
        (r.number, r.name, r.status.value, r.source.value, r.note)
        for r in classroom.sessions.register(classroom.id)
    ]
    assert rows[0]["minutes_seen"] == "1.5"
    assert datetime.fromisoformat(rows[0]["first_seen"]) == classroom.at(5)
    assert {r["state"] for r in rows} == {"closed"}


def test_times_are_those_of_the_course(classroom):
    classroom.see(0, after_s=5)
    classroom.close()
    _, rows = export(classroom.school)
    assert rows[0]["opened_at"] == "2026-03-02T18:00:00+09:00"
    assert rows[0]["closed_at"] == "2026-03-02T19:00:00+09:00"
    assert rows[0]["first_seen"] == "2026-03-02T18:00:05+09:00"
    assert (rows[1]["first_seen"], rows[1]["last_seen"]) == ("", "")


def test_open_register_is_not_taken_for_a_final_one(classroom):
    classroom.see(0)
    _, rows = export(classroom.school)
    assert [(r["status"], r["state"], r["closed_at"]) for r in rows[:2]] == [
        ("present", "open", ""),
        ("", "open", ""),
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_runs_as_a_formula(classroom, start):
    note = f"{start}cmd|'/c calc'!A1"
    classroom.school.execute("UPDATE student SET name = :name", name=note)
    classroom.correct(0, Status.EXCUSED, reason=f"x{note}")
    classroom.school.execute("UPDATE attendance_record SET note = :note", note=note)
    _, rows = export(classroom.school)
    assert rows[0]["name"] == f"'{note}"
    assert rows[0]["note"] == f"'{note}"


def test_hangul_survives(school, open_room):
    room = open_room(1)
    school.execute("UPDATE student SET name = '김철수'")
    text, rows = export(school)
    assert rows[0]["name"] == "김철수"
    assert text.encode("utf-8").startswith(b"\xef\xbb\xbf")
    assert room.row(0).name == "김철수"


def test_days_and_course_are_chosen_as_the_course_counts_them(school, open_room):
    """20:00 UTC on 2 March is 3 March in Seoul."""
    room = open_room(1)
    other = open_room(1, name="MATH", source="1", timezone="UTC")
    room.close()
    evening = room.at(0) + timedelta(hours=11)
    late = room.sessions.open(
        room.course.id,
        room.camera.id,
        at=evening,
        model_id="m",
        rules=SessionRules(600, 0.8, {}),
    )

    def chosen(*arguments):
        return [row["session_id"] for row in export(school, *arguments)[1]]

    second, third = date(2026, 3, 2), date(2026, 3, 3)
    assert chosen() == [str(room.id), str(other.id), str(late.id)]
    assert chosen(room.course.id) == [str(room.id), str(late.id)]
    assert chosen(room.course.id, third, third) == [str(late.id)]
    assert chosen(room.course.id, None, second) == [str(room.id)]
    assert chosen(None, second, second) == [str(room.id), str(other.id)]
    assert chosen(room.course.id, date(2026, 3, 4), None) == []


def test_empty_export_is_a_header(school):
    text, rows = export(school)
    assert (text, rows) == ("\ufeff" + HEADER + "\r\n", [])


def test_export_holds_no_transaction_between_sessions(open_room):
    room = open_room(2)
    open_room(2, name="MATH", source="1")
    rows = room.sessions.export_rows()
    next(rows)
    room.see(0)
    assert len(list(rows)) == 3
