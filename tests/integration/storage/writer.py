"""Another process at work on a school: `python writer.py HOME TASK ARGUMENTS...`.

Every task prints "ready", waits for a line, then works; so several begin together.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from attendance.core.domain import Decision, Sighting, Status
from attendance.core.errors import AttendanceError, StorageFullError
from attendance.db.engine import open_database
from attendance.sessions import SessionRules, Sessions, process_token

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RULES = SessionRules(late_after_s=600.0, min_coverage=0.8, thresholds={})


def say(value):
    print(json.dumps(value), flush=True)


def wait_for_go():
    print("ready", flush=True)
    sys.stdin.readline()


def see(sessions, session_id, student_id):
    sighting = Sighting(student_id, Decision.ACCEPT, NINE, 1, 0.8, 0.7, 0.2, 1.0)
    return sessions.record(session_id, sighting)


def correct(sessions, session_id, student_id, reason):
    return sessions.correct(
        session_id, student_id, Status.EXCUSED, reason=reason, by="writer", at=NINE
    )


def write_all(sessions, session_id, name, count):
    """Sees every student and makes `count` corrections in between; says which numbers it got."""
    students = sessions.students(int(session_id))
    wait_for_go()
    numbers = []
    for i in range(int(count)):
        student = students[i % len(students)]
        arrival = see(sessions, int(session_id), student)
        correction = correct(sessions, int(session_id), student, f"{name}-{i}")
        numbers += [event.number for event in (arrival, correction) if event]
    say(numbers)


def write_for_ever(sessions, session_id):
    """Says each number once it is committed, until somebody kills it."""
    students = sessions.students(int(session_id))
    wait_for_go()
    i = 0
    while True:
        student = students[i % len(students)]
        say(correct(sessions, int(session_id), student, f"reason {i}").number)
        i += 1


def write_until_full(sessions, session_id, limit):
    """Lets no file grow past `limit` bytes, writes until the disk is full, then frees it."""
    import resource

    students = sessions.students(int(session_id))
    wait_for_go()
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    numbers, full = [], ""
    while not full:
        try:
            reason = f"reason {len(numbers)}".ljust(400, ".")
            numbers.append(correct(sessions, int(session_id), students[0], reason).number)
        except StorageFullError as error:
            full = str(error)
    still_full = ""
    try:
        see(sessions, int(session_id), students[1])
    except StorageFullError as error:
        still_full = str(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    after = see(sessions, int(session_id), students[1]).number
    say({"numbers": numbers, "full": full, "still_full": still_full, "after": after})


def open_second(sessions, course_id, camera_id):
    wait_for_go()
    try:
        opened = sessions.open(int(course_id), int(camera_id), at=NINE, model_id="m", rules=RULES)
        say({"opened": opened.id})
    except AttendanceError as error:
        say({"error": type(error).__name__, "message": str(error)})


def hold_lease(sessions, camera_id, session_id):
    sessions.acquire_lease(int(camera_id), int(session_id), process_token())
    wait_for_go()


def main():
    database = open_database(Path(sys.argv[1]))
    try:
        globals()[sys.argv[2]](Sessions(database), *sys.argv[3:])
    finally:
        database.dispose()


if __name__ == "__main__":
    main()
