"""The int8 variant on the disk: taken where it is proven, refused where it was touched."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import openvino.opset13 as ops
import pytest

from attendance.config import EmbedderConfig
from attendance.core.errors import ModelError
from attendance.evaluation.variant_trials import try_variants
from attendance.vision import quantization, weights
from attendance.vision.engines import OpenVinoEngine
from attendance.vision.facenet import FaceNet
from attendance.vision.loading import load_embedder
from attendance.vision.quantization import Calibration, Source
from attendance.vision.quantized import (
    MODEL_FILES,
    Gate,
    Int8Record,
    Int8Shelf,
    Parity,
    Recipe,
    file_digest,
)
from attendance.vision.variants import choose_for
from attendance.vision.weights import ModelStore

# what NNCF and the torch it brings along say of themselves
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

GATE = Gate(0.1, -0.3, 0.6, 1e-3, 963, 23_524, 3_731_646)


def small_embedder(seed: int = 0) -> ov.Model:
    """A few dozen convolutions wide: (n, 160, 160, 3) to (n, 8)."""
    images = ops.parameter([-1, 160, 160, 3], np.float32, name="images")
    planes = ops.transpose(images, ops.constant([0, 3, 1, 2]))
    kernels = np.random.default_rng(seed).normal(size=(8, 3, 8, 8)).astype(np.float32)
    felt = ops.convolution(planes, ops.constant(kernels), [8, 8], [0, 0], [0, 0], [1, 1])
    mean = ops.reduce_mean(ops.relu(felt), ops.constant([2, 3]), keep_dims=False)
    return ov.Model([mean], [images], "small")


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def built(store: ModelStore) -> Int8Record:
    """A proven int8 model of the default weights: a small net in its place will do."""
    model_id = store.model_id(weights.DEFAULT)
    files = store.int8.scratch(model_id)
    ov.save_model(small_embedder(), files / MODEL_FILES[0], compress_to_fp16=False)
    record = Int8Record(
        model_id,
        Recipe(store.digest(weights.DEFAULT), "photos", "settings", "nncf 0"),
        92,
        0.1,
        tuple(file_digest(files / name) for name in MODEL_FILES),
        Parity(0.998, 0.99, 24),
        GATE,
    )
    store.int8.keep(record, files)
    return record


def loaded(store: ModelStore, precision: str = "auto") -> FaceNet:
    return load_embedder(EmbedderConfig.model_validate({"precision": precision}), store)


def test_a_proven_model_is_taken_by_itself(store: ModelStore, built: Int8Record) -> None:
    embedder = loaded(store)
    assert (embedder.variant, embedder.model_id) == ("openvino-int8", built.model_id)
    crops = np.random.default_rng(0).integers(0, 256, (3, 160, 160, 3), np.uint8)
    assert np.linalg.norm(embedder.embed_crops(crops), axis=1) == pytest.approx(1.0)


def test_a_model_without_a_gate_waits_to_be_asked_for(store: ModelStore, built: Int8Record) -> None:
    store.int8.amend(replace(built, gate=None))
    assert loaded(store).variant != "openvino-int8"
    assert loaded(store, "int8").variant == "openvino-int8"


def cut_short(folder: Path) -> None:
    file = folder / "model.bin"
    file.write_bytes(file.read_bytes()[:-10])


def tampered(folder: Path) -> None:
    file = folder / "model.xml"
    file.write_text(file.read_text().replace("small", "other"))


def incomplete(folder: Path) -> None:
    (folder / "model.bin").unlink()


def without_record(folder: Path) -> None:
    (folder / "record.json").unlink()


def with_half_a_record(folder: Path) -> None:
    file = folder / "record.json"
    file.write_text(file.read_text()[:60])


def without_parity(folder: Path) -> None:
    edit(folder, lambda record: record.pop("parity"))


def with_failed_parity(folder: Path) -> None:
    edit(folder, lambda record: record["parity"].update(lowest=0.2))


def of_other_weights(folder: Path) -> None:
    edit(folder, lambda record: record["recipe"].update(source_sha256="other"))


def edit(folder: Path, change: Callable[[dict[str, dict[str, object]]], object]) -> None:
    record = json.loads((folder / "record.json").read_text())
    change(record)
    (folder / "record.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    "damage",
    [
        cut_short,
        tampered,
        incomplete,
        without_record,
        with_half_a_record,
        without_parity,
        with_failed_parity,
        of_other_weights,
    ],
)
def test_a_model_that_was_touched_is_never_loaded(
    store: ModelStore, built: Int8Record, damage: Callable[[Path], None]
) -> None:
    """By itself the next best variant runs and says why; asked for by name it is an error."""
    damage(store.int8.path(built.model_id).parent)
    assert loaded(store).variant in {"openvino-bf16", "openvino-f32"}
    said = choose_for(store, "auto", weights.DEFAULT).int8
    assert "run `attendance models quantize` again" in said
    with pytest.raises(ModelError, match="run `attendance models quantize` again"):
        loaded(store, "int8")


def test_a_gate_published_for_the_recipe_counts(
    store: ModelStore, built: Int8Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who builds what was measured before the release needs no photos of other people."""
    published = tmp_path / "published.json"
    figures = {name: getattr(GATE, name) for name in GATE.__dataclass_fields__}
    published.write_text(json.dumps({built.recipe.fingerprint: figures}))
    monkeypatch.setattr("attendance.vision.quantized.PUBLISHED", published)
    store.int8.amend(replace(built, gate=None))
    assert loaded(store).variant == "openvino-int8"
    other = replace(built.recipe, calibration_sha256="other photos")
    store.int8.amend(replace(built, gate=None, recipe=other))
    assert loaded(store).variant != "openvino-int8"


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return Calibration(
        np.random.default_rng(1).integers(0, 256, (40, 160, 160, 3), np.uint8), "noise"
    )


def test_quantising_keeps_a_model_with_its_parity(tmp_path: Path, calibration: Calibration) -> None:
    path = tmp_path / "small.xml"
    ov.save_model(small_embedder(), path, compress_to_fp16=False)
    source = Source(path, file_digest(path), "small-1")
    shelf = Int8Shelf(tmp_path / "_int8")
    net, dimension = OpenVinoEngine("f32").ready_embedder(path)
    reference = FaceNet(net, "small-1", "openvino-f32", dimension)
    record = quantization.build(source, calibration, shelf, reference)
    assert record == shelf.record("small-1", source.sha256)
    assert (record.n_calibration, record.parity.n, record.gate) == (32, 8, None)
    assert record.recipe == quantization.recipe(source, calibration)
    int8, _ = OpenVinoEngine("f32").ready_embedder(shelf.path("small-1"))
    variants = [reference, FaceNet(int8, "small-1", "openvino-int8", dimension)]
    trials = try_variants(variants, calibration.held_out, {}, rounds=1)
    assert [trial.variant for trial in trials] == ["openvino-f32", "openvino-int8"]
    assert trials[0].parity.lowest == pytest.approx(1.0)
    assert 0.99 < trials[1].parity.lowest < 1.0
    assert all(ms > 0 for trial in trials for ms in trial.ms_per_face.values())


def test_a_model_that_computes_something_else_is_not_kept(
    tmp_path: Path, calibration: Calibration
) -> None:
    path = tmp_path / "small.xml"
    ov.save_model(small_embedder(), path, compress_to_fp16=False)
    shelf = Int8Shelf(tmp_path / "_int8")

    def other(batch: np.ndarray) -> tuple[np.ndarray, ...]:
        return (np.tile(np.eye(8, dtype=np.float32)[:1], (len(batch), 1)),)

    foreign = FaceNet(other, "small-1", "openvino-f32", 8)
    source = Source(path, file_digest(path), "small-1")
    with pytest.raises(ModelError, match="not kept"):
        quantization.build(source, calibration, shelf, foreign)
    assert shelf.record("small-1", source.sha256) is None


def test_too_few_faces_calibrate_nothing() -> None:
    with pytest.raises(ModelError, match="at least 20 photos with a face, found 3"):
        Calibration(np.zeros((3, 160, 160, 3), np.uint8), "few")
