"""Full disks, many processes, kill -9: what was committed is there, what was not is not."""

import contextlib
import itertools
import signal

import pytest
from sqlalchemy import event

from attendance.core.domain import Status
from attendance.core.errors import StorageFullError


@contextlib.contextmanager
def full_disk(database):
    """Lets the file grow by not one page more, on every connection of this process."""
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def limit(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages}")

    database.engine.dispose()
    event.listen(database.engine, "connect", limit)
    yield
    event.remove(database.engine, "connect", limit)
    database.engine.dispose()


def write_until_full(room, written):
    for n in range(10_000):
        reason = f"{n:04}".ljust(500, ".")
        written.append(room.correct(1, Status.EXCUSED, reason=reason))


def assert_sound(school, session_id):
    assert school.execute("PRAGMA integrity_check") == [("ok",)]
    assert school.execute("PRAGMA foreign_key_check") == []
    events = school.sessions.events_after(session_id, 0, limit=100_000)
    assert [e.number for e in events] == list(range(1, len(events) + 1))
    assert school.sessions.get(session_id).last_event == len(events)
    return events


def test_full_disk_keeps_everything_before_and_nothing_of_the_step(classroom):
    classroom.see(0)
    written = []
    with full_disk(classroom.school.db):
        with pytest.raises(StorageFullError, match="free some space"):
            write_until_full(classroom, written)
        assert classroom.events("corrected") == written
        assert classroom.row(1).note == written[-1].payload["reason"]
    assert classroom.see(2).number == len(written) + 3
    assert_sound(classroom.school, classroom.id)


def test_full_disk_under_another_process_is_noticed_and_survived(classroom, writer, reopen):
    """The operating system itself refuses to let any file grow (RLIMIT_FSIZE)."""
    size = max(path.stat().st_size for path in classroom.school.home.glob("attendance.db*"))
    other = writer("write_until_full", classroom.id, size + 100_000)
    other.line()
    other.go()
    told = other.answer()
    assert "full or failing" in told["full"]
    assert "full or failing" in told["still_full"]
    assert told["numbers"] == list(range(2, 2 + len(told["numbers"])))
    assert told["after"] == told["numbers"][-1] + 1
    events = assert_sound(reopen(), classroom.id)
    assert [e.number for e in events] == [1, *told["numbers"], told["after"]]


def test_full_disk_while_enrolling_keeps_the_earlier_templates(school):
    (student,) = school.add_students("Kim")
    school.enrol(student, [[1.0] * 512])
    with full_disk(school.db), pytest.raises(StorageFullError):
        school.enrol(student, [[float(n)] * 4096 for n in range(5)])
    (kept,) = school.registry.templates_of(student.id, "facenet-test")
    assert kept.embedding.tolist() == [1.0] * 512


def test_four_processes_writing_at_once_lose_nothing(open_room, writer):
    room = open_room(10)
    writers = [writer("write_all", room.id, f"w{n}", 25) for n in range(4)]
    for each in writers:
        assert each.line() == "ready"
    for each in writers:
        each.go()
    got = [each.answer() for each in writers]
    events = assert_sound(room.school, room.id)
    assert sorted(itertools.chain(*got)) == [e.number for e in events[1:]]
    assert all(numbers == sorted(numbers) for numbers in got)
    assert len(room.events("corrected")) == 100
    assert len(room.events("arrival")) <= 10
    assert room.school.execute("SELECT count(*) FROM attendance_record") == [(10,)]


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_kill_9_in_the_middle_of_writing_loses_nothing(classroom, writer, reopen, lines):
    other = writer("write_for_ever", classroom.id)
    other.line()
    other.go()
    printed = [int(other.line()) for _ in range(lines)]
    other.process.send_signal(signal.SIGKILL)
    printed += [int(line) for line in other.rest() if line.isdecimal()]
    assert other.process.returncode == -signal.SIGKILL
    again = reopen()
    events = assert_sound(again, classroom.id)
    assert {*printed} <= {e.number for e in events}
    assert len(events) - 1 - len(printed) in (0, 1)  # committed, but not yet printed
    notes = {row.student_id: row.note for row in again.sessions.register(classroom.id)}
    last = {e.student_id: e.payload["reason"] for e in events[1:]}
    assert {student: notes[student] for student in last} == last
    student = classroom.students[0].id
    assert (
        again.sessions.correct(
            classroom.id, student, Status.PRESENT, reason="", at=classroom.at(0)
        ).number
        == len(events) + 1
    )
