"""Which embedders are put side by side, what fusing two means, and what one gains on another."""

from pathlib import Path

import numpy as np
import pytest

from attendance.core.domain import FloatArray
from attendance.evaluation.all_pairs import compare_all, val_gain
from attendance.evaluation.embedder_choice import read_choices
from attendance.evaluation.faces import MainFaces
from attendance.evaluation.protocols import ProtocolError
from attendance.evaluation.side_by_side import KnownPhotos, fuse

PEOPLE, PHOTOS_EACH = 12, 4
OWNERS = np.repeat(np.arange(PEOPLE), PHOTOS_EACH)
EVERYBODY = np.ones(len(OWNERS), np.bool_)


def embedded(noise: float, dimension: int = 16, seed: int = 0) -> FloatArray:
    """Photos that scatter this far round their people."""
    draw = np.random.default_rng(seed)
    people = draw.normal(size=(PEOPLE, dimension))[OWNERS]
    rows = people + noise * draw.normal(size=people.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def photos(rows: FloatArray, name: str) -> KnownPhotos:
    boxes, points = np.zeros((len(rows), 4), np.float32), np.zeros((len(rows), 5, 2), np.float32)
    paths = tuple(f"{owner}/{row}.jpg" for row, owner in enumerate(OWNERS.tolist()))
    return KnownPhotos(MainFaces(Path(), paths, boxes, points), rows, name, "f32")


def test_a_list_of_embedders_is_read_as_written() -> None:
    choices, fused = read_choices("casia-webface:int8@margin0, sface ,fused")
    facenet, sface = choices
    assert (facenet.model, facenet.precision, facenet.margin_px) == ("casia-webface", "int8", 0)
    assert (sface.text, sface.precision, sface.margin_px) == ("sface", "", None)
    assert fused == ("casia-webface:int8@margin0", "sface")


def test_the_first_of_each_kind_is_fused() -> None:
    names = "sface:bf16,casia-webface:f32,casia-webface:int8,sface:f32,fused"
    assert read_choices(names)[1] == ("casia-webface:f32", "sface:bf16")
    assert read_choices("sface,casia-webface")[1] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is none; write NAME"),
        ("casia-webface:f16", "'casia-webface:f16' is none"),
        ("sface,sface", "each of them once"),
        ("fused", "name one beside 'fused'"),
        ("casia-webface,fused", "takes a FaceNet and sface"),
        ("sface@margin0", "a margin is for FaceNet's crop"),
        ("casia-webface@margin160", "from 0 to 159"),
    ],
)
def test_what_cannot_be_is_said(text: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message.replace("(", r"\(")):
        read_choices(text)


def test_fused_compares_by_the_weighted_sum_of_both_cosines() -> None:
    one, other = embedded(0.5, 16, seed=1), embedded(0.3, 8, seed=2)
    both = fuse(photos(one, "a"), photos(other, "b"), 0.9)
    expected = 0.1 * one @ one.T + 0.9 * other @ other.T
    assert both.rows @ both.rows.T == pytest.approx(expected, abs=1e-6)
    assert np.linalg.norm(both.rows, axis=1) == pytest.approx(1.0)
    assert both.model_id == "a+b"


def test_known_photos_come_in_the_order_they_are_asked_for() -> None:
    rows = embedded(0.1)
    known = photos(rows, "a")
    some = known.embed(Path(), known.faces.paths[5:2:-1])
    assert np.array_equal(some.embeddings, rows[5:2:-1])


def test_less_noise_gains_and_the_same_embedder_gains_nothing() -> None:
    good, bad = (compare_all(embedded(noise), OWNERS, EVERYBODY) for noise in (0.2, 1.2))
    ((value, low, high),) = val_gain(bad, good, [1e-2], replicates=100)
    assert 0 < low <= value <= high <= 1
    ((value, low, high),) = val_gain(good, bad, [1e-2], replicates=100)
    assert value < 0, "the other way round it loses"
    assert val_gain(good, good, [1e-2, 1e-3], replicates=100) == [(0, 0, 0), (0, 0, 0)]
