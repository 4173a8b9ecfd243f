"""Camera processes made to match the open sessions: started, watched, sent away, killed."""

from itertools import pairwise

import pytest

from attendance.camera import EXIT_BUSY, EXIT_DONE, EXIT_FAILED, EXIT_HUNG
from attendance.core.domain import CameraState, SessionState
from attendance.core.errors import StorageError
from attendance.supervisor import (
    FIRST_RESTART_S,
    KILL_AFTER_S,
    LONGEST_RESTART_S,
    PURGE_AGAIN_S,
    PURGE_EVERY_S,
    SILENT_AFTER_S,
    STARTS_WITHIN_S,
    STEP_S,
    TERMINATE_AFTER_S,
)
from tests.unit.supervised_hall import KILLED, Hall


@pytest.fixture
def hall():
    return Hall()


def test_every_open_session_gets_one_process(hall):
    hall.school.open(1)
    hall.school.open(2)
    hall.pass_time(5)
    assert sorted(hall.sessions()) == [1, 2]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"state": SessionState.PAUSED}, "paused"),
        ({"state": SessionState.CLOSED}, "closed"),
        ({"state": SessionState.NEEDS_INSTRUCTOR}, "waits for its instructor"),
        ({"pace": "fast", "camera_state": CameraState.ENDED}, "its recording has been played"),
    ],
)
def test_no_other_session_gets_one(hall, facts, reason):
    hall.school.open(1, **facts)
    hall.pass_time(5)
    assert hall.started == [], reason


def test_a_recording_at_its_own_pace_keeps_its_process_at_the_end(hall):
    hall.school.open(1, camera_state=CameraState.ENDED)
    hall.pass_time(1)
    assert hall.sessions() == [1]


def test_one_session_alone_can_be_looked_after():
    hall = Hall(only=2)
    for session_id in (1, 2, 3):
        hall.school.open(session_id)
    hall.pass_time(1)
    assert hall.sessions() == [2]


# Restarts


def starts_of(hall, code, times):
    """When processes were started that all end at once with this code."""
    hall.school.open(1)
    moments = []
    while len(moments) < times:
        known = len(hall.started)
        hall.pass_time(STEP_S)
        if len(hall.started) > known:
            moments.append(hall.clock())
            hall.newest().end(code)
    return moments


def test_a_process_that_keeps_dying_is_started_with_growing_waits(hall):
    moments = starts_of(hall, EXIT_FAILED, 8)
    waits = [later - earlier for earlier, later in pairwise(moments)]
    expected = [min(FIRST_RESTART_S * 2**n, LONGEST_RESTART_S) for n in range(7)]
    assert waits == pytest.approx(expected, abs=2.5 * STEP_S)


def test_one_that_served_for_a_while_is_started_again_soon(hall):
    starts_of(hall, EXIT_FAILED, 5)
    hall.pass_time(LONGEST_RESTART_S)
    hall.pass_time(LONGEST_RESTART_S + 1)
    hall.newest().end(KILLED)
    known = len(hall.started)
    hall.pass_time(FIRST_RESTART_S + 2 * STEP_S)
    assert len(hall.started) == known + 1


def test_a_session_that_was_paused_in_between_starts_without_a_wait(hall):
    starts_of(hall, EXIT_FAILED, 5)
    hall.pass_time(LONGEST_RESTART_S + 1)
    hall.school.change(1, state=SessionState.PAUSED)
    hall.pass_time(3)
    hall.school.change(1, state=SessionState.OPEN)
    known = len(hall.started)
    hall.pass_time(STEP_S)
    assert len(hall.started) == known + 1


@pytest.mark.parametrize(
    ("code", "was", "is_told", "reason"),
    [
        (KILLED, CameraState.LIVE, True, "killed: nobody else can say so"),
        (EXIT_FAILED, CameraState.STARTING, True, "a crash before it could say anything"),
        (EXIT_HUNG, CameraState.LOST, False, "it said itself that the camera is lost"),
        (EXIT_BUSY, CameraState.LIVE, False, "another process has the camera and it works"),
        (EXIT_DONE, CameraState.LIVE, False, "it ended in order"),
    ],
)
def test_the_screens_are_told_at_once_that_a_process_died(hall, code, was, is_told, reason):
    hall.school.open(1, camera_state=was)
    hall.pass_time(1)
    hall.newest().end(code)
    hall.pass_time(STEP_S)
    said = [(session_id, state) for session_id, state, _ in hall.school.lost]
    assert said == ([(1, CameraState.LOST)] if is_told else []), reason


def test_that_a_session_went_away_meanwhile_stops_nothing(hall, caplog):
    hall.school.open(1)
    hall.pass_time(1)

    def gone(session_id):
        raise StorageError("cannot be read")

    hall.school.get = gone
    hall.newest().end(KILLED)
    hall.pass_time(FIRST_RESTART_S + 2 * STEP_S)
    assert "cannot be read" in caplog.text
    assert len(hall.started) == 2


# Sending away


def test_a_process_nobody_wants_ends_by_itself(hall):
    hall.school.open(1)
    hall.pass_time(1)
    hall.school.change(1, state=SessionState.CLOSED)
    hall.pass_time(TERMINATE_AFTER_S - STEP_S)
    hall.newest().end(EXIT_DONE)
    hall.pass_time(5)
    assert hall.newest().told == []
    assert len(hall.started) == 1


def test_one_that_does_not_is_asked_once(hall):
    hall.school.open(1)
    hall.pass_time(1)
    hall.school.change(1, state=SessionState.PAUSED)
    began = hall.clock()
    hall.pass_time(3)
    assert [what for what, _ in hall.newest().told] == ["terminate"]
    assert hall.newest().told[0][1] - began < 2


def test_one_that_hangs_is_asked_and_then_killed_within_two_seconds(hall):
    hall.nature = {"deaf": True}
    hall.school.open(1)
    hall.pass_time(1)
    hall.school.change(1, state=SessionState.CLOSED)
    began = hall.clock()
    hall.pass_time(3)
    assert [what for what, _ in hall.newest().told] == ["terminate", "kill"]
    assert hall.newest().told[-1][1] - began <= KILL_AFTER_S + 2 * STEP_S < 2


def test_one_that_is_wanted_again_stays(hall):
    hall.school.open(1)
    hall.pass_time(1)
    hall.school.change(1, state=SessionState.PAUSED)
    hall.pass_time(TERMINATE_AFTER_S - 2 * STEP_S)
    hall.school.change(1, state=SessionState.OPEN)
    hall.pass_time(5)
    assert hall.newest().told == []
    assert len(hall.started) == 1


# Silence


def test_a_process_whose_heart_beats_is_left_alone(hall):
    hall.school.open(1)
    for number in range(120):
        hall.school.beat(1, number)
        hall.pass_time(0.5)
    assert hall.newest().told == []


def test_a_process_whose_heart_stops_is_killed_and_replaced(hall):
    hall.nature = {"deaf": True}
    hall.school.open(1)
    for number in range(4):
        hall.school.beat(1, number)
        hall.pass_time(0.5)
    hall.pass_time(SILENT_AFTER_S - 1)
    assert hall.newest().told == []
    hall.pass_time(2)
    assert [what for what, _ in hall.started[0][1].told] == ["kill"]
    hall.pass_time(1)
    assert len(hall.started) == 2


@pytest.mark.parametrize("left_over", [None, 57], ids=["no lease", "a dead process's lease"])
def test_a_process_may_take_a_minute_to_load_its_models(hall, left_over):
    """On a slow machine they took longer than a heart may stand still: it was killed for ever."""
    hall.school.open(1)
    if left_over is not None:
        hall.school.beat(1, left_over)
    hall.pass_time(10)
    hall.school.beat(1, 0)
    hall.pass_time(STARTS_WITHIN_S - 1)
    assert hall.newest().told == []
    hall.pass_time(2)
    assert [what for what, _ in hall.started[0][1].told] == ["kill"]


# A database that does not answer, and the end


def test_a_database_that_does_not_answer_changes_nothing(hall, caplog):
    hall.school.open(1)
    hall.pass_time(1)
    hall.school.error = StorageError("cannot be read")
    hall.pass_time(5)
    assert "cannot be read" in caplog.text
    assert hall.newest().told == []
    hall.school.error = None
    hall.pass_time(1)
    assert len(hall.started) == 1


@pytest.mark.parametrize(
    ("nature", "told", "reason"),
    [
        ({}, ["terminate"], "they end when asked"),
        ({"deaf": True}, ["terminate", "kill"], "they hang"),
    ],
)
def test_close_ends_every_process_within_two_seconds(hall, nature, told, reason):
    hall.nature = nature
    for session_id in range(1, 5):
        hall.school.open(session_id)
    hall.pass_time(1)
    began = hall.clock()
    hall.supervisor.close()
    assert hall.clock() - began < 2, reason
    for _, process in hall.started:
        assert [what for what, _ in process.told] == told
        assert not process.is_alive()


def test_close_does_not_wait_for_the_undead(hall):
    hall.nature = {"deaf": True, "undead": True}
    hall.school.open(1)
    hall.pass_time(1)
    began = hall.clock()
    hall.supervisor.close()
    assert hall.clock() - began < 2


def test_close_without_any_process(hall):
    hall.supervisor.close()


def test_old_pictures_are_purged_at_the_start_and_once_a_day(hall):
    hall.supervisor.step()
    hall.supervisor.step()
    assert hall.school.purges == 1
    hall.clock.advance(PURGE_EVERY_S - 1)
    hall.supervisor.step()
    assert hall.school.purges == 1
    hall.clock.advance(1)
    hall.supervisor.step()
    assert hall.school.purges == 2


def test_a_purge_that_fails_stops_no_camera_and_is_tried_again(hall):
    hall.school.purge_error = StorageError("the disk is full")
    hall.school.open(1)
    hall.supervisor.step()
    assert len(hall.started) == 1
    hall.clock.advance(PURGE_AGAIN_S)
    hall.supervisor.step()
    assert hall.school.purges == 2
