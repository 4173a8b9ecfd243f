"""The demo's class is drawn from its seed alone, and what it draws can be seen by a camera."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.demo.script import (
    DURATION_S,
    EARLY,
    HEIGHT,
    LANES,
    LATE,
    LATE_AFTER_S,
    WIDTH,
    draw,
)

PEOPLE = ["ada", "ben", "cho", "dan", "eve"]
PHOTOS = {"ada": 9, "ben": 6, "cho": 20, "dan": 12, "eve": 1, "astronaut": 1}
MOMENTS = [n / 4 for n in range(int(DURATION_S * 4))]
seeds = st.integers(0, 10_000)


def script_of(seed):
    return draw(seed, PEOPLE, "astronaut", PHOTOS)


def visits_of(script, person):
    return [visit for visit in script.visits if visit.person == person]


@given(seeds)
def test_a_seed_is_a_class(seed):
    assert script_of(seed) == script_of(seed)


def test_seeds_differ():
    drawn = [script_of(seed) for seed in range(40)]
    assert len({script.stranger for script in drawn}) == len(PEOPLE) + 1
    assert len({script.absent for script in drawn}) > 5
    assert len({script.visits for script in drawn}) == 40


@given(seeds)
def test_everybody_on_the_roster_is_present_late_or_absent(seed):
    script = script_of(seed)
    groups = [script.present, script.late, script.absent]
    assert sorted(person for group in groups for person in group) == sorted(script.enrolled)
    assert all(groups)


@given(seeds)
def test_the_stranger_is_enrolled_nowhere_and_comes(seed):
    script = script_of(seed)
    assert script.stranger not in script.enrolled
    assert len(visits_of(script, script.stranger)) == 3
    assert {*script.enrolled, script.stranger} <= {*PEOPLE, "astronaut"}


@given(seeds)
def test_who_is_absent_is_never_seen(seed):
    script = script_of(seed)
    assert all(visits_of(script, person) == [] for person in script.absent)


@given(seeds)
def test_who_is_present_comes_in_time_and_who_is_late_does_not(seed):
    """With seconds to spare on both sides, or the register would hang on how fast a machine is."""
    script = script_of(seed)
    for person in script.present:
        assert visits_of(script, person)[0].end_s < LATE_AFTER_S - 5
    for person in script.late:
        assert all(visit.start_s > LATE_AFTER_S + 2 for visit in visits_of(script, person))


@given(seeds)
def test_nobody_stands_in_anybodys_way(seed):
    script = script_of(seed)
    for t_s in MOMENTS:
        lanes = [visit.lane for visit in script.visits_at(t_s)]
        assert len(lanes) == len(set(lanes))
        assert all(0 <= lane < LANES for lane in lanes)


@given(seeds)
def test_nobody_is_in_two_places(seed):
    script = script_of(seed)
    for t_s in MOMENTS:
        people = [visit.person for visit in script.visits_at(t_s)]
        assert len(people) == len(set(people))


@given(seeds)
def test_every_face_stays_whole_in_the_picture_and_in_its_lane(seed):
    for visit in script_of(seed).visits:
        for n in range(30):
            t_s = visit.start_s + (visit.end_s - visit.start_s) * n / 29
            x, y, face_px = visit.face_at(t_s)
            assert face_px / 2 < y < HEIGHT - face_px / 2
            assert face_px / 3 < x < WIDTH - face_px / 3
            assert abs(x - WIDTH * (visit.lane + 0.5) / LANES) < WIDTH / LANES / 2


@given(seeds)
def test_nobody_shows_a_photo_twice_while_there_are_others(seed):
    script = script_of(seed)
    for person in {visit.person for visit in script.visits}:
        photos = [visit.photo for visit in visits_of(script, person)]
        assert len(set(photos)) == min(len(photos), PHOTOS[person])
        assert all(0 <= photo < PHOTOS[person] for photo in photos)


@pytest.mark.parametrize("windows", [EARLY, LATE])
def test_visits_are_long_enough_to_be_named_and_apart(windows):
    assert all(end - start > 4 for start, end in windows)
    assert all(later[0] - earlier[1] > 1 for earlier, later in itertools.pairwise(windows))
    assert windows[-1][1] < DURATION_S
