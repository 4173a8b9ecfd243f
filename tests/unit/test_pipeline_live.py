"""A face that changes, embeddings that take their time, a sweep, frames of another size."""

import numpy as np
import pytest

from attendance.core.domain import Decision
from tests.fakes import LEFT, RIGHT, Face, Room, axis, gallery_of

MINSU, ADA = 101, 102
PEOPLE = {"Minsu": axis(0), "Ada": axis(1), "stranger": axis(20)}


@pytest.fixture
def room():
    return Room(PEOPLE, gallery_of(MINSU, ADA), tells_apart=True)


def shown(result):
    return [(track.track_id, track.decision.value, track.student_id) for track in result.tracks]


def test_a_face_that_takes_a_seat_begins_a_track_of_its_own_at_once(room):
    """Two looks used to be needed to withdraw a name from whoever sat down on a warm chair."""
    room.watch(3, Face("Minsu"))
    assert shown(room.see(Face("stranger"))) == [(2, "unknown", None)]
    room.watch(3, Face("stranger"))
    assert {event.student_id for event in room.events} == {MINSU}
    assert sum(event.seen_s for event in room.events) <= 3.0


def test_somebody_who_puts_on_a_hat_is_looked_at_and_stays_who_they_are(room):
    room.watch(3, Face("Minsu"))
    looks = len(room.embedder.looks)
    assert shown(room.see(Face("Minsu", guise=" in a hat"))) == [(1, "accept", MINSU)]
    assert len(room.embedder.looks) == looks + 1


class Later:
    """Keeps promised embeddings when somebody says so, and everything else at once."""

    def __init__(self):
        self.waiting = []

    def __call__(self, make):
        promise = Slow(make)
        promise.is_done = not isinstance(promise.value, np.ndarray)
        self.waiting.append(promise)
        return promise

    def for_everything(self, make):
        self.waiting.append(Slow(make))
        return self.waiting[-1]

    def keep(self):
        for promise in self.waiting:
            promise.is_done = True
        self.waiting.clear()


class Slow:
    def __init__(self, make):
        self.value = make()
        self.is_done = False

    def done(self):
        return self.is_done

    def result(self):
        return self.value


@pytest.fixture
def later():
    return Later()


@pytest.fixture
def slow_room(later):
    return Room(PEOPLE, gallery_of(MINSU, ADA), tells_apart=True, submit=later, fps=100)


def test_frames_go_on_while_faces_are_embedded(slow_room, later):
    slow_room.watch(0.5, Face("Minsu"), Face("Ada", RIGHT))
    later.keep()
    before = len(slow_room.embedder.looks)
    slow_room.watch(0.35, Face("Minsu"), Face("Ada", RIGHT))
    asked = len(slow_room.embedder.looks)
    slow_room.watch(0.02, Face("Minsu"), Face("Ada", RIGHT))
    assert before < asked == len(slow_room.embedder.looks), "no other batch while one is under way"


def test_frames_wait_for_what_lags_some_frames_behind(slow_room):
    """A machine that could not keep up named nobody, however many frames it went through."""
    slow_room.watch(3, Face("Minsu"), Face("Ada", RIGHT))
    assert {event.student_id for event in slow_room.events} == {MINSU, ADA}


def test_nothing_is_said_of_a_face_that_changed_until_it_was_looked_at(slow_room, later):
    slow_room.watch(3, Face("Minsu"))
    later.keep()
    assert shown(slow_room.see(Face("Minsu"))) == [(1, "accept", MINSU)]
    assert shown(slow_room.watch(0.02, Face("stranger"))) == []
    assert shown(slow_room.watch(0.3, Face("stranger"))) == [(2, "unknown", None)]


def test_a_look_of_somebody_who_left_meanwhile_is_forgotten(slow_room, later):
    slow_room.watch(1, Face("Minsu"))
    slow_room.watch(2)
    later.keep()
    assert slow_room.see().tracks == ()
    assert slow_room.finish() == ()


def test_a_face_that_changed_just_before_a_gap_ends_with_it(slow_room, later):
    """The look came after every track had ended; there was none left to split, and it crashed."""
    slow_room.watch(3, Face("Minsu"))
    later.keep()
    slow_room.see(Face("Minsu"))
    slow_room.watch(0.05, Face("stranger"))
    slow_room.t_s += 5
    assert shown(slow_room.see()) == []


def test_finish_waits_for_the_last_looks(slow_room, later):
    for _ in range(5):
        slow_room.watch(0.3, Face("Minsu"))
        later.keep()
    assert [event.decision for event in slow_room.finish()] == [Decision.ACCEPT]


def test_newcomers_found_late_are_not_followed_twice(later):
    """The scan of an earlier frame tells of a face that another one has brought in since."""
    room = Room(PEOPLE, gallery_of(MINSU), submit=later.for_everything)
    for _ in range(6):
        room.watch(0.3, Face("Minsu"), Face("Ada", RIGHT))
        later.keep()
    result = room.see(Face("Minsu"), Face("Ada", RIGHT))
    assert sorted(track.track_id for track in result.tracks) == [1, 2]


def test_what_an_earlier_frame_showed_is_forgotten_when_the_camera_was_away(later):
    """A face from before the camera was lost began a track in the empty room after it."""
    room = Room(PEOPLE, gallery_of(MINSU), submit=later.for_everything, fps=100)
    room.see()
    room.watch(0.04, Face("Minsu"))
    room.finish()
    assert shown(room.watch(1)) == []


@pytest.mark.parametrize("fps", [2, 5])
def test_a_slow_camera_waits_for_what_its_frame_shows(later, fps):
    """Told a frame later, a newcomer was looked for where they had been half a second ago."""
    room = Room(PEOPLE, gallery_of(MINSU), submit=later.for_everything, fps=fps)
    assert [track.box for track in room.see(Face("Minsu")).tracks] == [LEFT]


def test_a_sweep_goes_on_for_some_frames_and_counts_whom_it_found(room):
    assert (room.pipeline.is_sweeping, room.pipeline.swept_faces) == (False, 0)
    room.pipeline.look_again()
    assert room.pipeline.is_sweeping
    for _ in range(60):
        room.see()
    assert not room.pipeline.is_sweeping


def test_a_camera_whose_frames_are_dropped_is_not_taken_for_a_slow_one(later):
    """A machine that kept up with a third of the frames then waited for all that each showed, and
    kept up with a tenth."""
    room = Room(PEOPLE, gallery_of(MINSU), submit=later.for_everything, fps=30, dropped=3)
    room.see()
    assert room.see(Face("Minsu")).tracks == ()
    later.keep()
    assert [track.box for track in room.see(Face("Minsu")).tracks] == [LEFT]


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (480, 640)])
def test_frames_of_any_size_may_come_midway(room, shape):
    room.watch(3, Face("Minsu", LEFT))
    room.stage._shape = (*shape, 3)
    result = room.watch(2)
    assert shown(result) == []
    assert np.isfinite(list(result.timings.values())).all()
