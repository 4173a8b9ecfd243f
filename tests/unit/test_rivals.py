"""One name, one face: of two claims to a name the weaker one goes to staff."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from attendance.core.domain import Decision, RemarkKind
from attendance.core.pipeline import SEEN_EVERY_S
from attendance.core.rivals import weaker_claims
from tests.fakes import LEFT, NINE, RIGHT, Face, Room, axis, gallery_of, like

MINSU, ADA = 101, 102
PEOPLE = {
    "Minsu": axis(0),
    "Ada": axis(1),
    "stranger": axis(20),
    "faint Minsu": like(23, a0=0.6),
    "fair Minsu": like(24, a0=0.8),
}


@pytest.fixture
def room():
    return Room(PEOPLE, gallery_of(MINSU, ADA))


def decisions(result):
    return {track.track_id: (track.decision.value, track.student_id) for track in result.tracks}


def accepted(room):
    return [event for event in room.events if event.decision is Decision.ACCEPT]


claims = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 1000).map(lambda n: n / 1000)), max_size=12
)


@given(claims)
def test_leaving_a_name_to_its_strongest_claim_is_the_optimal_assignment(claims):
    """Tracks by students, a score where the one claims the other: the Hungarian method's sum."""
    scores = np.zeros((len(claims), 6))
    for track, (student, score) in enumerate(claims):
        scores[track, student] = score
    best = scores[linear_sum_assignment(scores, maximize=True)].sum()
    weaker = set(weaker_claims(claims))
    kept = [claim for i, claim in enumerate(claims) if i not in weaker]
    assert sum(score for _, score in kept) == pytest.approx(best)
    assert {student for student, _ in kept} == {student for student, _ in claims}
    assert max(Counter(student for student, _ in kept).values(), default=0) <= 1


@pytest.mark.parametrize(
    ("claims", "weaker", "reason"),
    [
        ([], [], "nobody"),
        ([(1, 0.5)], [], "one face"),
        ([(1, 0.5), (2, 0.5)], [], "two names"),
        ([(1, 0.5), (1, 0.5)], [1], "as strong: the one that was there first"),
        ([(1, 0.5), (1, 0.6), (1, 0.7)], [1, 0], "three faces, one name"),
    ],
)
def test_weaker_claims(claims, weaker, reason):
    assert weaker_claims(claims) == weaker, reason


def test_one_name_twice_in_a_frame_stays_with_the_stronger(room):
    result = room.watch(5, Face("faint Minsu"), Face("Minsu", RIGHT))
    assert decisions(result) == {1: ("review", None), 2: ("accept", MINSU)}
    assert {(e.student_id, e.track_id) for e in accepted(room)} == {(MINSU, 2)}


def test_the_weaker_claim_gets_the_name_when_the_stronger_has_gone(room):
    room.watch(3, Face("faint Minsu"), Face("Minsu", RIGHT))
    result = room.watch(3, Face("faint Minsu"))
    assert decisions(result) == {1: ("accept", MINSU)}


def test_a_weaker_claim_made_later_goes_to_review_and_leaves_the_mark_alone(room):
    room.watch(5, Face("Minsu"))
    result = room.watch(8, Face("Minsu"), Face("faint Minsu", RIGHT))
    assert decisions(result) == {1: ("accept", MINSU), 2: ("review", None)}
    assert {event.track_id for event in accepted(room)} == {1}
    assert [(e.student_id, e.track_id) for e in room.events if e.decision is Decision.REVIEW] == [
        (MINSU, 2)
    ]
    assert room.pipeline.remarks() == ()


def test_a_stronger_claim_made_later_takes_the_name_and_staff_is_told(room):
    """Whoever was marked by the first face may have come with the second: later than it says."""
    room.watch(5, Face("faint Minsu"))
    came = len(accepted(room))
    result = room.watch(8, Face("faint Minsu"), Face("Minsu", RIGHT))
    assert decisions(result) == {1: ("review", None), 2: ("accept", MINSU)}
    assert {event.track_id for event in accepted(room)[came:]} == {2}
    [remark] = room.pipeline.remarks()
    assert (remark.kind, remark.student_id, remark.track_id) == (RemarkKind.WITHDRAWN, MINSU, 1)
    assert remark.score == pytest.approx(0.6)


def test_a_name_lost_to_another_face_is_told_again_when_it_is_back(room):
    """The face that had been told once was held to be told for good."""
    room.watch(5, Face("faint Minsu"))
    room.watch(4, Face("faint Minsu"), Face("Minsu", RIGHT))
    gone_s = room.t_s
    room.watch(4, Face("faint Minsu"))
    back = [event for event in accepted(room) if event.track_id == 1][-1]
    assert 1.0 <= (back.at - NINE).total_seconds() - gone_s <= 2.0


def test_a_name_whose_face_left_long_ago_is_free_for_the_face_that_comes(room):
    """However much stronger the first one was: the student came back and sits further off."""
    room.watch(5, Face("Minsu"))
    room.watch(60)
    result = room.watch(3, Face("faint Minsu", RIGHT))
    assert decisions(result) == {2: ("accept", MINSU)}
    assert room.pipeline.remarks() == ()
    room.finish()
    assert sum(event.seen_s for event in accepted(room)) == pytest.approx(4.9 + 2.9)


def test_a_student_who_moved_is_no_rival_of_the_place_they_left():
    """Staff was asked to check a mark because the same student looked better from nearer by."""
    room = Room(PEOPLE, gallery_of(MINSU, ADA), lost_after_s=2.0)
    room.watch(5, Face("fair Minsu"))
    result = room.watch(1.7, Face("Minsu", RIGHT))
    assert decisions(result) == {2: ("accept", MINSU)}
    room.watch(3, Face("Minsu", RIGHT))
    assert room.pipeline.remarks() == ()
    assert {event.decision for event in room.events} == {Decision.ACCEPT}


class Later:
    """Keeps no promised embedding before it is asked for the result."""

    def __init__(self, make):
        self.value = make()
        self.is_late = isinstance(self.value, np.ndarray)

    def done(self):
        return not self.is_late

    def result(self):
        return self.value


@pytest.mark.parametrize("frames", [203, 204, 205])
def test_looks_that_come_with_the_end_give_no_name_twice(frames):
    """Taken up as the camera stopped, the weaker face's last look gave its name back to it."""
    room = Room(PEOPLE, gallery_of(MINSU, ADA), submit=Later, fps=100)
    room.watch(frames / 100, Face("faint Minsu"), Face("Minsu", RIGHT))
    said = {(event.track_id, event.decision) for event in room.finish()}
    assert said == {(1, Decision.REVIEW), (2, Decision.ACCEPT)}


@pytest.mark.parametrize("frames", [103, 104, 105])
def test_a_name_taken_by_a_look_that_comes_with_the_end_is_told(frames):
    room = Room(PEOPLE, gallery_of(MINSU, ADA), submit=Later, fps=100)
    room.watch(2, Face("faint Minsu"))
    room.watch(frames / 100, Face("faint Minsu"), Face("Minsu", RIGHT))
    assert room.pipeline.remarks() == ()
    room.finish()
    [remark] = room.pipeline.remarks()
    assert (remark.kind, remark.student_id, remark.track_id) == (RemarkKind.WITHDRAWN, MINSU, 1)


sights = st.lists(st.sampled_from([None, *sorted(PEOPLE)]), max_size=25)


@given(sights, sights)
def test_a_name_is_held_by_one_face_at_a_time_and_its_seconds_count_once(left, right):
    """Faces come, go, change places and take each other's names; 3 pictures a second."""
    room = Room(PEOPLE, gallery_of(MINSU, ADA), fps=3.0)
    for who, other in zip(left, right, strict=False):
        faces = [Face(w, b) for w, b in ((who, LEFT), (other, RIGHT)) if w is not None]
        result = room.see(*faces)
        names = [track.student_id for track in result.tracks if track.student_id is not None]
        assert len(names) == len(set(names))
    room.finish()
    seen_s = Counter()
    for event in accepted(room):
        assert event.seen_s >= 0
        seen_s[event.student_id] += event.seen_s
    assert all(seconds <= room.t_s + 1e-6 for seconds in seen_s.values())


def test_seconds_two_faces_shared_a_name_count_once(room):
    """The second face took the name after 5 s, and credited the first one's seconds again."""
    room.watch(2, Face("faint Minsu"), Face("stranger", RIGHT))
    room.watch(2, Face("faint Minsu"), Face("fair Minsu", RIGHT))
    room.watch(SEEN_EVERY_S * 2, Face("faint Minsu"), Face("Minsu", RIGHT))
    room.finish()
    assert sum(event.seen_s for event in accepted(room)) <= room.t_s
