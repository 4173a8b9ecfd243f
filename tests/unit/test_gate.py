"""The arithmetic of the gate, on people whose similarities are known."""

from pathlib import Path

import numpy as np
import pytest

from attendance.core.domain import FloatArray
from attendance.core.errors import AttendanceError
from attendance.evaluation.faces import MainFaces
from attendance.evaluation.gate import GateKeeper

N_PEOPLE = 40


def faces(n_people: int = N_PEOPLE, photos_each: int = 2) -> MainFaces:
    paths = [f"p{i:02}/{k}.jpg" for i in range(n_people) for k in range(photos_each)]
    n = len(paths)
    boxes, landmarks = np.ones((n, 4), np.float32), np.ones((n, 5, 2), np.float32)
    return MainFaces(Path("people"), tuple(paths), boxes, landmarks)


def alike(n_people: int = N_PEOPLE, photos_each: int = 2) -> FloatArray:
    """Every person a direction of their own: same-person cosines 1, all others 0."""
    return np.repeat(np.eye(n_people, dtype=np.float32), photos_each, axis=0)


def test_the_same_embeddings_lose_nothing() -> None:
    gate = GateKeeper(faces(), alike(), replicates=50).judge(alike())
    assert (gate.loss_points, gate.low_points, gate.high_points) == (0, 0, 0)
    assert (gate.n_people, gate.n_same, gate.n_cross) == (40, 40, 40 * 39 * 2)
    assert gate.passes


def test_people_torn_apart_are_the_loss() -> None:
    """Ten of forty people are no longer like themselves: 25 points, give or take the draw."""
    torn = alike()
    torn[1:20:2] *= -1
    gate = GateKeeper(faces(), alike(), replicates=400).judge(torn)
    assert gate.loss_points == pytest.approx(25.0)
    sd = 100 * np.sqrt(0.25 * 0.75 / N_PEOPLE)
    assert gate.low_points == pytest.approx(25 - 2 * sd, abs=4)
    assert gate.high_points == pytest.approx(25 + 2 * sd, abs=4)
    assert not gate.passes


def test_each_variant_is_held_to_the_far_at_its_own_threshold() -> None:
    """A variant that makes all people more alike loses nothing if its threshold moves with it."""
    lifted = alike() + np.float32(0.5)
    lifted /= np.linalg.norm(lifted, axis=1, keepdims=True)
    gate = GateKeeper(faces(), alike(), replicates=50).judge(lifted)
    assert gate.high_points == 0


def test_a_gain_is_a_negative_loss() -> None:
    torn = alike()
    torn[1] *= -1
    gate = GateKeeper(faces(), torn, replicates=200).judge(alike())
    assert gate.loss_points == pytest.approx(-2.5)
    assert gate.high_points <= 0


@pytest.mark.parametrize(
    ("n_people", "photos_each"), [(1, 3), (5, 1)], ids=["one person", "one photo each"]
)
def test_people_who_cannot_be_compared(n_people: int, photos_each: int) -> None:
    some = faces(n_people, photos_each)
    with pytest.raises(AttendanceError, match="two people or more"):
        GateKeeper(some, alike(n_people, photos_each))
