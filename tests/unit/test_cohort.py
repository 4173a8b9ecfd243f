"""What the faces of one camera share: the mean of many, taken from looks and templates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.cohort import Cohort, caution, centred
from attendance.core.errors import DimensionError
from attendance.core.matching import CameraGallery, best_match
from attendance.vision.embedder import unit_rows
from tests.fakes import Face, Room, axis, gallery_of


def people(count, seed=0, dimension=16):
    return unit_rows(np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32))


@given(st.lists(st.integers(1, 6), max_size=6))
def test_sessions_one_by_one_give_the_mean_of_all(counts):
    cohort, everybody = Cohort.empty("m", 16), [np.zeros((0, 16), np.float32)]
    for seed, count in enumerate(counts):
        everybody.append(people(count, seed))
        cohort = cohort.with_session(everybody[-1])
    rows = np.concatenate(everybody)
    assert (cohort.tracks, cohort.people) == (len(rows), max(counts, default=0))
    if len(rows):
        assert np.allclose(cohort.mean, rows.mean(axis=0), atol=1e-5)


def test_the_same_faces_every_week_are_not_taken_away_more_and_more():
    """Five people who came forty times would have had a fifth of themselves taken away."""
    five = people(5)
    once, often = Cohort.empty("m", 16).with_session(five), Cohort.empty("m", 16)
    for _ in range(40):
        often = often.with_session(five)
    assert np.allclose(once.shift, often.shift, atol=1e-5)


def test_a_camera_nobody_was_seen_by_changes_nothing():
    gallery = gallery_of(1, 2, 3)
    probes = people(4, dimension=gallery.templates.shape[1])
    empty = Cohort.empty("m", gallery.templates.shape[1])
    assert np.allclose(
        CameraGallery.of(gallery, empty.shift).rows(probes), CameraGallery.of(gallery).rows(probes)
    )


def test_caution_falls_with_every_person_seen_and_every_person_enrolled():
    by_seen = [caution(people, 20) for people in range(30)]
    by_enrolled = [caution(0, enrolled) for enrolled in range(100)]
    assert by_seen == sorted(by_seen, reverse=True)
    assert by_enrolled == sorted(by_enrolled, reverse=True)
    assert by_seen[-1] < by_seen[0] / 5
    assert by_enrolled[2] > by_enrolled[3] == by_enrolled[-1]


@pytest.mark.parametrize("shared", [0.3, 0.6, 0.9])
def test_what_a_camera_adds_to_everybody_no_longer_makes_strangers_alike(shared):
    light = shared * people(1, seed=99)[0]
    known, strangers, others = (unit_rows(people(30, seed) + light) for seed in (1, 2, 3))
    cohort = Cohort.empty("m", 16).with_session(others)
    raw = (strangers @ known.T).mean()
    less = (centred(strangers, cohort.shift) @ centred(known, cohort.shift).T).mean()
    assert abs(less) < raw / 2


def test_reports_the_raw_similarity_and_scores_the_centred_one():
    gallery = gallery_of(1, 2)
    light = axis(9)
    probe = unit_rows((axis(0) + light)[None])
    seen = CameraGallery.of(gallery, 0.5 * light).rows(probe)[0]
    match = best_match(seen, gallery, 0.0, 0.0)
    assert match.student_id == 1
    assert match.similarity == pytest.approx(0.7071, abs=1e-3)
    assert match.score > match.similarity


def test_a_mean_is_a_row_of_figures():
    with pytest.raises(DimensionError):
        Cohort("m", 1, 1, np.zeros((2, 2), np.float32))


def test_a_session_adds_everybody_it_saw_once():
    room = Room({"Minsu": axis(0), "stranger": axis(20)}, gallery_of(101))
    assert room.pipeline.cohort is None
    room = Room(
        {"Minsu": axis(0), "stranger": axis(20)},
        gallery_of(101),
        cohort=Cohort.empty("fake", len(axis(0))),
    )
    for _ in range(2):
        room.watch(4, Face("Minsu"))
        room.watch(3)
    room.watch(4, Face("stranger"))
    room.finish()
    cohort = room.pipeline.cohort
    assert (cohort.tracks, cohort.people) == (2, 2)
    assert np.allclose(cohort.mean, (axis(0) + axis(20)) / 2, atol=1e-3)
