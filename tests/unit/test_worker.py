"""One session forward, one frame a step: what is committed, in which order, and what is kept."""

import logging

import pytest

from attendance.core.domain import CameraState, Decision, SessionState
from attendance.core.errors import (
    CameraBusyError,
    SessionError,
    SessionStateError,
    StorageError,
    StorageFullError,
)
from attendance.sessions import Pulse
from attendance.stream import frames_of
from attendance.worker import BEAT_S, SKIPPED_OVER_S, RecordedFrames, Worker
from tests.fake_cameras import FakeFrames, ScriptedFrameSource
from tests.fakes import (
    NINE,
    Face,
    FakeClock,
    Ledger,
    RecordingSink,
    Room,
    axis,
    class_session,
    gallery_of,
    like,
)

MINSU = 101
PEOPLE = {"Minsu": axis(0), "Ada": axis(1), "lookalike": like(22, a0=0.7, a1=0.65)}
FULL = StorageFullError("the disk is full: free some space")


class Desk:
    """A worker with everything round it faked."""

    def __init__(self, **facts):
        self.room = Room(PEOPLE, gallery_of(MINSU, 102))
        self.ledger, self.frames, self.sink = Ledger(), FakeFrames(), RecordingSink()
        self.clock = FakeClock()
        self.worker = self.make(self.frames, **facts)

    def make(self, frames, **facts):
        return Worker(
            class_session(**facts),
            self.ledger,
            frames,
            self.room.pipeline,
            self.sink,
            "me",
            self.clock,
            lambda: NINE,
        )

    def see(self, *faces):
        """One frame goes by, and its time."""
        self.frames.feed(self.room.frame(*faces))
        self.clock.advance(1 / self.room.fps)
        return self.worker.step()

    def watch(self, seconds, *faces):
        return [self.see(*faces) for _ in range(round(seconds * self.room.fps))][-1]

    def pass_time(self, seconds):
        self.clock.advance(seconds)
        return self.worker.step()

    def sightings(self):
        return [(s.student_id, s.decision.value) for s in self.ledger.of("sighting")]


@pytest.fixture
def desk():
    return Desk()


def test_what_the_pipeline_reports_is_committed_and_every_frame_shown(desk):
    desk.watch(2, Face("Minsu"))
    assert desk.sightings() == [(MINSU, "accept")]
    assert [frame.number for frame, _ in desk.sink.shown] == list(range(1, 21))


def test_a_record_is_committed_before_any_screen_shows_the_name(desk):
    desk.watch(2, Face("Minsu"))
    named = [f.number for f, result in desk.sink.shown if result.tracks[0].student_id]
    desk = Desk()
    desk.ledger.record = lambda *_: shown_then.append(len(desk.sink.shown))
    shown_then = []
    desk.watch(2, Face("Minsu"))
    assert shown_then == [named[0] - 1]


def test_the_heart_beats_twice_a_second_with_its_figures(desk):
    desk.watch(2, Face("Minsu"), Face("Ada"))
    assert len(desk.ledger.beats) == pytest.approx(2 / BEAT_S, abs=1)
    assert desk.ledger.beats[-1].frames == pytest.approx(20, abs=5)
    assert desk.ledger.beats[-1].fps == pytest.approx(10, abs=0.5)
    assert set(desk.ledger.of("beat")) == {"me"}


def test_the_heart_beats_without_frames(desk):
    assert desk.pass_time(BEAT_S)
    assert (desk.ledger.beats, desk.ledger.covered_s) == ([Pulse()], [0.0])


def test_the_heart_tells_how_large_the_pictures_are(desk):
    desk.watch(1, Face("Minsu"))
    height_px, width_px = desk.sink.shown[0][0].image.shape[:2]
    assert desk.ledger.beats[-1].width_px == width_px
    assert desk.ledger.beats[-1].height_px == height_px


def test_skipped_frames_are_a_rate_of_the_last_minute_not_a_total(desk):
    """A slow start long ago says nothing about whether the engine keeps up now."""
    desk.frames.drop(10)
    desk.watch(4, Face("Minsu"))
    assert desk.ledger.beats[-1].skipped == pytest.approx(10 / 50, abs=0.03)
    desk.watch(SKIPPED_OVER_S + 1)
    assert desk.ledger.beats[-1].skipped == 0
    assert desk.ledger.beats[-1].dropped == 10
    for _ in range(round(SKIPPED_OVER_S * 10)):
        desk.frames.drop(1)
        desk.see()
    assert desk.ledger.beats[-1].skipped == pytest.approx(0.5, abs=0.02)


def test_frames_dropped_under_load_cost_no_coverage(desk):
    """The room was looked at all the time, at a third of the frames."""
    for _ in range(40):
        desk.room.t_s += 0.2
        desk.frames.drop(2)
        desk.clock.advance(0.2)
        desk.see(Face("Minsu"))
    desk.worker.finish()
    assert sum(desk.ledger.covered_s) == pytest.approx(39 * 0.3)


# Looking again


def test_a_wish_to_look_again_is_heeded_within_a_beat_and_reported_once(desk):
    desk.watch(1, Face("Minsu"))
    desk.ledger.looks_again = True
    desk.watch(3, Face("Minsu"))
    assert desk.ledger.of("looked again") == [desk.room.pipeline.swept_faces]
    desk.watch(3, Face("Minsu"))
    assert len(desk.ledger.of("looked again")) == 1


def test_nobody_looks_again_unasked(desk):
    desk.watch(3, Face("Minsu"))
    assert not desk.room.pipeline.is_sweeping
    assert desk.ledger.of("looked again") == []


def test_a_sweep_whose_report_finds_a_full_disk_is_reported_later(desk):
    desk.watch(1, Face("Minsu"))
    desk.ledger.looks_again = True
    desk.watch(BEAT_S + 0.1, Face("Minsu"))
    desk.ledger.refuse_with = FULL
    desk.watch(30, Face("Minsu"))
    assert desk.ledger.of("looked again") == []
    desk.ledger.refuse_with = None
    desk.watch(2, Face("Minsu"))
    assert len(desk.ledger.of("looked again")) == 1


def test_covered_time_adds_up_and_gaps_do_not(desk):
    desk.watch(2)
    desk.room.t_s += 30
    desk.watch(2)
    desk.pass_time(1)
    covered = sum(desk.ledger.covered_s)
    assert covered == pytest.approx(1.9 + 1.9)


@pytest.mark.parametrize(
    "wished", [SessionState.PAUSED, SessionState.CLOSED, SessionState.NEEDS_INSTRUCTOR]
)
def test_it_stops_within_a_beat_when_the_session_wants_it_no_more(desk, wished):
    assert desk.pass_time(0)
    desk.ledger.state = wished
    assert not desk.pass_time(BEAT_S)


def test_camera_states_are_told_once_each_with_their_detail(desk):
    desk.worker.step()
    desk.see()
    desk.see()
    desk.frames.state, desk.frames.detail = CameraState.LOST, "the cable is out"
    desk.worker.step()
    desk.worker.step()
    desk.see()
    desk.frames.detail = ""
    assert [state for state, _ in desk.ledger.of("camera")] == [
        CameraState.LIVE,
        CameraState.LOST,
        CameraState.LIVE,
    ]
    assert desk.ledger.of("camera")[1] == (CameraState.LOST, "the cable is out")


def test_a_new_process_says_that_it_starts_where_the_last_one_was_lost():
    desk = Desk(camera_state=CameraState.LOST)
    desk.worker.step()
    assert desk.ledger.of("camera") == [(CameraState.STARTING, "")]


def test_when_the_camera_is_lost_the_doubts_so_far_are_told(desk):
    desk.watch(2, Face("lookalike"))
    assert desk.sightings() == []
    desk.frames.state = CameraState.LOST
    desk.worker.step()
    assert desk.sightings() == [(MINSU, "review")]
    assert desk.ledger.kinds().index("sighting") < desk.ledger.kinds().index("camera", 5)


# A full disk


def test_a_full_disk_loses_no_sighting_and_stops_no_camera(desk, caplog):
    desk.watch(1, Face("Minsu"))
    desk.ledger.refuse_with = FULL
    with caplog.at_level(logging.ERROR):
        assert desk.watch(2, Face("Minsu"))
    assert desk.sightings() == []
    assert "the disk is full" in caplog.text
    desk.ledger.refuse_with = None
    desk.see(Face("Minsu"))
    assert desk.sightings() == [(MINSU, "accept")]
    assert len(desk.sink.shown) == 31


def test_kept_sightings_are_written_in_order_with_the_next_beat(desk):
    desk.ledger.refuse_with = FULL
    desk.watch(9, Face("Minsu"))
    desk.ledger.refuse_with = None
    desk.pass_time(BEAT_S)
    written = desk.ledger.of("sighting")
    assert len(written) == 2
    assert written[0].at < written[1].at


def test_covered_time_and_state_outlast_a_full_disk(desk):
    desk.ledger.refuse_with = FULL
    desk.watch(3)
    desk.ledger.refuse_with = None
    desk.pass_time(BEAT_S)
    assert sum(desk.ledger.covered_s) == pytest.approx(2.9)
    assert desk.ledger.of("camera") == [(CameraState.LIVE, "")]


def test_a_sighting_the_session_refuses_holds_up_nobody(desk):
    """Somebody taken off the roster between two frames must not block the register."""
    refused = []

    def record(session_id, sighting):
        refused.append(sighting)
        raise SessionError("student 101 was not on the roster")

    desk.ledger.record = record
    desk.watch(2, Face("Minsu"))
    assert len(refused) == 1


# The end


def test_finish_writes_what_was_not_said_yet_and_the_last_figures(desk):
    desk.watch(2.7, Face("lookalike"))
    beats = len(desk.ledger.beats)
    desk.worker.finish()
    assert desk.sightings() == [(MINSU, "review")]
    assert len(desk.ledger.beats) == beats + 1


def test_finish_after_the_close_is_quiet(desk, caplog):
    desk.watch(2, Face("lookalike"))
    desk.ledger.refuse_with = SessionStateError("session 1 is closed")
    with caplog.at_level(logging.WARNING):
        desk.worker.finish()
    assert caplog.text == ""


def test_a_lease_that_somebody_else_took_ends_the_work(desk):
    desk.ledger.refuse_with = CameraBusyError("held by another process")
    with pytest.raises(CameraBusyError):
        desk.pass_time(BEAT_S)
    desk.worker.finish()


def recorded(desk, seconds, *faces, **facts):
    """A worker on a recording played as fast as it goes."""
    pictures = [desk.room.stage.picture(*faces) for _ in range(round(seconds * 10))]
    source = ScriptedFrameSource([*pictures, None], fps=10)
    return desk.make(RecordedFrames(frames_of(source, NINE)), pace="fast", **facts)


def play(worker, clock):
    steps = 1
    while worker.step():
        clock.advance(0.01)
        steps += 1
        assert steps < 10_000
    return steps


def test_a_recording_played_fast_ends_by_itself_with_everything_written(desk):
    worker = recorded(desk, 40, Face("Minsu"))
    assert play(worker, desk.clock) == 401
    worker.finish()
    assert worker.has_ended
    assert sum(desk.ledger.covered_s) == pytest.approx(39.9)
    assert sum(s.seen_s for s in desk.ledger.of("sighting")) == pytest.approx(39.9)
    assert desk.ledger.of("sighting")[-1].at.second == 39


def test_that_a_recording_is_over_is_told_last(desk):
    """Whoever waited for the end closed the session first, and the last doubts were refused."""
    worker = recorded(desk, 2.5, Face("lookalike"))
    play(worker, desk.clock)
    assert desk.ledger.notes[-1] == ("camera", (CameraState.ENDED, ""))
    assert desk.sightings() == [(MINSU, "review")]
    assert sum(desk.ledger.covered_s) == pytest.approx(2.4)


def test_a_recording_is_not_over_while_its_last_frame_waits(desk):
    desk.frames.feed(desk.room.frame())
    desk.frames.state = CameraState.ENDED
    desk.worker.step()
    assert not desk.worker.has_ended
    desk.worker.step()
    assert desk.worker.has_ended
    assert len(desk.sink.shown) == 1


def test_a_recording_is_not_over_while_the_disk_is_full(desk):
    worker = recorded(desk, 2.5, Face("lookalike"))
    desk.ledger.refuse_with = StorageError("cannot be written")
    for _ in range(40):
        assert worker.step()
    assert not worker.has_ended
    desk.ledger.refuse_with = None
    play(worker, desk.clock)
    assert desk.sightings() == [(MINSU, "review")]
    assert worker.has_ended


def test_a_recording_at_its_own_pace_waits_for_the_close(desk):
    desk.watch(2, Face("Minsu"))
    desk.frames.state = CameraState.ENDED
    assert desk.worker.step()
    assert desk.worker.has_ended
    assert desk.worker.step()
    assert [s.decision for s in desk.ledger.of("sighting")] == [Decision.ACCEPT] * 2


def test_an_empty_recording_is_over_at_once(desk):
    worker = recorded(desk, 0)
    assert not worker.step()
    assert worker.has_ended


def test_how_long_the_driver_hangs_is_known(desk):
    desk.frames.stuck_s = 7.0
    assert desk.worker.stuck_s == 7.0


def test_what_is_noticed_is_committed_too(desk):
    """A person changes places under a name: the register's reader is to know."""
    desk.watch(4, Face("Minsu"))
    desk.watch(8, Face("Ada"))
    (remark,) = desk.ledger.of("remark")
    assert (remark.kind.value, remark.student_id) == ("withdrawn", MINSU)
