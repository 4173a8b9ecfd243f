"""All pairs at once gives what comparing them one by one gives."""

import itertools

import numpy as np
import pytest

from attendance.core import metrics
from attendance.core.domain import FloatArray, IntArray
from attendance.evaluation import all_pairs
from attendance.evaluation.all_pairs import AllPairs, compare_all


def photos(n: int, people: int, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Embeddings of some people, noisy, in no order."""
    draw = np.random.default_rng(seed)
    owners = draw.permutation(np.arange(n) % people)
    raw = draw.normal(size=(people, 8))[owners] + draw.normal(size=(n, 8))
    rows = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    return rows.astype(np.float32), owners.astype(np.intp)


def one_by_one(
    embeddings: FloatArray, owners: IntArray, found: metrics.Bools
) -> tuple[list[float], list[float]]:
    genuine, impostor = [], []
    for i, j in itertools.combinations(range(len(owners)), 2):
        similarity = float(embeddings[i] @ embeddings[j]) if found[i] and found[j] else -1.0
        (genuine if owners[i] == owners[j] else impostor).append(similarity)
    return genuine, impostor


@pytest.fixture
def whole_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every different-person pair, and go through blocks that do not divide the photos."""
    monkeypatch.setattr(all_pairs, "TAIL_SHARE", 1.0)
    monkeypatch.setattr(all_pairs, "BLOCK", 7)


@pytest.mark.usefixtures("whole_tail")
def test_it_agrees_with_one_by_one() -> None:
    embeddings, owners = photos(40, 9)
    found = np.arange(40) % 11 > 0
    genuine, impostor = one_by_one(embeddings, owners, found)
    everything = compare_all(embeddings, owners, found)
    assert (everything.n_same, everything.n_cross) == (len(genuine), len(impostor))
    assert np.sort(everything.genuine) == pytest.approx(np.sort(genuine), abs=1e-5)
    assert everything.tail == pytest.approx(np.sort(impostor)[::-1], abs=1e-5)
    assert everything.impostor_mean == pytest.approx(np.mean(impostor), abs=1e-5)
    assert everything.impostor_sd == pytest.approx(np.std(impostor), abs=1e-5)
    assert everything.impostor_histogram.sum() == len(impostor)


def test_the_tail_holds_the_highest_pairs_and_whose_they_are() -> None:
    embeddings, owners = photos(60, 12)
    everything = compare_all(embeddings, owners, np.ones(60, np.bool_))
    _, impostor = one_by_one(embeddings, owners, np.ones(60, np.bool_))
    assert len(everything.tail) == int(np.ceil(0.03 * len(impostor))) + 1
    highest = np.sort(impostor)[::-1][: len(everything.tail)]
    assert everything.tail == pytest.approx(highest, abs=1e-5)
    assert (everything.tail_people[:, 0] != everything.tail_people[:, 1]).all()


def test_everybody_drawn_once_is_the_figure_itself() -> None:
    embeddings, owners = photos(120, 30)
    everything = compare_all(embeddings, owners, np.ones(120, np.bool_))
    genuine, impostor = one_by_one(embeddings, owners, np.ones(120, np.bool_))
    as_drawn = everything.val_at_far([0.01], np.ones(30, np.intp))[0]
    assert as_drawn == pytest.approx(
        metrics.val_at_far(np.array(genuine), np.array(impostor), 0.01)
    )
    accepted = (np.array(impostor) >= everything.threshold(0.01) + 1e-6).mean()
    assert accepted <= 0.01


@pytest.mark.usefixtures("whole_tail")
def test_a_person_drawn_twice_counts_like_two_people_alike() -> None:
    """Two copies of person 0 give their own pairs twice and everybody's pairs with them twice."""
    embeddings, owners = photos(24, 6)
    is_first = owners == 0
    doubled = np.concatenate([embeddings, embeddings[is_first]])
    twice = np.concatenate([owners, np.full(is_first.sum(), 6)])
    genuine, impostor = one_by_one(doubled, twice, np.ones(len(twice), np.bool_))
    copies = [i for i, (a, b) in enumerate(_cross(twice)) if {a, b} == {0, 6}]
    kept = np.delete(np.array(impostor), copies)
    drawn = np.array([2, 1, 1, 1, 1, 1])
    found = compare_all(embeddings, owners, np.ones(24, np.bool_)).val_at_far([0.1], drawn)[0]
    assert found == pytest.approx(metrics.val_at_far(np.array(genuine), kept, 0.1))


def _cross(owners: IntArray) -> list[tuple[int, int]]:
    pairs = itertools.combinations(owners.tolist(), 2)
    return [(a, b) for a, b in pairs if a != b]


@pytest.mark.parametrize(
    ("n", "people", "n_same", "n_cross", "reason"),
    [
        (0, 0, 0, 0, "nobody"),
        (1, 1, 0, 0, "one photo has no pair"),
        (3, 1, 3, 0, "one person"),
        (2, 2, 0, 1, "two people, a photo each"),
    ],
)
def test_small_sets(n: int, people: int, n_same: int, n_cross: int, reason: str) -> None:
    embeddings, owners = (
        photos(n, people) if n else (np.zeros((0, 8), np.float32), np.zeros(0, int))
    )
    everything: AllPairs = compare_all(embeddings, owners, np.ones(n, np.bool_))
    assert (everything.n_same, everything.n_cross) == (n_same, n_cross), reason
    has_rate = n_same > 0 and n_cross > 0
    value = everything.val_at_far([0.01], np.ones(people, np.intp))[0]
    assert np.isnan(value) != has_rate, reason
    assert np.isnan(everything.threshold(0.01)) == (n_cross == 0), reason
