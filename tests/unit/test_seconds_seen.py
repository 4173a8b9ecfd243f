"""How long somebody was seen: signs of life that sum up, and no second nobody was there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.pipeline import (
    SEEN_EVERY_S,
)
from tests.fakes import (
    Face,
    Room,
    axis,
    gallery_of,
    like,
)

MINSU, ADA = 101, 102
PEOPLE = {"Minsu": axis(0), "faint Minsu": like(23, a0=0.6)}


@pytest.fixture
def room():
    return Room(PEOPLE, gallery_of(MINSU, ADA))


def test_signs_of_life_carry_the_seconds_and_sum_up(room):
    room.watch(17, Face("Minsu"))
    room.watch(2)
    seen = [event.seen_s for event in room.events]
    assert len(seen) == 1 + int((17 - seen[0]) // SEEN_EVERY_S) + 1
    assert seen[1:-1] == pytest.approx([SEEN_EVERY_S] * (len(seen) - 2), abs=0.11)
    assert sum(seen) == pytest.approx(16.9)


def test_time_away_is_not_time_seen(room):
    for _ in range(3):
        room.watch(4, Face("Minsu"))
        room.watch(20)
    assert sum(event.seen_s for event in room.events) == pytest.approx(3 * 3.9)


def test_a_camera_that_was_away_for_a_minute_credits_nobody_with_it(room):
    room.watch(4, Face("Minsu"))
    room.t_s += 60
    result = room.watch(3, Face("Minsu"))
    assert sum(event.seen_s for event in room.events) < 10
    assert result.tracks[0].track_id == 2


@given(st.lists(st.sampled_from(["Minsu", "faint Minsu"]), max_size=40))
def test_seconds_seen_never_add_up_to_more_than_passed(people):
    room = Room(PEOPLE, gallery_of(MINSU, ADA), fps=3.0)
    for who in people:
        room.see(Face(who))
    room.finish()
    assert sum(event.seen_s for event in room.events) <= len(people) / room.fps
