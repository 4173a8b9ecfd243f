"""Detections of frames joined into tracks: who continues whom, when a track is sure, when lost."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from attendance.core.domain import Detections, TrackState
from attendance.core.geometry import overlaps
from attendance.core.tracking import MAX_GAP_S, Tracker


def faces(*boxes):
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(rows, np.zeros((len(rows), 5, 2), np.float32), np.ones(len(rows), np.float32))


def step(tracker, found, t_s):
    """One frame in which the faces are those; each track is told of the one it expected best."""
    expected, _ = tracker.expect(t_s)
    pairs = overlaps(expected, found.boxes) if len(expected) else np.zeros((0, len(found)))
    rows, columns = linear_sum_assignment(-pairs)
    good = [(row, column) for row, column in zip(rows, columns, strict=True) if pairs[row, column]]
    there = faces(*expected)
    scores = np.zeros(len(expected), np.float32)
    for row, column in good:
        there.boxes[row], scores[row] = found.boxes[column], 1.0
    new = [column for column in range(len(found)) if column not in {c for _, c in good}]
    return tracker.update(replace(there, scores=scores), found.take(new), t_s)


def reappear(tracker, found, t_s):
    """One frame in which nobody is where they are expected, and somebody comes in."""
    expected, _ = tracker.expect(t_s)
    nobody = replace(faces(*expected), scores=np.zeros(len(expected), np.float32))
    return tracker.update(nobody, found, t_s)


def at(x, y=0, side=100):
    return (x, y, x + side, y + side)


def ids_by_box(update):
    return {tuple(track.box.tolist()): track.track_id for track in update.live}


def test_nothing_seen_is_nothing_tracked():
    update = step(Tracker(), faces(), 0.0)
    assert update.live == update.ended == ()
    assert update.seen == frozenset()
    assert Tracker().finish() == ()


def test_a_face_is_confirmed_by_its_third_detection():
    tracker = Tracker(confirm_hits=3)
    states = [step(tracker, faces(at(0)), t / 10).live[0].state for t in range(4)]
    assert states == [TrackState.TENTATIVE] * 2 + [TrackState.CONFIRMED] * 2


def test_one_hit_can_be_enough():
    assert step(Tracker(confirm_hits=1), faces(at(0)), 0.0).live[0].state is TrackState.CONFIRMED


@pytest.mark.parametrize(
    ("second", "is_continued", "reason"),
    [
        (at(0), True, "it did not move"),
        (at(50), True, "half a face on: overlap 1/3"),
        (at(55), False, "overlap 0.29, under 0.3"),
        (at(300), False, "elsewhere"),
    ],
)
def test_somebody_out_of_sight_is_back_where_a_newcomer_overlaps_them(second, is_continued, reason):
    tracker = Tracker(min_iou=0.3)
    step(tracker, faces(at(0)), 0.0)
    update = reappear(tracker, faces(second), 0.1)
    assert (1 in update.seen) is is_continued, reason
    assert len(update.live) == (1 if is_continued else 2)


def test_a_walker_is_expected_where_their_pace_takes_them():
    """At 40 pixels a frame, three missed frames take a face past its own width."""
    tracker = Tracker(min_iou=0.3)
    for t in range(8):
        step(tracker, faces(at(40 * t)), t / 10)
    update = step(tracker, faces(at(40 * 11)), 1.1)
    assert update.seen == {1}


def test_two_who_cross_do_not_swap():
    tracker = Tracker()
    for t in range(9):
        step(tracker, faces(at(0 + 30 * t, y=0), at(240 - 30 * t, y=40)), t / 10)
    update = step(tracker, faces(at(270, y=0), at(-30, y=40)), 0.9)
    assert ids_by_box(update) == {at(270, y=0): 1, at(-30, y=40): 2}


def test_a_track_outlives_short_absence_and_ends_after_a_long_one():
    tracker = Tracker(lost_after_s=1.0)
    step(tracker, faces(at(0)), 0.0)
    assert len(step(tracker, faces(), 1.0).live) == 1
    update = step(tracker, faces(), 1.1)
    assert update.live == ()
    assert [(t.track_id, t.state, t.last_s) for t in update.ended] == [(1, TrackState.LOST, 0.0)]


def test_slow_frames_are_no_absence():
    """A machine that manages a frame in two seconds still follows who sits still."""
    tracker = Tracker(lost_after_s=1.0, confirm_hits=3)
    for t_s in (0.0, 2.0, 4.0):
        update = step(tracker, faces(at(0)), t_s)
    assert [(t.track_id, t.state) for t in update.live] == [(1, TrackState.CONFIRMED)]


def test_no_track_outlives_a_gap_between_frames():
    """A camera was away for a minute; whoever sat down there meanwhile became who sat there before.

    The old face's name went to the new one, with a minute of attendance on top.
    """
    tracker = Tracker(lost_after_s=1.0)
    step(tracker, faces(at(0)), 0.0)
    update = step(tracker, faces(at(0)), MAX_GAP_S + 0.1)
    assert [track.track_id for track in update.ended] == [1]
    assert [(t.track_id, t.hits) for t in update.live] == [(2, 1)]


def test_finish_ends_everybody_and_begins_anew():
    tracker = Tracker()
    step(tracker, faces(at(0), at(200)), 0.0)
    assert [track.track_id for track in tracker.finish()] == [1, 2]
    assert step(tracker, faces(at(0)), 0.1).seen == {3}


def test_two_frames_of_one_moment_do_not_divide_by_zero():
    tracker = Tracker()
    step(tracker, faces(at(0)), 0.0)
    update = step(tracker, faces(at(5)), 0.0)
    assert np.isfinite(update.live[0].predicted(1.0)).all()


crowded = st.lists(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=5))


@given(crowded)
def test_every_detection_belongs_to_exactly_one_track(frames):
    tracker = Tracker()
    known: set[int] = set()
    ended: list[int] = []
    for n, corners in enumerate(frames):
        update = step(tracker, faces(*[at(10 * x, 10 * y) for x, y in corners]), n * 0.3)
        assert len(update.seen) == len(corners)
        live = {track.track_id for track in update.live}
        assert update.seen <= live
        ended += [track.track_id for track in update.ended]
        known |= live
    ended += [track.track_id for track in tracker.finish()]
    assert sorted(ended) == sorted(known)


@given(st.permutations(range(4)))
def test_the_order_of_detections_does_not_matter(order):
    places = [at(200 * n) for n in range(4)]
    tracker = Tracker()
    before = ids_by_box(step(tracker, faces(*places), 0.0))
    after = ids_by_box(step(tracker, faces(*[places[i] for i in order]), 0.1))
    assert after == before


def test_another_face_in_the_same_place_begins_a_track_of_its_own():
    tracker = Tracker()
    step(tracker, faces(at(0), at(200)), 0.0)
    step(tracker, faces(at(0), at(200)), 0.5)
    old, new = tracker.split(1)
    assert (old.track_id, old.state, old.first_s) == (1, TrackState.LOST, 0.0)
    assert (new.track_id, new.first_s) == (3, 0.5)
    update = step(tracker, faces(at(0), at(200)), 0.6)
    assert ids_by_box(update) == {at(0): 3, at(200): 2}


def test_an_unseen_face_is_not_expected_to_run_away():
    """A noisy velocity, extrapolated for a second, led the search off the face it lost."""
    tracker = Tracker(lost_after_s=2.0)
    for t in range(5):
        step(tracker, faces(at(30 * t)), t / 10)
    [expected], _ = tracker.expect(1.9)
    assert expected[0] == pytest.approx(120 + 300 * 0.2, abs=5)
