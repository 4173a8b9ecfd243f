"""Frames to facts: who is named when, who never, and what is reported of it."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.domain import Decision, TrackState
from attendance.core.looking import SETTLED_LOOK_INTERVALS, kept_crop
from attendance.core.pipeline import (
    Pipeline,
)
from attendance.core.tracking import Tracker
from attendance.core.watching import PipelineRules
from tests.fakes import (
    LEFT,
    NINE,
    RIGHT,
    RULES,
    Face,
    FakeDetector,
    FakeEmbedder,
    Room,
    Stage,
    axis,
    gallery_of,
    like,
)

MINSU, ADA = 101, 102
PEOPLE = {
    "Minsu": axis(0),
    "Ada": axis(1),
    "stranger": axis(20),
    "other stranger": axis(21),
    "lookalike": like(22, a0=0.7, a1=0.65),
    "faint Minsu": like(23, a0=0.6),
}
MIDDLE = (110.0, 20.0, 190.0, 120.0)


@pytest.fixture
def room():
    return Room(PEOPLE, gallery_of(MINSU, ADA))


def decisions(result):
    return {track.track_id: (track.decision.value, track.student_id) for track in result.tracks}


def reported(room, decision=Decision.ACCEPT):
    return [event.student_id for event in room.events if event.decision is decision]


def test_an_empty_room_says_nothing(room):
    result = room.watch(3)
    assert (result.tracks, room.events, room.finish()) == ((), [], ())
    assert room.pipeline.unknown_faces == 0
    assert room.embedder.looks == []


def test_a_student_is_named_after_enough_looks_over_enough_time(room):
    """Confirmed at 0.2 s; looks at 0.2, 0.5, 0.8, 1.1 and 1.4 s, the first that is a second on."""
    assert decisions(room.watch(1.4, Face("Minsu"))) == {1: ("unknown", None)}
    assert decisions(room.see(Face("Minsu"))) == {1: ("accept", MINSU)}
    assert room.embedder.looks == ["Minsu"] * 5
    [arrival] = room.events
    assert (arrival.student_id, arrival.decision) == (MINSU, Decision.ACCEPT)
    assert arrival.at == NINE + timedelta(seconds=1.4)
    assert arrival.similarity == pytest.approx(1.0)
    assert arrival.seen_s == pytest.approx(1.4)
    assert len(arrival.evidence) == 5


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(0.1, "one frame"), (0.9, "many frames of one moment"), (1.1, "a look short of a second")],
)
def test_nobody_is_named_in_passing(room, seconds, reason):
    room.watch(seconds, Face("Minsu"))
    room.watch(2)
    room.finish()
    assert room.events == [], reason


def test_looks_are_taken_at_the_interval_and_seldom_once_settled(room):
    interval = room.rules.look_interval_s
    room.watch(1.6, Face("Minsu"))
    eager = len(room.embedder.looks)
    room.watch(6, Face("Minsu"))
    seldom = len(room.embedder.looks) - eager
    assert 1.4 / interval * 0.7 <= eager <= 1.4 / interval + 1
    assert seldom <= 6 / (interval * SETTLED_LOOK_INTERVALS) + 1


def test_a_stranger_stays_unknown_and_counts_once(room):
    result = room.watch(4, Face("stranger"))
    assert decisions(result) == {1: ("unknown", None)}
    assert room.pipeline.unknown_faces == 1
    room.watch(3)
    room.watch(4, Face("stranger", RIGHT))
    assert room.pipeline.unknown_faces == 1
    room.finish()
    assert (room.events, room.pipeline.unknown_faces) == ([], 1)


def test_two_strangers_count_as_two(room):
    room.watch(4, Face("stranger"), Face("other stranger", RIGHT))
    assert room.pipeline.unknown_faces == 2
    room.finish()
    assert room.pipeline.unknown_faces == 2


def test_a_stranger_who_sits_there_all_lesson_counts_before_they_leave(room):
    """The dashboard said "0 unknown faces" until the stranger had left the room."""
    room.watch(room.rules.review_after_s, Face("stranger"))
    assert room.pipeline.unknown_faces == 0
    room.watch(1, Face("stranger"))
    assert room.pipeline.unknown_faces == 1


def test_a_stranger_in_passing_is_not_counted(room):
    room.watch(0.5, Face("stranger"))
    room.watch(2)
    assert room.pipeline.unknown_faces == 0


def test_a_student_is_no_unknown_face(room):
    room.watch(4, Face("Minsu"))
    room.finish()
    assert room.pipeline.unknown_faces == 0


def test_somebody_like_two_students_is_left_to_staff(room):
    result = room.watch(2.9, Face("lookalike"))
    assert decisions(result) == {1: ("review", None)}
    assert room.events == []
    room.watch(4, Face("lookalike"))
    room.watch(2)
    assert reported(room) == []
    [doubt] = room.events
    assert (doubt.decision, doubt.student_id) == (Decision.REVIEW, MINSU)
    assert doubt.at == NINE + timedelta(seconds=room.rules.review_after_s)
    assert doubt.margin == pytest.approx(0.05, abs=1e-6)


def test_a_doubt_is_told_when_the_face_leaves_before_it_lasted(room):
    room.watch(2, Face("lookalike"))
    room.watch(2)
    assert reported(room, Decision.REVIEW) == [MINSU]


def test_a_doubt_that_clears_up_becomes_a_name(room):
    room.watch(3.5, Face("lookalike"))
    room.watch(4, Face("Minsu"))
    assert [event.decision for event in room.events] == [Decision.REVIEW, Decision.ACCEPT]
    assert room.events[1].seen_s == pytest.approx(room.events[1].at.second, abs=1.0)


def test_a_name_is_withdrawn_from_whoever_takes_the_place(room):
    room.watch(3, Face("Minsu"))
    result = room.watch(2.5, Face("stranger"))
    assert decisions(result) == {1: ("unknown", None)}


def test_whoever_takes_the_place_is_reported_at_once_with_their_own_time_only(room):
    """A track had been reported as Minsu; Ada in the same place waited for his next sign of life.

    She was then written down with his seconds, and a doubt about her was never told.
    """
    room.watch(10, Face("Minsu"))
    came_s = room.t_s
    room.watch(6, Face("Ada"))
    arrival = next(event for event in room.events if event.student_id == ADA)
    arrived_s = (arrival.at - NINE).total_seconds()
    assert arrived_s - came_s < 3.5
    assert arrival.seen_s <= arrived_s - came_s


def test_a_doubt_about_whoever_takes_the_place_is_told(room):
    room.watch(4, Face("Ada"))
    room.watch(2, Face("stranger"))
    room.watch(8, Face("lookalike"))
    assert reported(room, Decision.REVIEW) == [MINSU]


def test_finish_says_what_was_not_said_yet(room):
    room.watch(3, Face("Minsu"), Face("lookalike", RIGHT))
    assert reported(room, Decision.REVIEW) == []
    flushed = room.finish()
    assert {(e.student_id, e.decision.value) for e in flushed} == {
        (MINSU, "accept"),
        (MINSU, "review"),
    }
    assert room.finish() == ()


def test_after_finish_it_goes_on_with_new_tracks(room):
    room.watch(3, Face("Minsu"))
    room.finish()
    assert room.watch(3, Face("Minsu")).tracks[0].track_id == 2


def test_an_empty_gallery_knows_nobody_and_counts_strangers():
    room = Room(PEOPLE, gallery_of())
    result = room.watch(4, Face("Minsu"), Face("Ada", RIGHT))
    assert {track.decision for track in result.tracks} == {Decision.UNKNOWN}
    room.finish()
    assert (room.events, room.pipeline.unknown_faces) == ([], 2)


def test_a_gallery_of_another_model_is_refused():
    stage = Stage()
    embedder = FakeEmbedder(stage, PEOPLE, model_id="facenet-b")
    with pytest.raises(ValueError, match="made by facenet-a, the embedder is facenet-b"):
        Pipeline(
            FakeDetector(stage),
            embedder,
            gallery_of(1, model_id="facenet-a"),
            Tracker(),
            PipelineRules(RULES),
        )


@pytest.mark.parametrize(
    ("box", "is_looked_at", "reason"),
    [
        ((0, 20, 80, 120), True, "at the edge, whole"),
        ((-7, 20, 73, 120), True, "9 % of it outside"),
        ((-9, 20, 71, 120), False, "11 % outside on the left"),
        ((250, 20, 330, 120), False, "an eighth outside on the right"),
        ((20, -50, 100, 50), False, "half outside at the top"),
        ((20, 180, 100, 280), False, "cut by the lower edge"),
    ],
)
def test_faces_cut_by_the_edge_are_not_looked_at(room, box, is_looked_at, reason):
    result = room.watch(3, Face("Minsu", box))
    assert bool(room.embedder.looks) is is_looked_at, reason
    assert (result.tracks[0].decision is Decision.ACCEPT) is is_looked_at
    assert result.tracks[0].state is TrackState.CONFIRMED


def test_a_name_given_stays_while_the_face_is_at_the_edge(room):
    room.watch(3, Face("Minsu", (0, 20, 80, 120)))
    result = room.watch(3, Face("Minsu", (-20, 20, 60, 120)))
    assert decisions(result) == {1: ("accept", MINSU)}


def test_screens_get_no_candidate_but_an_accepted_one(room):
    result = room.watch(3, Face("lookalike"), Face("stranger", RIGHT), Face("Ada", MIDDLE))
    assert [(t.decision.value, t.student_id) for t in result.tracks] == [
        ("review", None),
        ("unknown", None),
        ("accept", ADA),
    ]


def test_a_face_that_is_gone_is_not_drawn_for_long(room):
    """A box with a name stood on an empty wall for the second a track takes to be lost."""
    room.watch(3, Face("Minsu"))
    assert len(room.see().tracks) == 1
    assert room.watch(0.4).tracks == ()


def test_a_result_names_its_frame_box_and_times():
    ticks = iter(range(100))
    stage = Stage()
    embedder = FakeEmbedder(stage, PEOPLE)
    pipeline = Pipeline(
        FakeDetector(stage),
        embedder,
        gallery_of(1),
        Tracker(),
        PipelineRules(RULES),
        timer=lambda: float(next(ticks)),
    )
    helper = Room(PEOPLE, gallery_of(1))
    helper.stage = stage
    result = pipeline.process(helper.frame(Face("Minsu", RIGHT)))
    assert result.number == 1
    assert result.tracks[0].box == RIGHT
    assert result.timings == dict.fromkeys(("follow", "scan", "look", "decide"), 1000.0)


def test_a_worse_look_is_worth_less():
    """A face without any edge in it, as these pictures show, counts as little as a look can."""
    room = Room(PEOPLE, gallery_of(MINSU, ADA))
    room.watch(2, Face("Minsu", (20, 20, 40, 40)))
    evidence = room.events[0].evidence
    assert [look.quality for look in evidence] == pytest.approx([0.02] * 5)
    assert all("only 20 pixels high, blurred over" in look.flaw for look in evidence)


def test_evidence_holds_figures_and_no_embedding(room):
    room.watch(2, Face("Minsu"))
    for look in room.events[0].evidence:
        assert look.crop.dtype == np.uint8
        figures = (value for name, value in vars(look).items() if name != "crop")
        assert not any(isinstance(value, np.ndarray) for value in figures)


@given(st.permutations(["Minsu", "Ada", "stranger"]), st.permutations([LEFT, MIDDLE, RIGHT]))
def test_the_order_in_which_faces_are_found_names_nobody_else(people, places):
    """Track ids are dealt in the order of detection; who is named does not hang on them."""
    room = Room(PEOPLE, gallery_of(MINSU, ADA))
    scores = (0.99, 0.98, 0.97)
    cast = [Face(who, box, s) for who, box, s in zip(people, places, scores, strict=True)]
    result = room.watch(2, *cast)
    named = {track.box: track.student_id for track in result.tracks}
    expected = {"Minsu": MINSU, "Ada": ADA, "stranger": None}
    assert named == {face.box: expected[face.who] for face in cast}
    assert sorted(reported(room)) == [MINSU, ADA]


looks = st.lists(st.sampled_from(sorted(PEOPLE)), max_size=25)


@given(looks, looks)
def test_every_track_has_one_of_three_decisions_and_no_name_twice(left, right):
    room = Room(PEOPLE, gallery_of(MINSU, ADA), fps=3.0)
    for who, other in zip(left, right, strict=False):
        result = room.see(Face(who, LEFT), Face(other, RIGHT))
        named = [track.student_id for track in result.tracks if track.student_id is not None]
        assert len(named) == len(set(named))
        for track in result.tracks:
            assert track.decision in set(Decision)
            assert (track.student_id is not None) is (track.decision is Decision.ACCEPT)
    room.finish()
    assert {event.decision for event in room.events} <= {Decision.ACCEPT, Decision.REVIEW}
    assert all(event.seen_s >= 0 for event in room.events)


def test_the_same_frames_give_the_same_facts():
    def play():
        room = Room(PEOPLE, gallery_of(MINSU, ADA))
        room.watch(3, Face("Minsu"), Face("lookalike", RIGHT))
        room.watch(3, Face("Ada"), Face("lookalike", RIGHT))
        room.finish()
        return room.events

    assert play() == play()


def test_rules_of_a_stricter_school_name_nobody_here():
    rules = PipelineRules(replace(RULES, threshold=0.65))
    room = Room(PEOPLE, gallery_of(MINSU, ADA), rules=rules)
    room.watch(4, Face("faint Minsu"))
    assert (reported(room), reported(room, Decision.REVIEW)) == ([], [MINSU])


@pytest.mark.parametrize(
    ("box", "shape", "reason"),
    [
        ((10, 10, 60, 80), (70, 50, 3), "small enough as it is"),
        ((0, 0, 300, 224), (74, 100, 3), "every three by three pixels averaged"),
        ((600, 400, 700, 500), (80, 40, 3), "what lies outside the image is left away"),
        ((700, 10, 800, 90), (80, 0, 3), "wholly outside"),
    ],
)
def test_a_kept_crop_is_small_and_inside_the_image(box, shape, reason):
    image = np.full((480, 640, 3), 7, np.uint8)
    crop = kept_crop(image, np.array(box, np.float32))
    assert crop.shape == shape, reason
    assert (crop == 7).all()
