"""Looking again: one wish at a time, and what takes it away."""

import pytest

from attendance.core.domain import CameraState
from attendance.core.errors import SessionStateError
from attendance.sessions import process_token


def is_wished(classroom):
    return classroom.sessions.get(classroom.id).look_again_at is not None


def kinds(classroom):
    return [event.kind for event in classroom.events()]


def wish(classroom, minute=1):
    return classroom.sessions.look_again(classroom.id, at=classroom.at(minute))


def test_a_wish_reaches_the_camera_process_with_its_next_beat(classroom):
    mine = process_token()
    classroom.sessions.acquire_lease(classroom.camera.id, classroom.id, mine)
    assert not classroom.sessions.beat(classroom.id, mine).looks_again
    wish(classroom)
    assert classroom.sessions.beat(classroom.id, mine).looks_again
    done = classroom.sessions.looked_again(classroom.id, faces=2, at=classroom.at(2))
    assert (done.kind, done.payload) == ("looked_again", {"faces": 2})
    assert not classroom.sessions.beat(classroom.id, mine).looks_again


def test_wishing_twice_is_one_sweep_and_one_event(classroom):
    wish(classroom, 1)
    assert wish(classroom, 2).look_again_at == classroom.at(1)
    assert kinds(classroom) == ["opened", "look_again"]
    classroom.sessions.looked_again(classroom.id, faces=0, at=classroom.at(3))
    wish(classroom, 4)
    assert kinds(classroom) == ["opened", "look_again", "looked_again", "look_again"]


def test_a_sweep_nobody_wishes_for_any_more_is_no_event(classroom):
    assert classroom.sessions.looked_again(classroom.id, faces=1, at=classroom.at(1)) is None
    assert kinds(classroom) == ["opened"]


@pytest.mark.parametrize("ending", ["pause", "close", CameraState.ENDED, CameraState.STOPPED])
def test_a_wish_ends_with_the_looking(classroom, ending):
    sessions, at = classroom.sessions, classroom.at(2)
    wish(classroom)
    if isinstance(ending, CameraState):
        sessions.camera_changed(classroom.id, ending, at=at)
    else:
        getattr(sessions, ending)(classroom.id, at=at)
    assert not is_wished(classroom)
    with pytest.raises(SessionStateError, match=r"only an open one|no pictures any more"):
        wish(classroom, 3)


def test_a_wish_outlives_a_camera_that_is_lost(classroom):
    """The process that reads it next finds the wish in the database."""
    wish(classroom)
    classroom.sessions.camera_changed(classroom.id, CameraState.LOST, at=classroom.at(2))
    assert is_wished(classroom)
