"""Committed events reach every screen: in order, none missing, whoever committed them."""

import subprocess
import sys

import pytest
from sqlalchemy import text

from attendance.core.domain import CameraState
from attendance.sessions import Pulse
from web.live_events import NAMESPACE, EventFeed

RECORD_ELSEWHERE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from attendance.core.domain import Decision, Sighting
from attendance.db.engine import open_database
from attendance.sessions import Sessions
sessions = Sessions(open_database(Path(sys.argv[1])))
for student in sys.argv[3:]:
    at = datetime.now(UTC)
    sessions.record(int(sys.argv[2]), Sighting(int(student), Decision.ACCEPT, at, 1, .7, .7, .3))
"""


@pytest.fixture
def feed(app):
    return app.extensions["event_feed"]


@pytest.fixture
def screen(app):
    """A live page's socket."""
    client = app.extensions["socketio"].test_client(app, namespace=NAMESPACE)
    yield client
    if client.is_connected(NAMESPACE):
        client.disconnect(NAMESPACE)


def subscribe(screen, session, after):
    message = {"session": session.id, "after": after}
    return screen.emit("subscribe", message, namespace=NAMESPACE, callback=True)


def pushed(screen, name):
    return [m["args"][0] for m in screen.get_received(NAMESPACE) if m["name"] == name]


def numbers(message):
    return [event["number"] for event in message["events"]]


def test_a_screen_is_handed_everything_after_its_number(room, screen):
    session = room.open()
    for student in room.students[:3]:
        room.see(session, student)
    assert numbers(subscribe(screen, session, after=2)) == [3, 4]
    answer = subscribe(screen, session, after=0)
    assert numbers(answer) == [1, 2, 3, 4]
    assert answer["as_of"] == 4
    assert len(answer["rows"]) == 4, "the opening concerns every row"
    assert not answer["more"]


def test_a_commit_is_pushed_with_the_row_it_made(room, screen, feed):
    session = room.open()
    subscribe(screen, session, after=1)
    room.see(session, room.students[0])
    feed.step()
    (message,) = pushed(screen, "events")
    assert [event["kind"] for event in message["events"]] == ["arrival"]
    assert [(row["name"], row["status"]) for row in message["rows"]] == [("김민수", "present")]
    assert message["rows"][0]["percent"] == 86


def test_a_commit_of_another_process_reaches_the_screen(room, school, screen, feed):
    session = room.open()
    subscribe(screen, session, after=1)
    feed.step()
    pushed(screen, "events")
    ids = [str(student.id) for student in room.students]
    command = [sys.executable, "-c", RECORD_ELSEWHERE, str(school.home), str(session.id), *ids]
    subprocess.run(command, check=True, timeout=60)
    feed.step()
    (message,) = pushed(screen, "events")
    assert numbers(message) == [2, 3, 4, 5]


def test_nothing_new_is_nothing_sent(room, screen, feed):
    session = room.open()
    subscribe(screen, session, after=1)
    feed.step()
    pushed(screen, "events")
    feed.step()
    assert pushed(screen, "events") == []


def test_a_screen_that_was_away_catches_up_by_number(app, room, screen, feed):
    """While nobody watches, events are not pushed to anybody; the number brings them back."""
    session = room.open()
    subscribe(screen, session, after=1)
    screen.disconnect(NAMESPACE)
    for student in room.students:
        room.see(session, student)
    feed.step()
    screen.connect(NAMESPACE)
    assert numbers(subscribe(screen, session, after=1)) == [2, 3, 4, 5]
    room.school.sessions.pause(session.id, at=session.opened_at)
    feed.step()
    (message,) = pushed(screen, "events")
    assert numbers(message) == [6]
    assert message["session"]["state"] == "paused"


def test_two_screens_get_the_same_and_other_sessions_stay_apart(app, room, screen, feed):
    first = room.open()
    subscribe(screen, first, after=1)
    other = app.extensions["socketio"].test_client(app, namespace=NAMESPACE)
    camera = room.school.sessions.camera("1")
    room.camera = camera
    second = room.open()
    subscribe(other, second, after=1)
    room.see(second, room.students[0])
    feed.step()
    assert pushed(screen, "events") == []
    assert [numbers(message) for message in pushed(other, "events")] == [[2]]
    subscribe(screen, second, after=2)
    room.see(second, room.students[1])
    feed.step()
    assert [numbers(message) for message in pushed(screen, "events")] == [[3]]
    assert [numbers(message) for message in pushed(other, "events")] == [[3]]
    other.disconnect(NAMESPACE)


def test_a_long_absence_is_caught_up_in_batches(room, school):
    session = room.open()
    for student in room.students:
        room.see(session, student)
    feed = EventFeed(school, emit=lambda *_: None, batch=3)
    answer = feed.catch_up(session.id, after=0)
    assert (numbers(answer), answer["more"]) == ([1, 2, 3], True)
    answer = feed.catch_up(session.id, after=3)
    assert (numbers(answer), answer["more"]) == ([4, 5], False)


def test_many_events_at_once_are_pushed_in_order(room, school):
    session = room.open()
    sent = []
    feed = EventFeed(school, emit=lambda *message: sent.append(message), batch=3)
    feed.watch(session.id, "screen")
    for student in room.students:
        room.see(session, student)
    feed.step()
    assert [numbers(m) for name, m, _ in sent if name == "events"] == [[2, 3, 4], [5]]


@pytest.mark.parametrize(
    "message", [{}, {"session": "x", "after": 0}, None, {"session": 99, "after": 0}]
)
def test_a_question_that_makes_no_sense_gets_a_sentence(room, screen, message):
    answer = screen.emit("subscribe", message, namespace=NAMESPACE, callback=True)
    assert answer["error"]


def test_a_database_that_cannot_be_read_is_said_and_forgotten_when_it_can(room, screen, feed):
    session = room.open()
    subscribe(screen, session, after=1)
    feed.step()
    screen.get_received(NAMESPACE)
    with room.school.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE event RENAME TO event_away"))
    feed.step()
    (trouble,) = pushed(screen, "trouble")
    assert trouble["message"]
    with room.school.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE event_away RENAME TO event"))
    room.see(session, room.students[0])
    feed.step()
    messages = screen.get_received(NAMESPACE)
    assert [m["name"] for m in messages if m["name"] != "camera"] == ["events", "trouble"]
    assert messages[-1]["args"][0]["message"] == ""


def test_the_camera_is_reported_as_it_changes(room, school, screen, feed):
    session = room.open()
    owner = "1:1.0"
    school.sessions.acquire_lease(room.camera.id, session.id, owner)
    assert subscribe(screen, session, after=1)["camera"]["state"] == "starting"
    school.sessions.beat(session.id, owner, pulse=Pulse(12, 3, 9.5, 0.25, 1280, 720, 1))
    school.sessions.camera_changed(session.id, CameraState.LIVE, at=session.opened_at)
    feed.step()
    camera = pushed(screen, "camera")[-1]
    assert (camera["state"], camera["fps"], camera["dropped"]) == ("live", 9.5, 3)
    assert (camera["skipped"], camera["unknown_faces"]) == (0.25, 1)
    assert (camera["reach"]["width_px"], camera["reach"]["min_face_px"]) == (1280, 40)
    lost = CameraState.LOST
    school.sessions.camera_changed(session.id, lost, at=session.opened_at, detail="no picture")
    feed.step()
    camera = pushed(screen, "camera")[-1]
    assert (camera["state"], camera["detail"]) == ("lost", "no picture")
