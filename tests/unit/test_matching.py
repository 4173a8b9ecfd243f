"""Probes against a gallery: each student's best template, and scores no camera can inflate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.domain import Gallery
from attendance.core.errors import DimensionError
from attendance.core.matching import best_match, camera_score, similarities
from tests.fakes import DIMENSION, MODEL, axis, gallery_of, like

cosines = st.floats(-1, 1)
others = st.lists(cosines, max_size=8)


def row(*values):
    return np.array(values, np.float32)


def test_a_student_is_as_alike_as_their_best_template():
    templates = np.stack([axis(0), axis(1), axis(2)])
    gallery = Gallery(MODEL, (7, 9), templates, np.array([0, 1, 0]))
    probes = np.stack([like(20, a2=0.8, a1=0.3), like(20, a0=0.1, a1=0.6)])
    assert similarities(probes, gallery) == pytest.approx(np.array([[0.8, 0.3], [0.1, 0.6]]))


@pytest.mark.parametrize(
    ("probes", "students", "shape"), [(0, 2, (0, 2)), (3, 0, (3, 0)), (0, 0, (0, 0))]
)
def test_nothing_against_nothing(probes, students, shape):
    gallery = gallery_of(*range(students))
    assert similarities(np.zeros((probes, DIMENSION), np.float32), gallery).shape == shape


def test_embeddings_of_another_size_are_refused():
    with pytest.raises(DimensionError, match=r"8 dimensions, templates 32: .* different models"):
        similarities(np.zeros((1, 8), np.float32), gallery_of(1))


@given(st.permutations(range(6)))
def test_the_order_of_templates_does_not_matter(order):
    rng = np.random.default_rng(3)
    templates = rng.normal(size=(6, DIMENSION)).astype(np.float32)
    owners = np.array([0, 0, 1, 1, 2, 2])
    probes = rng.normal(size=(2, DIMENSION)).astype(np.float32)
    straight = Gallery(MODEL, (1, 2, 3), templates, owners)
    shuffled = Gallery(MODEL, (1, 2, 3), templates[order], owners[list(order)])
    assert np.allclose(similarities(probes, straight), similarities(probes, shuffled), atol=1e-5)


@pytest.mark.parametrize(
    ("values", "student", "margin", "reason"),
    [
        ((0.9, 0.2, 0.5), 1, 0.4, "best minus second"),
        ((0.2, 0.9), 2, 0.7, "the second student"),
        ((0.6,), 1, 1.6, "nobody else: from the lowest there is"),
        ((0.5, 0.5), 1, 0.0, "a tie has no margin"),
    ],
)
def test_best_match(values, student, margin, reason):
    match = best_match(row(*values), gallery_of(*range(1, len(values) + 1)), 0.0, 0.0)
    assert match.student_id == student, reason
    assert match.similarity == pytest.approx(max(values))
    assert match.margin == pytest.approx(margin), reason


def test_an_empty_gallery_has_no_candidate():
    match = best_match(row(), gallery_of(), 0.2, 2.0)
    assert (match.student_id, match.similarity, match.score) == (None, -1.0, -1.0)


@pytest.mark.parametrize(
    ("similarity", "rest", "baseline", "weight", "expected", "reason"),
    [
        (0.8, (), 0.0, 0.0, 0.8, "no baseline: the similarity itself"),
        (0.9, (0.5, 0.5), 0.0, 0.0, 0.8, "strangers at 0.5: (0.9 - 0.5) / 0.5"),
        (0.5, (0.5, 0.5), 0.0, 0.0, 0.0, "no more alike than strangers"),
        (0.6, (), 0.2, 2.0, 0.5, "nobody to compare with: the assumption, (0.6 - 0.2) / 0.8"),
        (0.8, (0.6, 0.6), 0.2, 2.0, 2 / 3, "two people and an assumption worth two: b = 0.4"),
        (0.8, (-0.5, -0.5), 0.0, 0.0, 0.8, "a score is never above its similarity"),
    ],
)
def test_camera_score(similarity, rest, baseline, weight, expected, reason):
    score = camera_score(similarity, row(*rest), baseline, weight)
    assert score == pytest.approx(expected), reason


@given(cosines, others, st.floats(0, 0.9), st.floats(0, 10))
def test_a_score_is_never_above_its_similarity_and_keeps_identity(best, rest, baseline, weight):
    assert camera_score(best, row(*rest), baseline, weight) <= best + 1e-6
    assert camera_score(1.0, row(*rest), baseline, weight) == pytest.approx(1.0)


@given(cosines, cosines, others, st.floats(0, 0.9), st.floats(0, 10))
def test_more_alike_never_scores_less(one, other, rest, baseline, weight):
    low, high = sorted((one, other))
    rest = row(*rest)
    assert camera_score(low, rest, baseline, weight) <= camera_score(high, rest, baseline, weight)


@given(st.lists(cosines, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_students_changes_no_figure(values, random):
    order = random.sample(range(len(values)), len(values))
    ids = tuple(range(1, len(values) + 1))
    straight = best_match(row(*values), gallery_of(*ids), 0.2, 2.0)
    shuffled = [values[i] for i in order]
    turned = best_match(row(*shuffled), gallery_of(*[ids[i] for i in order]), 0.2, 2.0)
    assert turned.similarity == straight.similarity
    assert turned.margin == pytest.approx(straight.margin)
    assert turned.score == pytest.approx(straight.score, abs=1e-5)
