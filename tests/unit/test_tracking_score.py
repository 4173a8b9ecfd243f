"""Scores of tracking on tables small enough to work out by hand. One frame is 0.1 s."""

import math
from collections.abc import Mapping

import numpy as np
import pytest

from attendance.evaluation.tracking_score import (
    Accept,
    LabelledBoxes,
    Visit,
    marks,
    newcomer_delays,
    pairings,
    percentile_95,
    recalled,
    switches,
)

FPS = 10.0
LEFT, RIGHT, FAR = (0, 0, 10, 10), (100, 0, 110, 10), (500, 0, 510, 10)
NEAR_LEFT = (2, 0, 12, 10)
"""IoU 8 / 12 with LEFT."""
OFF_LEFT = (5, 0, 15, 10)
"""IoU 5 / 15 with LEFT: too little."""


def frame(boxes: Mapping[int, tuple[int, ...]]) -> LabelledBoxes:
    return LabelledBoxes(tuple(boxes), np.array(list(boxes.values()), np.float32).reshape(-1, 4))


def frames(*rows: Mapping[int, tuple[int, ...]]) -> list[LabelledBoxes]:
    return [frame(row) for row in rows]


class TestPairings:
    def test_nobody_and_nothing(self) -> None:
        assert pairings(frames({}, {1: LEFT}, {}), frames({}, {}, {7: LEFT})) == [{}, {}, {}]

    def test_half_an_overlap_is_asked_for(self) -> None:
        people = frames({1: LEFT}, {1: LEFT})
        assert pairings(people, frames({7: NEAR_LEFT}, {7: OFF_LEFT})) == [{1: 7}, {}]

    def test_a_pair_stays_although_another_track_overlaps_more(self) -> None:
        people = frames({1: LEFT}, {1: LEFT})
        tracks = frames({7: LEFT}, {7: NEAR_LEFT, 8: LEFT})
        assert pairings(people, tracks) == [{1: 7}, {1: 7}]

    def test_one_track_follows_one_person_only(self) -> None:
        assert pairings(frames({1: LEFT, 2: NEAR_LEFT}), frames({7: LEFT})) == [{1: 7}]


class TestRecalled:
    @pytest.mark.parametrize(
        ("reference", "tracks", "expected", "why"),
        [
            ({}, [], (0, 0), "nothing at all"),
            ({0: [LEFT, RIGHT]}, [{7: LEFT}], (1, 2), "one of two is followed"),
            ({0: [LEFT]}, [{7: OFF_LEFT}], (0, 1), "a third of an overlap is too little"),
            ({0: [LEFT, NEAR_LEFT]}, [{7: LEFT}], (1, 2), "one track answers for one box"),
            ({1: [LEFT]}, [{7: LEFT}, {}], (0, 1), "what counts is the same frame"),
            ({0: [LEFT], 5: [LEFT]}, [{7: LEFT}], (1, 1), "frames never processed do not count"),
        ],
    )
    def test_boxes_of_the_reference_that_are_followed(
        self,
        reference: dict[int, list[tuple[int, ...]]],
        tracks: list[dict[int, tuple[int, ...]]],
        expected: tuple[int, int],
        why: str,
    ) -> None:
        boxes = {number: np.array(rows, np.float32) for number, rows in reference.items()}
        assert recalled(boxes, frames(*tracks)) == expected, why


def test_of_twenty_newcomers_one_may_be_missed() -> None:
    assert percentile_95([0.1] * 19 + [math.inf]) == 0.1
    assert percentile_95([0.1] * 18 + [math.inf] * 2) == math.inf
    assert percentile_95([0.3]) == 0.3


class TestNewcomerDelays:
    def test_only_newcomers_are_counted(self) -> None:
        visits = [Visit(1, 1, 0, 3), Visit(2, 2, 1, 3, is_newcomer=True)]
        people = frames({1: LEFT}, {1: LEFT, 2: RIGHT}, {1: LEFT, 2: RIGHT})
        tracks = frames({7: LEFT}, {7: LEFT}, {7: LEFT, 8: RIGHT})
        assert newcomer_delays(visits, people, tracks, FPS) == [pytest.approx(0.1)]

    def test_the_track_of_who_sat_there_before_never_counts(self) -> None:
        """Person 2 takes the seat in frame 1; track 7 stays on it; their own comes in frame 4."""
        visits = [Visit(1, 1, 0, 1), Visit(2, 2, 1, 5, is_newcomer=True, takes_over=True)]
        people = frames({1: LEFT}, {2: LEFT}, {2: LEFT}, {2: LEFT}, {2: LEFT})
        tracks = frames({7: LEFT}, {7: LEFT}, {7: LEFT}, {7: LEFT}, {7: LEFT, 8: NEAR_LEFT})
        assert newcomer_delays(visits, people, tracks, FPS) == [pytest.approx(0.3)]

    def test_who_is_never_found_waits_for_ever(self) -> None:
        visits = [Visit(1, 1, 0, 1), Visit(2, 2, 1, 3, is_newcomer=True, takes_over=True)]
        people = frames({1: LEFT}, {2: LEFT}, {2: LEFT})
        assert newcomer_delays(visits, people, frames(*[{7: LEFT}] * 3), FPS) == [math.inf]


class TestSwitches:
    @pytest.mark.parametrize(
        ("paired", "of_people", "of_tracks", "why"),
        [
            ([{1: 7}, {1: 7}], 0, 0, "nothing changes"),
            ([{1: 7}, {1: 8}], 1, 0, "the person gets another id"),
            ([{1: 7}, {2: 7}], 0, 1, "the id passes to another person"),
            ([{1: 7}, {}, {2: 7}], 0, 1, "a gap forgives nothing"),
            ([{1: 7, 2: 8}, {1: 8, 2: 7}], 2, 2, "two swap ids: both people, both tracks"),
            ([{1: 7}, {2: 7}, {2: 8}], 1, 1, "a seat is taken over, then found out"),
            ([], 0, 0, "no frame at all"),
        ],
    )
    def test_both_kinds(
        self, paired: list[dict[int, int]], of_people: int, of_tracks: int, why: str
    ) -> None:
        found = switches(paired, FPS)
        assert (found.of_people, found.of_tracks) == (of_people, of_tracks), why
        assert found.track_seconds == pytest.approx(sum(map(len, paired)) / FPS)

    def test_the_rate_is_of_100_track_seconds(self) -> None:
        """200 frames of one person at 0.1 s are 20 track-seconds; one change is 5 in 100."""
        assert switches([{1: 7}] * 100 + [{1: 8}] * 100, FPS).per_100_track_seconds == 5

    def test_no_rate_without_tracks(self) -> None:
        assert math.isnan(switches([], FPS).per_100_track_seconds)


class TestMarks:
    VISITS = (
        Visit(1, 11, 0, 40),
        Visit(2, 12, 10, 40),
        Visit(3, None, 0, 40),
        Visit(4, 14, 35, 40),
    )
    PAIRED = ({1: 7, 3: 9},) * 10 + ({1: 7, 2: 8, 3: 9},) * 30

    def judged(self, *accepts: Accept) -> tuple[list[float], int]:
        found = marks(self.VISITS, self.PAIRED, accepts, FPS, visible_s=2.0)
        return list(found.delays_s), found.wrong

    def test_time_runs_from_first_visible(self) -> None:
        delays, wrong = self.judged(Accept(12, 7, 11), Accept(25, 8, 12), Accept(39, 7, 11))
        assert delays == [pytest.approx(1.2), pytest.approx(1.5)], "not of 3 and 4: see VISITS"
        assert wrong == 0

    def test_never_marked_is_infinite(self) -> None:
        assert self.judged() == ([math.inf, math.inf], 0)

    def test_a_name_on_somebody_elses_track_is_wrong_and_marks_nobody(self) -> None:
        assert self.judged(Accept(20, 8, 11), Accept(30, 8, 11)) == ([math.inf, math.inf], 1)

    def test_a_stranger_with_a_name_and_a_name_on_nothing_are_wrong(self) -> None:
        assert self.judged(Accept(20, 9, 11), Accept(20, 99, 12)) == ([math.inf, math.inf], 2)

    def test_what_a_track_says_of_the_last_second_is_right(self) -> None:
        """Track 7 was on person 1 until frame 9, on person 2 since: frame 15 is 0.6 s later."""
        visits = [Visit(1, 11, 0, 10), Visit(2, 12, 10, 40)]
        paired = [{1: 7}] * 10 + [{2: 7}] * 30
        assert marks(visits, paired, [Accept(15, 7, 11)], FPS, 0.5).wrong == 0
        assert marks(visits, paired, [Accept(25, 7, 11)], FPS, 0.5).wrong == 1
