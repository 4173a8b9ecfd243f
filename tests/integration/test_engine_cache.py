"""A model is read once: what the engine keeps of it gives the same embeddings, or is made anew."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import openvino.opset13 as ops
import pytest

from attendance.vision.engines import Net, OpenVinoEngine

CROPS = np.random.default_rng(0).uniform(-1, 1, (3, 160, 160, 3)).astype(np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The mean colour of one crop, with a shape frozen for one as the published graph has it."""
    images = ops.parameter([1, 160, 160, 3], np.float32)
    mean = ops.reduce_mean(images, ops.constant([1, 2]), keep_dims=False)
    scaled = ops.multiply(mean, ops.constant(np.array([[1, 2, 3]], np.float32)))
    file = tmp_path / "frozen.xml"
    ov.save_model(ov.Model([ops.reshape(scaled, ops.constant([1, 3]), False)], [images]), file)
    return file


def embedder(model: Path, cache: Path) -> Net:
    net, dimension = OpenVinoEngine("f32", cache).embedder(model, "digest-of-the-model")
    assert dimension == 3
    return net


def kept_models(cache: Path) -> list[Path]:
    return sorted(cache.glob("embedder-*/model.*"))


def test_a_second_start_does_not_read_the_model(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "compiled"
    (first,) = embedder(model, cache)(CROPS)
    assert first == pytest.approx(CROPS.mean(axis=(1, 2)) * [1, 2, 3], abs=1e-3)
    model.unlink()
    (second,) = embedder(model, cache)(CROPS)
    assert second == pytest.approx(first)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize("damage", [emptied, cut_short, Path.unlink])
def test_a_damaged_cache_is_made_anew(
    model: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    cache = tmp_path / "compiled"
    embedder(model, cache)
    for blob in cache.glob("*.blob"):
        blob.unlink()
    for file in kept_models(cache):
        if file.suffix == ".xml":
            damage(file)
    (again,) = embedder(model, cache)(CROPS)
    assert again == pytest.approx(CROPS.mean(axis=(1, 2)) * [1, 2, 3], abs=1e-3)
    assert len(kept_models(cache)) == 2


def test_a_cache_that_cannot_be_written_costs_time_only(model: Path, tmp_path: Path) -> None:
    (tmp_path / "compiled").mkdir()
    (tmp_path / "compiled" / "embedder-digest-of-the-mo").write_text("in the way")
    (found,) = embedder(model, tmp_path / "compiled")(CROPS)
    assert found.shape == (3, 3)


def test_what_a_call_gave_outlives_the_next_call(model: Path, tmp_path: Path) -> None:
    """The engine writes its next outputs over the same memory."""
    net = embedder(model, tmp_path / "compiled")
    (first,) = net(CROPS)
    before = first.copy()
    net(CROPS + 1)
    assert np.array_equal(first, before)
