"""Near misses and withdrawn names, as the pipeline notices them."""

import pytest

from attendance.core.domain import RemarkKind
from tests.fakes import RULES, Face, Room, axis, gallery_of, like

MINSU, ADA = 101, 102
PEOPLE = {
    "Minsu": axis(0),
    "Ada": axis(1),
    "like Minsu": like(9, a0=0.35),
    "stranger": axis(7),
}


@pytest.fixture
def room():
    return Room(PEOPLE, gallery_of(MINSU, ADA))


def noticed(room):
    return [(remark.kind, remark.student_id) for remark in room.pipeline.remarks()]


def test_a_near_miss_is_noticed_once_while_it_lasts_and_once_at_its_end(room):
    room.watch(8, Face("like Minsu"))
    assert noticed(room) == [(RemarkKind.NEAR_MISS, MINSU)]
    room.watch(3)
    assert noticed(room) == [(RemarkKind.NEAR_MISS, MINSU)]
    assert noticed(room) == [], "fetched once"


@pytest.mark.parametrize("who", ["Minsu", "stranger"])
def test_neither_a_name_nor_a_stranger_is_a_near_miss(room, who):
    room.watch(8, Face(who))
    room.watch(3)
    assert noticed(room) == []


def test_a_name_that_later_looks_contradict_is_withdrawn(room):
    room.watch(4, Face("Minsu"))
    assert noticed(room) == []
    room.watch(8, Face("stranger"))
    assert noticed(room) == [(RemarkKind.WITHDRAWN, MINSU)]


@pytest.mark.parametrize("later", ["like Ada a bit", "stranger"])
def test_a_name_that_fades_into_a_doubt_before_it_goes_is_withdrawn_as_well(later):
    """Only names that were lost from one look to the next were told: the surest ones."""
    people = PEOPLE | {"just Minsu": like(9, a0=0.53), "like Ada a bit": like(11, a1=0.2)}
    room = Room(people, gallery_of(MINSU, ADA))
    room.watch(4, Face("just Minsu"))
    seen = {room.watch(0.1, Face(later)).tracks[0].decision.value for _ in range(80)}
    assert seen == {"accept", "review", "unknown"}
    assert noticed(room)[:1] == [(RemarkKind.WITHDRAWN, MINSU)]
    assert RemarkKind.WITHDRAWN not in dict(noticed(room))


def test_a_withdrawal_says_how_alike_the_name_was_while_it_stood(room):
    room.watch(4, Face("Minsu"))
    room.watch(8, Face("stranger"))
    (remark,) = room.pipeline.remarks()
    assert remark.score > RULES.threshold
    assert remark.evidence


def test_sightings_count_the_looks_since_the_last(room):
    room.watch(12, Face("Minsu"))
    room.pipeline.finish()
    looks = [sighting.looks for sighting in room.events]
    assert looks[0] >= 3
    assert len(looks) >= 3
    assert all(count >= 1 for count in looks[1:-1])
